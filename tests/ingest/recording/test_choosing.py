"""Which messages an export of some kinds and districts takes: all of their devices, read or not, and of nobody else."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from devices.recording import Reader
from ingest.journal import Journal
from ingest.recording.__main__ import main
from ingest.records import TICK
from tests.ingest.messages import T_MS, Message, dji, gas, hj212, native
from tests.ingest.recording.districts import FAR
from tests.sites import small_site_text

FAR_DEVICES = """
[[devices]]
id = "drone-9"
kind = "drone"
street = "f01"
foreign = "DJI:SN9"
[[devices]]
id = "gas-9"
kind = "gas_alarm"
street = "f01"
"""
ONCE = gas("gas-1", 3, ts=T_MS, seq=1)
GARBLED = ("city/v1/demo/gas_alarm/gas-1/telemetry", b"{")
NO_CHANNEL = ("city/v1/demo/gas_alarm/gas-1/whisper", b"1")
COMMAND = ("city/v1/demo/gas_alarm/gas-1/cmd", b'{"act":"mute"}')
# The register counts, whatever its topic says; of another kind than registered it is of both.
MISPLACED = ("city/v1/demo/gas_alarm/gas-9/telemetry", gas("gas-9", 3)[1])
MISTAKEN = native("gateway", "gas-1", {"children": 3})
STRANGER = ("city/v1/far/gas_alarm/gas-77/telemetry", gas("gas-77", 3)[1])
POLE = hj212("MN0001", "a34004-Rtd=38.5")
BROKEN_POLE = ("hj212/MN0001/up", b"##0")
FOREIGN_POLE = hj212("MN0777", "a34004-Rtd=38.5")
DRONE, BROKEN_DRONE = dji("SN9", {"height": 80}), ("thing/product/SN9/osd", b"{")
DOCK, BROKEN_DOCK = dji("its-dock", {"cover_state": 0}), ("thing/product/its-dock/osd", b"{")
ELSE = ("some/thing", b"1")
GAS = [ONCE, ONCE, GARBLED, NO_CHANNEL, COMMAND, MISPLACED, MISTAKEN, STRANGER]
EVERYTHING: list[Message] = [
    *GAS, POLE, BROKEN_POLE, FOREIGN_POLE, DRONE, BROKEN_DRONE, DOCK, BROKEN_DOCK, ELSE,
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(small_site_text(tail=FAR + FAR_DEVICES))
    journal = Journal(tmp_path / "var" / "journal", durable=False)
    for second, message in enumerate(EVERYTHING):
        journal.append([(TICK, b""), message], T_MS + second * 1_000)
    journal.append([(TICK, b"")], T_MS + 60_000)
    journal.close()
    return tmp_path


def export(folder: Path, *more: str, start: str = "00:00:00", stop: str = "00:02:00") -> Result:
    span = ["--from", f"2026-01-01T{start}+00:00", "--to", f"2026-01-01T{stop}+00:00"]
    options = ["--site", str(folder / "site.toml"), "--data", str(folder / "var")]
    return CliRunner().invoke(main, ["export", str(folder / "r.cdrec"), *span, *options, *more])


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([], EVERYTHING),
        (["--kind", "gas_alarm"], GAS),
        (["--kind", "gateway"], [MISTAKEN]),
        (["--kind", "light_pole"], [POLE, BROKEN_POLE, FOREIGN_POLE]),
        (["--kind", "drone"], [DRONE, BROKEN_DRONE, BROKEN_DOCK]),
        (["--kind", "drone_dock"], [DOCK, BROKEN_DOCK]),
        (["--district", "far"], [MISPLACED, STRANGER, DRONE, BROKEN_DRONE]),
        (["--district", "far", "--kind", "drone"], [DRONE, BROKEN_DRONE]),
        (
            ["--district", "demo"],
            [ONCE, ONCE, GARBLED, NO_CHANNEL, COMMAND, MISTAKEN, POLE, BROKEN_POLE, FOREIGN_POLE, DOCK, BROKEN_DOCK],
        ),
    ],
)
def test_all_of_their_devices_and_of_nobody_else(folder: Path, limits: list[str], expected: list[Message]) -> None:
    found = export(folder, *limits)
    assert (found.exit_code, f"{len(expected)} messages" in found.output) == (0, True), found.output
    with Reader(folder / "r.cdrec") as reader:
        taken = [(message.topic, message.payload) for block in reader.blocks() for message in block]
    assert [message for message in taken if message[0] != TICK] == expected
    assert len(taken) == len(expected) + len(EVERYTHING) + 1


@pytest.mark.parametrize(
    ("limits", "start", "sentence"),
    [
        ([], "00:01:00", "no message was received in that span"),
        (["--kind", "bridge_wim"], "00:00:00", "no message of such devices was received in that span"),
        (["--district", "nowhere"], "00:00:00", "no district nowhere; known are demo, far"),
    ],
)
def test_where_nobody_speaks_no_file_is_made(folder: Path, limits: list[str], start: str, sentence: str) -> None:
    """Though the collector listened all the time."""
    found = export(folder, *limits, start=start)
    assert (found.exit_code, found.output) == (1, f"citydeck record: {sentence}\n")
    assert not (folder / "r.cdrec").exists()


def test_where_nothing_can_be_read_for_names_no_file_is_made(folder: Path) -> None:
    found = export(folder, "--pseudonymise", "--kind", "drone_dock", start="00:00:14")
    assert found.output == (
        "citydeck record: no message of such devices was received in that span but 1 that could not be read for names\n"
    )
    assert not (folder / "r.cdrec").exists()
