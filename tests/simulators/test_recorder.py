"""A simulated span becomes a recording that any reader takes, twice the same, without a broker."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from devices.recording import TICK, Message, Reader
from simulators.__main__ import main
from simulators.scenario_file import scenario_names
from tests.sites import small_site_text

HOUSES = "".join(
    f'[[devices]]\nid = "gas-{n:04}"\nkind = "gas_alarm"\nstreet = "s01"\nlat = 30.32{n}\nlon = 120.14\n'
    for n in range(40, 48)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(small_site_text(tail=HOUSES))
    return tmp_path


def record(folder: Path, name: str, *more: str) -> Result:
    options = ["--site", str(folder / "site.toml"), "--record", str(folder / name)]
    return CliRunner().invoke(main, [*options, "--begin", "2026-01-01T10:00:00", *more])


def messages(path: Path) -> list[Message]:
    with Reader(path) as reader:
        return [message for block in reader.blocks() for message in block]


def test_a_scenario_becomes_a_recording(folder: Path) -> None:
    """In order of receipt, with a tick a second and the leak it is about; from the instant that was asked for."""
    done = record(folder, "leak.cdrec", "--scenario", "gas_leak")
    assert (done.exit_code, "390 s" in done.output) == (0, True), done.output
    found = messages(folder / "leak.cdrec")
    times = [message.received_ms for message in found]
    assert times == sorted(times)
    assert times[0] == 1_767_232_800_000
    assert sum(message.topic == TICK for message in found) == 390
    said = [json.loads(m.payload)["data"] for m in found if m.topic == "city/v1/demo/gas_alarm/gas-0042/event"]
    assert max(values["conc_pct_lel"] for values in said) == 60
    assert ("city/v1/demo/gas_alarm/gas-0042/status", b"online") in {(m.topic, m.payload) for m in found[:60]}


def test_the_same_wish_gives_the_same_messages(folder: Path) -> None:
    for name in ("a", "b"):
        assert record(folder, name, "--scenario", "gas_leak", "--lasts", "60").exit_code == 0
    assert messages(folder / "a") == messages(folder / "b")


def test_what_cannot_be_recorded_leaves_nothing(folder: Path) -> None:
    found = record(folder, "dark.cdrec", "--scenario", "dark_street")
    assert (found.exit_code, "the site has no device" in found.output) == (2, True), found.output
    assert not (folder / "dark.cdrec").exists()
    (folder / "there.cdrec").write_text("mine")
    found = record(folder, "there.cdrec", "--lasts", "5")
    assert (found.exit_code, "exists already" in found.output) == (2, True), found.output
    assert (folder / "there.cdrec").read_text() == "mine"


def test_scenarios_are_told_in_json() -> None:
    done = CliRunner().invoke(main, ["--list-scenarios", "--json"])
    told = {each["key"]: each for each in json.loads(done.output)}
    assert sorted(told) == scenario_names()
    leak = told["gas_leak"]
    assert leak["name"] == {"zh": "燃气泄漏", "en": "Gas leak"}
    assert {each["rule"] for each in leak["expects"]} >= {"gas_alarm.conc_pct_lel.high"}
    assert leak["lasts_s"] == 390


def test_nothing_of_it_lies_behind_its_span(folder: Path) -> None:
    """A span is up to its end, as that of an export: so an export of all of it has as many messages."""
    for name, lasts in (("long", "61"), ("short", "60")):
        assert record(folder, name, "--scenario", "gas_leak", "--lasts", lasts).exit_code == 0
    with Reader(folder / "short") as reader:
        end_ms = reader.header.to_ms
        assert reader.header.digests.keys() == {"devices", "limits"}
    long, short = messages(folder / "long"), messages(folder / "short")
    assert any(message.received_ms == end_ms and message.topic != TICK for message in long), "else this shows nothing"
    assert short == [message for message in long if message.received_ms < end_ms]
