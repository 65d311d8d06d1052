"""Lamps that are commanded: what they answer, what they say of themselves, and when they are their own again."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from devices.site import Site
from ingest.alarms.engine import Engine
from ingest.decoding import Decoder, Unregistered
from ingest.records import TICK, Record
from simulators.feed import Feed
from simulators.moment import SimulatedClock
from simulators.report import Message
from simulators.scenario_file import load_scenario
from tests.simulators.city import at_ms, demo_site, readings

NOON, NIGHT = at_ms(12), at_ms(23)
POLE = "pole-0101"
TOPIC = f"city/v1/demo/light_pole/{POLE}/"
STUBBORN = "pole-0201"
SECOND, MINUTE = 1_000, 60_000


@cache
def lit(street: str = "") -> Site:
    """Return the demo site with the lamps of a street, or of the two circuits that are switched here, alone."""
    site = demo_site()
    circuits = {site.devices[pole].circuit for pole in (POLE, STUBBORN)}
    poles = [
        d for d in site.devices.values() if d.kind == "light_pole" and (d.circuit in circuits or d.street == street)
    ]
    names = {pole.id for pole in poles} | {pole.parent for pole in poles}
    return replace(site, devices={name: site.devices[name] for name in sorted(names)}, ways={})


def lamps(begin_ms: int, speed: float = 1.0, site: Site | None = None) -> Feed:
    timing = SimulatedClock(demo_site().timezone, speed, begin_ms)
    return Feed(site or lit(), 1, timing, begin_ms, incidents=False)


def told(city: Feed, now_ms: int, pole: str = POLE, **more: Any) -> None:
    """Send a command as the cockpit does."""
    body = {"v": 1, "command": f"c{now_ms}", "ts": now_ms, "expires": now_ms + 2 * MINUTE, **more}
    city.hear(f"city/v1/demo/light_pole/{pole}/cmd", json.dumps(body).encode(), now_ms)


def answers(messages: list[Message]) -> list[dict[str, Any]]:
    return [json.loads(m.payload) for m in messages if m.topic.endswith("/cmd_ack")]


def levels(messages: list[Message], pole: str = POLE) -> list[tuple[float, float]]:
    """Return (dim_pct, cmd_pct) of each reading of a lamp."""
    mine = [m for m in messages if m.topic == f"city/v1/demo/light_pole/{pole}/telemetry"]
    lamps = [r.values for m in mine for r in readings(m) if r.measurement == "light_pole"]
    return [(float(values["dim_pct"]), float(values["cmd_pct"])) for values in lamps]


@pytest.mark.parametrize("begin_ms", [NOON, NIGHT])
def test_a_lamp_obeys_at_once(begin_ms: int) -> None:
    """The answer and a reading that shows it, within the next window; and every reading after it."""
    city = lamps(begin_ms)
    told(city, begin_ms + 40, dim_pct=35)
    first = city.due(begin_ms, begin_ms + 100)
    assert answers(first) == [{"v": 1, "command": f"c{begin_ms + 40}", "ts": begin_ms + 40, "accepted": True}]
    assert levels(first) == [(35.0, 35.0)]
    assert {m.via for m in first if m.topic.startswith(TOPIC)} == {demo_site().devices[POLE].parent}
    assert set(levels(city.due(begin_ms + 100, begin_ms + 5 * MINUTE))) == {(35.0, 35.0)}


def test_until_the_schedule_comes() -> None:
    """Without an end it holds until the schedule next switches: half light at midnight; given back, at once."""
    city = lamps(NIGHT)
    told(city, NIGHT, dim_pct=0)
    assert set(levels(city.due(NIGHT, NIGHT + 57 * MINUTE))) == {(0.0, 0.0)}
    assert levels(city.due(NIGHT + 57 * MINUTE, NIGHT + 64 * MINUTE))[-1] == (50.0, 50.0)
    told(city, NIGHT + 64 * MINUTE, dim_pct=80)
    told(city, NIGHT + 65 * MINUTE, auto=True)
    found = levels(city.due(NIGHT + 64 * MINUTE, NIGHT + 67 * MINUTE))
    assert (found[0], found[-1]) == ((80.0, 80.0), (50.0, 50.0))


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_until_an_instant(speed: float) -> None:
    """An end is a real instant, however fast the simulated day passes."""
    city = lamps(NOON, speed)
    told(city, NOON, dim_pct=70, until=NOON + 2 * MINUTE)
    assert set(levels(city.due(NOON, NOON + 2 * MINUTE))) == {(70.0, 70.0)}
    assert levels(city.due(NOON + 2 * MINUTE, NOON + 3 * MINUTE)) == [(0.0, 0.0)]


def test_a_fast_day_ends_a_hold_by_its_own_schedule() -> None:
    """At 200 times the speed dusk comes two minutes after noon, and with it the lamp's own light."""
    city = lamps(NOON, 200)
    told(city, NOON, dim_pct=70)
    found = levels(city.due(NOON, NOON + 3 * MINUTE))
    assert (found[0], found[-1]) == ((70.0, 70.0), (100.0, 100.0))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"dim_pct": 101}, "dim_pct"),
        ({"dim_pct": True}, "dim_pct"),
        ({}, "dim_pct"),
        ({"dim_pct": 5, "auto": True}, "dim_pct"),
        ({"dim_pct": 5, "until": "tomorrow"}, "until"),
        ({"dim_pct": 5, "expires": None}, "expires"),
        ({"dim_pct": 5, "expires": NIGHT}, "expired"),
    ],
)
def test_what_a_lamp_refuses(more: dict[str, Any], reason: str) -> None:
    city = lamps(NIGHT)
    told(city, NIGHT, **more)
    found = city.due(NIGHT, NIGHT + MINUTE)
    ((answer),) = answers(found)
    assert answer["accepted"] is False
    assert reason in answer["reason"]
    assert set(levels(found)) == {(100.0, 100.0)}


@pytest.mark.parametrize("payload", [b"", b"off", b"[]", b"{}", b'{"command":7}', b"\xff", b"[" * 100_000])
def test_what_no_lamp_understands(payload: bytes) -> None:
    city = lamps(NIGHT)
    city.hear(f"{TOPIC}cmd", payload, NIGHT)
    city.hear("city/v1/demo/light_pole/nobody/cmd", b'{"command":"x","dim_pct":1}', NIGHT)
    assert answers(city.due(NIGHT, NIGHT + MINUTE)) == []


def test_repeated_and_overtaken() -> None:
    """A command that comes again is answered again and done once; one older than the newest is refused."""
    city = lamps(NIGHT)
    told(city, NIGHT, dim_pct=20)
    told(city, NIGHT + SECOND, dim_pct=60)
    told(city, NIGHT + SECOND, dim_pct=60)
    late = {"v": 1, "command": "late", "ts": NIGHT - SECOND, "expires": NIGHT + MINUTE, "dim_pct": 90}
    city.hear(f"{TOPIC}cmd", json.dumps(late).encode(), NIGHT + 2 * SECOND)
    city.hear(f"{TOPIC}cmd", json.dumps({**late, "ts": NIGHT, "command": f"c{NIGHT}"}).encode(), NIGHT + 3 * SECOND)
    found = city.due(NIGHT, NIGHT + MINUTE)
    assert [answer["accepted"] for answer in answers(found)] == [True, True, True, False, True]
    assert levels(found)[-1] == (60.0, 60.0)


def test_without_commands_nothing_changes() -> None:
    """A lamp that was given back says what one says that was never commanded."""
    plain, told_once = lamps(NIGHT), lamps(NIGHT)
    told(told_once, NIGHT, dim_pct=10, until=NIGHT + SECOND)
    told_once.due(NIGHT, NIGHT + 2 * MINUTE)
    plain.due(NIGHT, NIGHT + 2 * MINUTE)
    after = [each.due(NIGHT + 2 * MINUTE, NIGHT + 4 * MINUTE) for each in (plain, told_once)]
    assert levels(after[0]) == levels(after[1])


def test_stubborn_lamps() -> None:
    """In the scenario some refuse, are deaf, or accept and do nothing; the others obey. The plain city has none."""
    circuit = [d.id for d in demo_site().devices.values() if d.circuit == demo_site().devices[STUBBORN].circuit]
    found: dict[bool, dict[str, str]] = {}
    for stubborn in (False, True):
        city = lamps(NIGHT)
        if stubborn:
            city.start(load_scenario("stubborn_lamps"), NIGHT)
        for pole in circuit:
            told(city, NIGHT + SECOND, pole, dim_pct=30)
        messages = city.due(NIGHT, NIGHT + 2 * MINUTE)
        said = {m.topic.split("/")[4]: json.loads(m.payload) for m in messages if m.topic.endswith("/cmd_ack")}
        found[stubborn] = {pole: fate(said.get(pole), levels(messages, pole)[-1]) for pole in circuit}
    assert set(found[False].values()) == {"obeys"}
    assert set(found[True].values()) == {"obeys", "refuses", "deaf", "disobeys"}


def fate(answer: dict[str, Any] | None, level: tuple[float, float]) -> str:
    if answer is None:
        return "deaf"
    if not answer["accepted"]:
        return "refuses"
    return "obeys" if level == (30.0, 30.0) else "disobeys"


@pytest.mark.parametrize(("begin_ms", "dim_pct"), [(NIGHT, 0), (NIGHT, 45), (NOON, 100), (NOON, 5)])
def test_a_commanded_lamp_raises_nothing(begin_ms: int, dim_pct: int) -> None:
    """A whole circuit off by night, dimmed, on by day: no deviation, no lit rate, no day burner, no circuit fault."""
    site = lit("s01")
    circuit = [d.id for d in site.devices.values() if d.circuit == site.devices[POLE].circuit]
    city = lamps(begin_ms, site=site)
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    raised = []
    for start_ms in range(begin_ms, begin_ms + 15 * MINUTE, 10_000):
        if start_ms == begin_ms + 5 * MINUTE:
            for pole in circuit:
                told(city, start_ms, pole, dim_pct=dim_pct)
        heard = [(m.at_ms, m.topic, m.payload) for m in city.due(start_ms, start_ms + 10_000)]
        heard += [(ms, TICK, b"") for ms in range(start_ms, start_ms + 10_000, 1000)]
        journal = [Record(start_ms + n, *each) for n, each in enumerate(sorted(heard))]
        raised += engine.feed([decoder.outcome(record) for record in journal])
    assert [(t.what, t.point, t.value) for t in raised if t.what not in ("stale", "fresh")] == []
