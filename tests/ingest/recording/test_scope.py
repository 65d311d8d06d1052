"""Whom a recording leaves out is not silent when it is played: other kinds, districts, collectors and cities."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from devices.recording import Reader
from devices.site_file import load_site
from ingest.journal import Journal
from ingest.recording.__main__ import main as record
from ingest.recording.scope import Scope, of_header, of_journal
from ingest.records import TICK
from ingest.replay.__main__ import main as replay
from tests.ingest.messages import T_MS, gas, native
from tests.ingest.recording.districts import FAR
from tests.sites import small_site_text

SECOND = 1_000
LASTS_S = 900
FAR_DOCK = """
[[devices]]
id = "dock-9"
kind = "drone_dock"
street = "f01"
"""
SHARDS = """
[shards.south]
subscriptions = ["city/v1/demo/#", "thing/#", "hj212/#"]
[shards.north]
subscriptions = ["city/v1/far/#"]
"""
# All that say nothing in a quarter of an hour, and a truck that said one thing.
ALL = {"gw-1", "dock-1", "dock-9", "pole-1", "truck-1", "wim-1"}


def fill(journal_folder: Path) -> None:
    """Let a collector listen for a quarter of an hour to a detector, and to a truck that says one thing."""
    journal = Journal(journal_folder, durable=False)
    for second in range(0, LASTS_S, 5):
        at_ms = T_MS + second * SECOND
        batch = [(TICK, b"")]
        if second % 60 == 0:
            batch.append(gas("gas-1", 60 if second == 300 else 3, ts=at_ms, seq=second))
        if second == 0:
            batch.append(("city/v1/demo/gas_alarm/gas-1/status", b"online"))
            batch.append(native("refuse_truck", "truck-1", {"speed_kmh": 9}, ts=at_ms))
        journal.append(batch, at_ms)
    journal.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(small_site_text(tail=FAR + FAR_DOCK))
    fill(tmp_path / "var" / "journal")
    return tmp_path


def export(folder: Path, *more: str) -> Path:
    path = folder / "r.cdrec"
    span = ["--from", "2026-01-01T00:00:00+00:00", "--to", "2026-01-01T00:15:00+00:00"]
    options = ["--site", str(folder / "site.toml"), "--data", str(folder / "var")]
    found = CliRunner().invoke(record, ["export", str(path), *span, *options, *more])
    assert found.exit_code == 0, found.output
    return path


def import_(folder: Path, path: Path) -> Path:
    into = folder / f"of-{path.name}"
    options = ["--into", str(into), "--site", str(folder / "site.toml")]
    found = CliRunner().invoke(record, ["import", str(path), *options])
    assert found.exit_code == 0, found.output
    return into


def alarms(folder: Path, *what: str) -> set[tuple[str, str]]:
    """Play something in a sandbox and return its alarms: rule and device."""
    sandbox = folder / f"sandbox-{len([*folder.glob('sandbox-*')])}"
    where = ["--sandbox", str(sandbox), "--speed", "1000", "--site", str(folder / "site.toml")]
    found = CliRunner().invoke(replay, [*what, *where])
    assert found.exit_code == 0, found.output
    database = sqlite3.connect(sandbox / "alarms.db")
    rows = {(str(rule), str(device)) for rule, device in database.execute("SELECT rule, device FROM occurrence")}
    database.close()
    return rows


def silent(found: set[tuple[str, str]]) -> set[str]:
    return {device for rule, device in found if rule.endswith(".no_data")}


def test_of_the_whole_journal_everybody_can_be_silent(folder: Path) -> None:
    assert silent(alarms(folder, "--data", str(folder / "var"))) == ALL
    assert silent(alarms(folder, str(export(folder)))) == ALL


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (["--kind", "gas_alarm"], set()),
        (["--kind", "gas_alarm", "--kind", "refuse_truck"], {"truck-1"}),
        (["--kind", "gas_alarm", "--kind", "drone_dock"], {"dock-1", "dock-9"}),
        (["--kind", "gas_alarm", "--kind", "drone_dock", "--district", "demo"], {"dock-1"}),
    ],
)
def test_whom_an_export_leaves_out_is_not_silent(folder: Path, limits: Sequence[str], expected: set[str]) -> None:
    """Neither from the file, nor where it was imported, nor from the journal of a sandbox of that."""
    path = export(folder, *limits)
    assert silent(alarms(folder, str(path))) == expected
    into = import_(folder, path)
    assert silent(alarms(folder, "--data", str(into))) == expected
    assert silent(alarms(folder, "--data", str(folder / "sandbox-1"))) == expected


def test_a_part_of_a_part_is_both(folder: Path) -> None:
    into = import_(folder, export(folder, "--kind", "gas_alarm", "--kind", "refuse_truck"))
    (folder / "r.cdrec").unlink()
    (folder / "var").rename(folder / "gone")
    into.rename(folder / "var")
    with Reader(export(folder, "--district", "demo")) as reader:
        assert reader.header.only == {"kind": ["gas_alarm", "refuse_truck"], "district": ["demo"]}


def test_in_a_csv_only_those_it_speaks_of_can_be_silent(folder: Path) -> None:
    rows = [
        (T_MS, *native("refuse_truck", "truck-1", {"speed_kmh": 9}, ts=T_MS)),
        (T_MS + 1_200 * SECOND, *gas("gas-1", 3, ts=T_MS + 1_200 * SECOND)),
    ]
    told = [f'{at_ms},{topic},"{payload.decode().replace(chr(34), chr(34) * 2)}"' for at_ms, topic, payload in rows]
    (folder / "two.csv").write_text("\n".join(["received_at,topic,payload", *told, ""]))
    into = import_(folder, folder / "two.csv")
    assert silent(alarms(folder, "--data", str(into))) == {"truck-1"}


def test_under_pseudonyms_the_alarms_are_those_of_the_city_and_nobody_else_is_silent(folder: Path) -> None:
    plain = alarms(folder, str(export(folder, "--kind", "gas_alarm", "--kind", "refuse_truck")))
    (folder / "r.cdrec").unlink()
    hidden = alarms(folder, str(export(folder, "--pseudonymise")))
    expires = {rule for rule, _ in plain if rule.endswith(".expires")}
    assert {rule for rule, _ in hidden} == {rule for rule, _ in plain} - expires
    assert {"gas_alarm.conc_pct_lel.high", "refuse_truck.no_data"} <= {rule for rule, _ in hidden}
    assert all(device.startswith("p-") for _, device in hidden)


def test_of_one_collector_the_devices_of_the_others_are_not_silent(folder: Path) -> None:
    (folder / "site.toml").write_text(small_site_text(tail=FAR + FAR_DOCK + SHARDS))
    fill(folder / "var" / "shards" / "south" / "journal")
    found = alarms(folder, "--data", str(folder / "var"), "--shard", "south")
    assert silent(found) == ALL - {"dock-9"}
    assert silent(alarms(folder, str(export(folder, "--shard", "south")))) == ALL - {"dock-9"}


@pytest.mark.parametrize("of", ["a file", "the journal"])
def test_a_span_in_which_somebody_only_listened_is_not_played(folder: Path, of: str) -> None:
    what = [str(export(folder))] if of == "a file" else ["--data", str(folder / "var")]
    span = ["--from", "2026-01-01T00:00:05+00:00", "--to", "2026-01-01T00:00:55+00:00"]
    where = ["--sandbox", str(folder / "s"), "--site", str(folder / "site.toml")]
    found = CliRunner().invoke(replay, [*what, *span, *where])
    assert (found.exit_code, found.output) == (1, "citydeck replay: no message was recorded in that span\n")
    assert not (folder / "s").exists()


def test_what_a_later_version_limits_it_to_leaves_nobody_to_wait_for(folder: Path) -> None:
    site = load_site(folder / "site.toml")
    assert Scope(only={"street": ["s01"]}).awaited(site) == frozenset()


def test_how_the_site_differs_is_told(folder: Path) -> None:
    """Of a file and of where it was imported; with the same site nothing is."""
    path = export(folder)
    into = import_(folder, path)
    site = load_site(folder / "site.toml")
    with Reader(path) as reader:
        scopes = [of_header(reader.header), of_journal(into / "journal")]
    assert [scope.warnings(site) for scope in scopes] == [(), ()]
    more = "[limits.gas_alarm.conc_pct_lel.high]\nlevels = [10, 40]\n"
    more += '[[devices]]\nid = "gw-2"\nkind = "gateway"\nstreet = "s01"\n'
    (folder / "site.toml").write_text(small_site_text(tail=FAR + FAR_DOCK + more))
    changed = load_site(folder / "site.toml")
    told = tuple(f"the {what} of this site are not those it was made with" for what in ("devices", "limits"))
    assert [scope.warnings(changed) for scope in scopes] == [told, told]
    options = ["--sandbox", str(folder / "s"), "--speed", "1000", "--site", str(folder / "site.toml")]
    found = CliRunner().invoke(replay, [str(path), *options])
    assert found.exit_code == 0, found.output
    assert [line.removeprefix("  warning: ") for line in found.stderr.splitlines()] == [*told]
