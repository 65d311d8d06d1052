"""What the oracle says by itself, written down by hand; and that engine and oracle agree, unless one has a fault."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.site import Site
from devices.site_file import load_site
from ingest.alarms import conditions, course, judging
from ingest.alarms.engine import Engine
from ingest.alarms.revisions.revision import Revision, packed
from ingest.decoding import Decoder, Unregistered
from ingest.records import RULES, Record
from ingest.recount.oracle import Oracle
from ingest.recount.state import Memory
from tests.ingest.alarms.collecting import Town
from tests.ingest.alarms.crowd import STREET, crowd, evening
from tests.ingest.alarms.feeding import T0, message, records, tick, ticks
from tests.ingest.alarms.saying import Message, gas, pole
from tests.sites import small_site

GAS = "gas-1/conc_pct_lel.high"


def oracled(site: Site, journal: list[Record]) -> list[tuple[str, str, int, float]]:
    """Return (what, point, level, second of the cause) of what the oracle finds."""
    decoder, oracle = Decoder(site, Unregistered()), Oracle(site, "main", Memory())
    found = [each for record in journal for each in oracle.judge(decoder.outcome(record))]
    return [(each.what, each.point, each.level, (each.at_ms - T0) / 1000) for each in found]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return small_site(tmp_path_factory.mktemp("site"))


def lamp(at_s: float, command: float, current_a: float) -> Message:
    return pole(at_s, cmd_pct=command, dim_pct=100, supply_a=current_a)


# What the oracle itself must say, written down by hand from ALARMS §4: its agreement with the engine alone would prove
# nothing if both read it wrongly.
READINGS: dict[str, tuple[list[Message], list[tuple[str, str, int, float]]]] = {
    "a leak rises, worsens, falls by its deadband and its delay": (
        [gas(0, 1), gas(10, 25), gas(20, 50), gas(30, 45), gas(40, 44.9), gas(100, 44.9), gas(110, 20), gas(111, 19.9),
         gas(170, 19.9), gas(171, 19.9)],
        [("raise", GAS, 1, 10.0), ("change", GAS, 2, 20.0), ("change", GAS, 1, 100.0), ("return", GAS, 0, 171.0)],
    ),
    "a late sample may raise and never clears": (
        [gas(100, 1), gas(110, 60, ts_s=50), gas(120, 60), gas(130, 0, ts_s=60)],
        [("late", GAS, 2, 50.0), ("raise", GAS, 2, 120.0)],
    ),
    "a sample on the other side resets a delay, a gap longer than stale-after does not count": (
        [pole(0, dim_pct=80, cmd_pct=50), pole(200, dim_pct=80, cmd_pct=50), pole(250, dim_pct=50, cmd_pct=50),
         pole(260, dim_pct=80, cmd_pct=50), pole(1000, dim_pct=80, cmd_pct=50), pole(1299, dim_pct=80, cmd_pct=50),
         pole(1300, dim_pct=80, cmd_pct=50)],
        [("raise", "pole-1/dim_pct.deviation", 1, 1300.0)],
    ),
    "what deviates from something sent before, in pieces": (
        [pole(0, dim_pct=80, cmd_pct=80), pole(60, dim_pct=50), pole(200, dim_pct=50), pole(360, dim_pct=50)],
        [("raise", "pole-1/dim_pct.deviation", 1, 360.0)],
    ),
    "five per cent of the lower limit a minute": (
        [gas(second, second / 10) for second in range(0, 70, 10)],
        [("raise", "gas-1/conc_pct_lel.rate", 1, 30.0)],
    ),
    "of a command that cannot be nothing is learned": (
        [lamp(at_s, 4_000, 0.6 if at_s < 420 else 0.06) for at_s in range(0, 1_000, 20)]
        + [lamp(1_000 + at_s, 100, 0.6 if at_s < 420 else 0.06) for at_s in range(0, 740, 20)],
        [("raise", "pole-1/supply_a.current_low", 1, 1_720.0)],
    ),
    "bad quality neither raises nor clears": (
        [gas(0, 60, q="bad"), gas(1, 60), gas(10, 0, q="bad"), gas(200, 0, q="bad")],
        [("raise", GAS, 2, 1.0)],
    ),
    "a delay does not run on over bad samples": (
        [gas(0, 60), gas(10, 0), gas(40, 0, q="bad"), gas(70, 0), gas(129, 0), gas(130, 0)],
        [("raise", GAS, 2, 0.0), ("return", GAS, 0, 130.0)],
    ),
    "a bad sample that comes late does not stop it": (
        [gas(0, 60), gas(10, 0), gas(40, 0, q="bad", ts_s=5), gas(70, 0)],
        [("raise", GAS, 2, 0.0), ("return", GAS, 0, 70.0)],
    ),
    "each passage for itself, and once": (
        [message(n, "bridge_wim", "wim-1", {"pass_id": f"p{n // 2}", "axle_count": 2, "gvw_kg": 27_000},
                 channel="event", id=f"p{n // 2}") for n in range(4)],
        [("passage", f"wim-1/over_pct.overload/p{n}", 3, float(2 * n)) for n in range(2)],
    ),
    "one alarm for one vehicle, however many limits it is over": (
        [message(0, "bridge_wim", "wim-1", {"pass_id": "p", "axle_count": 6, "gvw_kg": 104_000}, channel="event",
                 id="p"),
         message(1, "bridge_wim", "wim-1", {"pass_id": "q", "axle_count": 6, "gvw_kg": 99_000}, channel="event",
                 id="q")],
        [("passage", "wim-1/gvw_kg.hundred_tonnes/p", 1, 0.0), ("passage", "wim-1/over_pct.overload/q", 4, 1.0)],
    ),
    "a drone is missed in the air only": (
        [message(0, "drone", "drone-1", {"mode": 0}), message(60, "drone", "drone-1", {"mode": 5}), *ticks(0, 75),
         message(80, "drone", "drone-1", {"mode": 5})],
        [("raise", "drone-1/no_data", 1, 70.0), ("return", "drone-1/no_data", 0, 80.0)],
    ),
    "the disk of the collector": (
        [tick(1, b'{"own":{"disk_pct":80}}'), tick(2, b'{"own":{"disk_pct":78}}'), tick(3, b'{"own":{"disk_pct":77}}')],
        [("raise", "collector-main/disk_pct.full", 1, 1.0), ("return", "collector-main/disk_pct.full", 0, 3.0)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READINGS)
def test_reading(site: Site, name: str) -> None:
    messages, expected = READINGS[name]
    points = {point for _, point, _, _ in expected}
    points |= {"wim-1/over_pct.overload/p"}
    assert [each for each in oracled(site, records(messages)) if each[1] in points] == expected


def test_however_many_commands_there_are_few_states_are_kept(site: Site) -> None:
    """By both, and they agree: of a lamp that is told anything from -1500 to 1500 %, the ten in which it burns."""
    journal = records([lamp(n, n / 2, 0.06 if n % 9 == 0 else 0.6) for n in range(-3_000, 3_000)])
    found, expected = both(site, journal)
    assert found == expected
    memory = Memory()
    decoder, oracle = Decoder(site, Unregistered()), Oracle(site, "main", memory)
    for record in journal:
        oracle.judge(decoder.outcome(record))
    (window,) = (each for key, each in memory.devices["pole-1"].windows.items() if key.startswith("supply_a"))
    assert sorted(window[::3]) == [float(state) for state in range(1, 11)]


def rows(found: list[Any]) -> Counter[tuple[Any, ...]]:
    return Counter(
        (each.position, each.what, each.point, each.rule, each.level, each.at_ms, each.now_ms) for each in found
    )


def both(city: Site, journal: list[Record]) -> tuple[Counter[tuple[Any, ...]], Counter[tuple[Any, ...]]]:
    """Return what the engine finds in a journal, and what the oracle does."""
    decoder, judging = Decoder(city, Unregistered()), Engine(city)
    told = judging.feed([decoder.outcome(record) for record in journal])
    decoder, oracle = Decoder(city, Unregistered()), Oracle(city, "main", Memory())
    expected = [each for record in journal for each in oracle.judge(decoder.outcome(record))]
    return rows([each for each in told if each.what in ("raise", "change", "return", "passage", "late")]), rows(
        expected
    )


@pytest.fixture(scope="module")
def city() -> Site:
    return load_site(None)


def test_they_agree_on_an_evening(tmp_path: Path) -> None:
    """What is learned, averaged, summed up over circuits and streets, dated or fenced: with a night of its own."""
    street = small_site(tmp_path, tail=STREET)
    # From eight in the evening on, and over midnight.
    found, expected = both(street, evening(1, 12 * 3_600, 3_000))
    more, expected_more = both(street, evening(2, 15 * 3_600, 4_000))
    assert (found, more) == (expected, expected_more)
    judged = {rule for _, _, _, rule, *_ in [*found, *more]}
    assert judged >= {
        "light_pole.supply_a.current_low", "light_pole.supply_a.current_high", "light_pole.noise_dba.high",
        "light_pole.lit_rate_branch", "light_pole.circuit_fault", "light_pole.feeder_leakage", "gas_alarm.expires",
        "light_pole.dim_pct.deviation",
    }  # fmt: skip
    assert any(rule.startswith("drone.lat") or "fence" in rule for rule in judged), judged


@pytest.mark.parametrize("seed", range(3))
def test_engine_and_oracle_agree_on_a_crowd(city: Site, seed: int) -> None:
    """Every rule of the demo city, on devices that say anything: the same findings, at the same record and instant."""
    found, expected = both(city, crowd(city, seed, 2_500))
    assert found == expected
    assert len({rule for _, _, _, rule, *_ in found}) > 30
    # Nothing of it is a matter of course.
    assert {what for _, what, *_ in found} == {"raise", "change", "return", "passage", "late"}


def test_a_changed_rule_and_the_open_alarms_under_it(tmp_path: Path) -> None:
    """At the record of a revision both go over to it; what is open stays with the numbers it was raised by."""
    plain = small_site(tmp_path)
    stricter = Revision(1, {"gas_alarm": {"conc_pct_lel": {"high": {"levels": [10, 20]}}}})
    other = Revision(2, {"gas_alarm": {"conc_ppm": {"co": {"levels": [10, 100]}}}})
    chance = random.Random(5)
    journal = records(
        [
            message(at_s, "gas_alarm", f"gas-{at_s % 2 + 1}", {"conc_pct_lel": chance.choice([0, 4, 12, 22, 27, 55]),
                    "conc_ppm": chance.choice([0, 30, 120, 170])}
                    if at_s % 3 else {"gas": chance.choice(["CH4", "CO", "O2"]),
                    "conc_pct_vol": chance.choice([0, 0.02, 0.6, 1.3, 2.6]), "temp_c": 20})
            for at_s in range(0, 3_000, 7)
        ]
    )  # fmt: skip
    for place, revision in ((100, stricter), (200, other), (300, stricter), (350, Revision(3))):
        before = journal[place - 1]
        journal[place - 1] = Record(before.position, before.received_ms, RULES, packed(revision))
    found, expected = both(plain, journal)
    assert found == expected
    assert len(expected) > 50


def co(at_s: float, value: float) -> Message:
    return message(at_s, "gas_alarm", "gas-1", {"conc_ppm": value})


@pytest.mark.parametrize("restart", [False, True])
def test_a_rule_edited_while_its_alarm_is_open(tmp_path: Path, restart: bool) -> None:
    """The edit itself returns nothing, also over a restart: the alarm ends by the numbers it was raised by."""
    town = Town(tmp_path)
    strict = packed(Revision(1, {"gas_alarm": {"conc_ppm": {"co": {"levels": [10, 100]}}}}))
    town.receive([(-1, RULES, strict), co(0, 12), tick(1), (2, RULES, packed(Revision(2))), tick(3)])
    if restart:
        town.judge()
    town.receive([co(10, 12), co(20, 5), co(79, 5), co(80, 5), co(90, 12), co(100, 24)])
    town.judge()
    about = [row for row in town.audit() if "conc_ppm" in row["point"]]
    lines = [(row["action"], row["level"], (row["at"] - T0) // 1000) for row in about]
    assert lines == [("raise", 1, 0), ("return", 0, 80), ("raise", 1, 100)]
    assert town.recount()[1]["differences"] == []


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "none": lambda patch: None,
    "equality does not raise": lambda patch: patch.setattr(
        conditions, "_side", changed_side(lambda limit, value: replace(limit, deadband=limit.deadband), 1e-9)
    ),
    "the deadband is forgotten": lambda patch: patch.setattr(
        conditions, "_side", changed_side(lambda limit, value: replace(limit, deadband=0.0), 0.0)
    ),
    "silence is not waited for": lambda patch: patch.setattr(course, "_DEAF_MS", 10**9),
    "late samples raise nothing": lambda patch: patch.setattr(judging, "judge", without_late),
}


def changed_side(change: Callable[[Any, Any], Any], shift: float) -> Callable[..., str]:
    side = conditions._side

    def other(limit: Any, level: Any, value: float | None) -> str:
        return side(change(limit, value), level, None if value is None else value - shift)

    return other


def without_late(condition: Any, limit: Any, value: Any, at_ms: int, stale_after_ms: int) -> None:
    if not (condition.last_ms and at_ms < condition.last_ms):
        conditions.judge(condition, limit, value, at_ms, stale_after_ms)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_engine_with_a_fault_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Whatever the engine does wrong shows, because nothing of it is shared."""
    town = Town(tmp_path)
    hello = message(0, "gateway", "gw-1", {"uptime_s": 1})
    town.receive([hello, *ticks(0, 3), *ticks(103, 106), gas(103, 24), gas(104, 25), gas(104.5, 60, ts_s=103.2),
                  gas(105, 23), gas(170, 23), gas(175, 0), gas(240, 0), *ticks(170, 250)])  # fmt: skip
    FAULTS[fault](monkeypatch)
    town.judge()
    monkeypatch.undo()
    code, found = town.recount()
    assert code == (fault != "none"), found
