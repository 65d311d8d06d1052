"""The engine on a journal: thresholds, silence, passages, late data, and the same answer however it is fed."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.site import Site
from ingest.alarms.engine import Engine
from ingest.decoding import Decoder, Unregistered
from ingest.records import AWAY, Record
from tests.ingest.alarms.feeding import message, records, status, story, tick, ticks, transitions
from tests.sites import small_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Give the small site."""
    return small_site(tmp_path_factory.mktemp("site"))


def gas(at_s: float, value: float, **more: object) -> tuple[float, str, bytes]:
    """Return a reading of the gas alarm gas-1."""
    return message(at_s, "gas_alarm", "gas-1", {"conc_pct_lel": value}, **more)


GAS = "gas-1/conc_pct_lel.high"


def test_gas_leak(site: Site) -> None:
    """Raise, worsen, recover: one point, its levels in order, at the device's own times."""
    journal = records(
        [gas(0, 1), gas(10, 30), gas(20, 55), gas(30, 46), gas(40, 44), gas(100, 44), gas(110, 3), gas(170, 3)]
    )
    assert story(transitions(site, journal)) == [
        ("raise", GAS, 1, 10.0),
        ("change", GAS, 2, 20.0),
        ("raise", "gas-1/conc_pct_lel.rate", 1, 30.0),
        ("change", GAS, 1, 100.0),
        ("return", GAS, 0, 170.0),
        ("return", "gas-1/conc_pct_lel.rate", 0, 170.0),
    ]


def test_the_state_alone_raises(site: Site) -> None:
    """A detector that sends its state and no concentration raises by the state, latched."""
    (found,) = [
        t
        for t in transitions(site, records([message(0, "gas_alarm", "gas-1", {"state": 2, "conc_pct_lel": 0})]))
        if t.what == "raise"
    ]
    assert (found.point, found.level, found.priority, found.latch) == ("gas-1/state.state", 2, "P1", True)


def test_over_range_is_an_alarm_not_a_fault(site: Site) -> None:
    """A value beyond what is plausible still raises, and says that it is uncertain."""
    (found,) = [t for t in transitions(site, records([gas(0, 130)])) if t.what == "raise"]
    assert (found.level, found.quality) == (2, "uncertain")


def test_bad_quality_neither_raises_nor_clears(site: Site) -> None:
    """A reading its device calls bad changes no condition."""
    journal = records([gas(0, 60, q="bad"), gas(1, 60), gas(10, 0, q="bad"), gas(200, 0, q="bad")])
    found = [each for each in story(transitions(site, journal)) if each[1] == GAS]
    assert found == [("raise", GAS, 2, 1.0)]


def test_late_raise(site: Site) -> None:
    """A high reading that arrives after newer quiet ones becomes known as over."""
    journal = records([gas(100, 1), gas(110, 60, ts_s=50)])
    assert story(transitions(site, journal)) == [("late", GAS, 2, 50.0)]


@pytest.mark.parametrize(
    ("axles", "gross", "rules"),
    [
        (2, 19_799, []),
        (2, 19_800, [("over_pct.overload", "P4")]),
        (2, 27_000, [("over_pct.overload", "P2")]),
        (6, 98_000, [("over_pct.overload", "P1")]),
        (6, 99_999, [("over_pct.overload", "P1")]),
        (6, 100_000, [("gvw_kg.hundred_tonnes", "P1")]),
    ],
)
def test_passages(site: Site, axles: int, gross: float, rules: list[tuple[str, str]]) -> None:
    """Each passage is one occurrence of its own, the worst that its overload reaches."""
    journal = records(
        [
            message(
                n,
                "bridge_wim",
                "wim-1",
                {"pass_id": f"p{n}", "axle_count": axles, "gvw_kg": gross},
                channel="event",
                id=n,
            )
            for n in range(2)
        ]
    )
    found = [(t.what, t.point, t.priority) for t in transitions(site, journal) if t.what == "passage"]
    assert found == [("passage", f"wim-1/{rule}/p{n}", priority) for n in range(2) for rule, priority in rules]


def test_silence_is_armed_before_the_first_message(site: Site) -> None:
    """A registered gateway that never speaks is missed after its time, and returns when it speaks."""
    hello = message(130, "gateway", "gw-1", {"uptime_s": 1})
    found = [s for s in story(transitions(site, records([*ticks(0, 140), hello]))) if s[1].startswith("gw-1")]
    assert found == [("raise", "gw-1/no_data", 1, 100.0), ("return", "gw-1/no_data", 0, 130.0)]


def test_silence_only_while_in_flight(site: Site) -> None:
    """A drone on the ground may be silent; one in the air may not."""

    def drone(at_s: float, mode: int) -> tuple[float, str, bytes]:
        return message(at_s, "drone", "drone-1", {"mode": mode, "batt_pct": 80})

    journal = records([drone(0, 0), drone(60, 5), drone(61, 5), *ticks(0, 90), drone(80, 5)])
    found = [s for s in story(transitions(site, journal)) if s[1].startswith("drone-1")]
    assert found == [("raise", "drone-1/no_data", 1, 71.0), ("return", "drone-1/no_data", 0, 80.0)]


def test_nobody_is_silent_while_the_collector_was_down(site: Site) -> None:
    """After an hour without ticks devices get their full time again before they are missed."""
    hello = message(0, "gateway", "gw-1", {"uptime_s": 1})
    found = [s for s in story(transitions(site, records([hello, *ticks(0, 5), *ticks(3600, 3720)]))) if "gw-1" in s[1]]
    assert found == [("raise", "gw-1/no_data", 1, 3700.0)]


def test_nobody_is_silent_while_the_broker_was_away(site: Site) -> None:
    """Ticks that say the broker is away do not count towards silence."""
    hello = message(0, "gateway", "gw-1", {"uptime_s": 1})
    away = [tick(second, AWAY) for second in range(10, 500)]
    found = [s for s in story(transitions(site, records([hello, *away, *ticks(500, 610)]))) if "gw-1" in s[1]]
    assert found == [("raise", "gw-1/no_data", 1, 599.0)]


def test_silence_clears_nothing(site: Site) -> None:
    """A gas alarm that falls silent keeps its alarm and is marked stale."""
    found = transitions(site, records([gas(0, 60), *ticks(0, 1900)]))
    assert ("return", GAS) not in [(t.what, t.point) for t in found]
    assert [(t.what, t.quality) for t in found if t.point == "gas-1"] == [("stale", "stale")]


def test_last_will_marks_stale_at_once(site: Site) -> None:
    """An offline status makes the device's open alarms stale without clearing them."""
    found = transitions(site, records([gas(0, 60), status(5, "gas_alarm", "gas-1", "offline")]))
    assert [(t.what, t.point) for t in found] == [("raise", GAS), ("stale", "gas-1")]


def _city_hour(seed: int) -> list[Record]:
    chance = random.Random(seed)
    found = [*ticks(0, 600)]
    for at_s in range(0, 600, 3):
        found.append(gas(at_s + chance.random(), chance.choice([0, 10, 22, 26, 40, 49, 52, 70])))
        found.append(gas(at_s + chance.random(), chance.choice([0, 30, 60]), ts_s=at_s - chance.randint(0, 30)))
        mode, battery = chance.choice([0, 5]), chance.randint(5, 100)
        found.append(
            message(at_s, "drone", "drone-1", {"mode": mode, "batt_pct": battery, "wind_mps": chance.randint(0, 15)})
        )
        passage = {"pass_id": f"p{at_s}", "axle_count": 2, "gvw_kg": chance.randint(5_000, 40_000)}
        found.append(message(at_s, "bridge_wim", "wim-1", passage, channel="event", id=f"p{at_s}"))
    found.extend(found[::7])
    return records(found)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.lists(st.integers(0, 1500), max_size=12))
def test_batches_do_not_matter(site: Site, seed: int, splits: list[int]) -> None:
    """However the journal is cut into batches, the transitions are the same to the last field."""
    journal = _city_hour(seed)
    cuts = [cut for cut in splits if cut <= len(journal)]
    assert transitions(site, journal, cuts) == transitions(site, journal)


@pytest.mark.parametrize("cut", [1, 250, 700])
def test_restart_changes_nothing(site: Site, cut: int) -> None:
    """An engine restored from its saved states goes on as if it had never stopped."""
    journal = _city_hour(3)
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    before = engine.feed([decoder.outcome(record) for record in journal[:cut]])
    saved = engine.memory.encoded([*engine.memory.devices, *engine.memory.groups])
    again = Engine(site)
    again.restore(saved, engine.memory.now_ms, engine.memory.listening_ms)
    after = again.feed([decoder.outcome(record) for record in journal[cut:]])
    assert [*before, *after] == transitions(site, journal)


def test_toy_kind_is_judged(tmp_path: Path) -> None:
    """A kind added as one file raises its alarm with nothing else touched."""
    folder = tmp_path / "kinds"
    folder.mkdir()
    (folder / "waste_point.py").write_text(
        "from devices.kind import *\n"
        "FULL = Limit('full', '满', 'full', (Level(1, 90, 'P4'),), 'test', 'C', deadband=5)\n"
        "FILL = number('fill_pct', '满溢度', 'Fill', '%', 0, 100, limits=(FULL,))\n"
        "POINT = Measurement('waste_point', '投放点', 'Point', ('telemetry',), (FILL,))\n"
        "KIND = Kind('waste_point', '投放点', 'Waste point', 'test', 60, 300, (POINT,), (), 'fill_pct')\n",
        encoding="utf-8",
    )
    site = small_site(tmp_path, head='kinds = "kinds"')
    journal = records([message(0, "waste_point", "wp-1", {"fill_pct": 95})])
    assert story(transitions(site, journal)) == [("raise", "wp-1/fill_pct.full", 1, 0.0)]


def test_where_a_device_was_last(site: Site) -> None:
    """The newest position that may be trusted; a drone's finding without its spot is there."""
    decoder, engine = Decoder(site, Unregistered()), Engine(site)

    def after(at_s: int, lat: float, **more: Any) -> tuple[float, float] | None:
        sent = message(at_s, "drone", "drone-1", {"mode": 5, "lat": lat, "lon": 120.15}, **more)
        engine.feed([decoder.outcome(record) for record in records([sent])])
        return engine.memory.position_of("drone-1")

    assert engine.memory.position_of("drone-1") is None
    assert after(0, 30.1) == (30.1, 120.15)
    assert after(10, 30.2) == (30.2, 120.15)
    assert after(20, 30.15, ts_s=5) == (30.2, 120.15)
    assert after(30, 30.3, q="bad") is None
