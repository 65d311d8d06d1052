"""The recount: the oracle agrees with the engine, and whatever is missing or too much on record is named."""

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from devices.site import Site
from devices.site_file import load_site
from ingest.alarms import conditions, engine, judging
from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.resetting import Reset, reset
from ingest.alarms.engine import Engine
from ingest.alarms.revisions.revision import Revision, packed
from ingest.alarms.tables import audit, occurrence
from ingest.checkpoint import Checkpoint
from ingest.decoding import Decoder, Unregistered
from ingest.errors import Refused
from ingest.journal import RULES, Record
from ingest.places import Places
from ingest.quarantine import Quarantined
from ingest.recount.beginnings import WARM_UP_MS
from ingest.recount.nightly import one_day
from ingest.recount.oracle import Oracle
from ingest.recount.state import Memory
from tests.ingest.alarms.collecting import Town, instant
from tests.ingest.alarms.crowd import STREET, crowd, evening
from tests.ingest.alarms.feeding import T0, message, records, tick, ticks
from tests.sites import small_site

OFFICER, LEADER = Person("officer", ("officer",)), Person("leader", ("leader",))
GAS = "gas-1/conc_pct_lel.high"
Message = tuple[float, str, bytes]


def gas(at_s: float, value: float, device: str = "gas-1", **more: Any) -> Message:
    return message(at_s, "gas_alarm", device, {"conc_pct_lel": value}, **more)


def pole(at_s: float, **data: Any) -> Message:
    return message(at_s, "light_pole", "pole-1", data)


def oracled(site: Site, journal: list[Record]) -> list[tuple[str, str, int, float]]:
    """Return (what, point, level, second of the cause) of what the oracle finds."""
    decoder, oracle = Decoder(site, Unregistered()), Oracle(site, "main", Memory())
    found = [each for record in journal for each in oracle.judge(decoder.outcome(record))]
    return [(each.what, each.point, each.level, (each.at_ms - T0) / 1000) for each in found]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return small_site(tmp_path_factory.mktemp("site"))


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
    "bad quality neither raises nor clears": (
        [gas(0, 60, q="bad"), gas(1, 60), gas(10, 0, q="bad"), gas(200, 0, q="bad")],
        [("raise", GAS, 2, 1.0)],
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


def worked(town: Town, seed: int = 3) -> list[Message]:
    """Let a collector work for ten minutes in six pieces, and officers act in between."""
    chance = random.Random(seed)
    found: list[Message] = [*ticks(0, 600)]
    for at_s in range(0, 600, 3):
        found.append(gas(at_s + chance.random(), chance.choice([0, 10, 22, 26, 40, 49, 52, 70])))
        found.append(gas(at_s + chance.random(), chance.choice([0, 30, 60]), "gas-2", ts_s=at_s - chance.randrange(30)))
        passing = {"pass_id": f"p{at_s % 60}", "axle_count": 2, "gvw_kg": chance.randrange(5_000, 40_000)}
        found.append(message(at_s, "bridge_wim", "wim-1", passing, channel="event", id=f"{at_s}"))
        found.append(
            message(at_s, "drone", "drone-1", {"mode": chance.choice([0, 5]), "batt_pct": chance.randrange(40)})
        )
    found.sort(key=lambda each: each[0])
    for piece in range(6):
        town.receive([each for each in found if piece * 100 <= each[0] < piece * 100 + 100])
        town.judge()
        acted(town, piece, chance)
    return found


def acted(town: Town, piece: int, chance: random.Random) -> None:
    database = town.database()
    with database.read() as connection:
        standing = connection.execute(
            sa.select(occurrence).where(occurrence.c.closed_at.is_(None)).order_by(occurrence.c.id)
        ).mappings().all()  # fmt: skip
    for number, row in enumerate(standing):
        at_ms, key = T0 + piece * 100_000 + 100_000 + number, f"{piece}-{number}"
        if chance.random() < 0.7:
            acknowledge(database, Acknowledgement(row["id"], row["level_peak"], key), OFFICER, at_ms)
            try:
                reset(database, Reset(row["id"], "looked at", f"{key}-reset"), LEADER, at_ms)
            except Refused:
                continue
    database.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Town:
    town = Town(tmp_path_factory.mktemp("town"))
    worked(town)
    return town


@pytest.fixture
def town(original: Town, tmp_path: Path) -> Town:
    """Give a copy of the town in which a collector has worked and officers have acted."""
    shutil.copytree(original.folder, tmp_path / "town")
    return Town(tmp_path / "town")


def test_an_honest_record_is_whole(town: Town) -> None:
    code, found = town.recount()
    assert (code, found["missing"], found["phantom"], found["not_covered"]) == (0, 0, 0, [])
    assert found["expected"] > 40
    assert town.say("--from", instant(0), "--to", instant(600))[1].splitlines()[-1] == "漏 0 / 多 0"


@pytest.mark.parametrize("what", ["raise", "change", "return", "passage"])
def test_what_was_taken_away_is_named(town: Town, what: str) -> None:
    """Of each kind of line one is removed: it is missing, with its position, device, rule and instant."""
    database = town.database()
    with database.read() as connection:
        query = sa.select(audit, occurrence.c.device).join(occurrence, occurrence.c.id == audit.c.occurrence)
        lost = connection.execute(query.where(audit.c.action == what).order_by(audit.c.seq.desc())).mappings().first()
    database.close()
    assert lost is not None
    town.change(audit.delete().where(audit.c.seq == lost["seq"]))
    code, found = town.recount()
    (named,) = found["differences"]
    # The occurrence, too, is not what is left of its record, or there is nothing left of it.
    (altered,) = found["altered"]
    assert (code, found["missing"], found["phantom"] + found["changed"]) == (1, 1, 1)
    assert altered["occurrence"] == lost["occurrence"]
    assert (named["verdict"], named["position"], named["device"], named["rule"], named["what"], named["level"]) == (
        "missing", lost["position"], lost["device"], lost["rule"], what, lost["level"],
    )  # fmt: skip
    code, said = town.say("--from", instant(-60), "--to", instant(600))
    assert code == 1
    assert said.splitlines()[-1].startswith("漏 1 / 多 ")
    (line,) = [line for line in said.splitlines() if line.startswith("漏 2")]
    assert f"position {lost['position']} device {lost['device']} rule {lost['rule']}" in line


def test_what_nobody_sent_is_named(town: Town) -> None:
    """An alarm that no message explains is a phantom; one with another level is both."""
    town.change(audit.update().where(audit.c.seq == 3).values(position=audit.c.position + 1))
    code, found = town.recount()
    assert (code, found["missing"], found["phantom"]) == (1, 1, 1)
    assert {each["verdict"] for each in found["differences"]} == {"missing", "phantom"}


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "none": lambda patch: None,
    "equality does not raise": lambda patch: patch.setattr(
        conditions, "_side", changed_side(lambda limit, value: replace(limit, deadband=limit.deadband), 1e-9)
    ),
    "the deadband is forgotten": lambda patch: patch.setattr(
        conditions, "_side", changed_side(lambda limit, value: replace(limit, deadband=0.0), 0.0)
    ),
    "silence is not waited for": lambda patch: patch.setattr(engine, "_DEAF_MS", 10**9),
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


def test_a_span_in_the_middle(town: Town) -> None:
    """What stood before the span is known from before; what lies outside of it is not counted."""
    whole = town.recount()[1]
    parts = [town.recount(start, start + 200)[1] for start in (0, 200, 400)]
    assert [part["missing"] + part["phantom"] for part in parts] == [0, 0, 0]
    assert sum(part["expected"] for part in parts) == whole["expected"]


def test_a_day_begins_where_the_last_one_ended(town: Town) -> None:
    """The nightly recount keeps its end; without the journal of before the next one still knows what stood."""
    day = 86_400
    town.receive([*ticks(day, day + 60), gas(day + 5, 1), gas(day + 7, 70, "gas-2")])
    town.judge()
    first = one_day(town.site, town.places, None, date(2026, 1, 1), T0)
    for path in sorted((town.places.data / "journal").glob("*"))[:3]:
        path.unlink()
    second = one_day(town.site, town.places, None, date(2026, 1, 2), T0)
    assert [(each["missing"], each["phantom"]) for each in (first, second)] == [(0, 0), (0, 0)]
    assert first["expected"] > 40
    assert second["expected"] > 0
    assert second["how"].startswith("goes on from the recount that ended")
    assert json.loads((town.places.data / "recount" / "result.json").read_text())["day"] == "2026-01-02"


def test_without_the_beginning_the_record_is_believed_and_that_is_said(town: Town) -> None:
    """Where the journal's beginning is gone, what stood open is taken over, and what cannot be known is not judged."""
    later = 7_200
    warm = later + WARM_UP_MS // 1000
    town.receive([*ticks(later, later + 5), gas(later + 3, 70), gas(later + 4, 70, "gas-2"), *ticks(warm, warm + 99)])
    town.receive([gas(warm + 100, 0), gas(warm + 200, 0), gas(warm + 300, 65), gas(warm + 310, 65, "gas-2")])
    town.judge()
    for path in sorted((town.places.data / "journal").glob("2026010100.db*")):
        path.unlink()
    code, found = town.recount()
    assert (code, found["missing"], found["phantom"]) == (0, 0, 0)
    assert "is taken from the record" in found["how"]
    assert found["expected"] > 0
    assert any(each.startswith("light_pole.supply_a.current_low: remembers") for each in found["not_covered"])
    assert found["not_covered"][-1] == "silence of devices that were not heard since the beginning"
    code, said = town.say("--from", instant(0), "--to", instant(100_000))
    assert "not covered" in said.splitlines()[-1]


def test_other_numbers_in_the_site_file_are_not_called_a_difference(town: Town) -> None:
    """A rule that was changed behind the record is not judged by its new numbers; it is said that it is not judged."""
    text = (town.folder / "site.toml").read_text()
    (town.folder / "site.toml").write_text(
        f"{text}\n[limits.gas_alarm]\nconc_pct_lel = {{high = {{levels = [20, 40]}}}}\n"
    )
    code, found = town.recount()
    assert (code, found["missing"], found["phantom"]) == (0, 0, 0)
    sentence, unranked = found["not_covered"]
    assert sentence.startswith("gas_alarm.conc_pct_lel.high: the record was made by version")
    assert unranked.startswith("the priority of ")


def test_a_rule_that_is_no_longer_in_force_is_named(town: Town) -> None:
    town.change(audit.update().where(audit.c.rule == "drone.batt_pct.low").values(rule="drone.batt_pct.gone"))
    town.change(occurrence.update().where(occurrence.c.rule == "drone.batt_pct.low").values(rule="drone.batt_pct.gone"))
    _, found = town.recount()
    assert any(each.startswith("drone.batt_pct.gone: not in force now") for each in found["not_covered"])


def test_up_to_where_the_collector_has_judged(town: Town) -> None:
    """What waits in the journal is not missing yet."""
    passing = {"pass_id": "late one", "axle_count": 2, "gvw_kg": 40_000}
    town.receive([message(700, "bridge_wim", "wim-1", passing, channel="event", id=1), *ticks(700, 710)])
    code, found = town.recount()
    assert (code, found["missing"]) == (0, 0)
    town.judge()
    assert town.recount()[1]["expected"] > found["expected"]


def test_what_was_quarantined_then_is_not_expected_now(tmp_path: Path) -> None:
    """A message that could not be read when it came raised nothing; that it can be read now changes no history."""
    town = Town(tmp_path)
    town.receive([gas(0, 1), gas(1, 60), *ticks(2, 4)])
    town.judge()
    checkpoint = Checkpoint(Places(town.folder / "var").checkpoint)
    saved = checkpoint.load()
    unread = Quarantined(2, T0, "type", "gas-1", "t", "could not be read", "gas_alarm", "gas-1")
    checkpoint.save(saved.position, saved.now_ms, saved.listening_ms, saved.ledger, {}, saved.unregistered, [unread])
    checkpoint.close()
    town.change(audit.delete())
    town.change(occurrence.delete())
    code, found = town.recount(-60, 600)
    assert (code, found["expected"]) == (0, 0)
    assert found["not_covered"] == ["1 messages that could not be read when they came, and can be now"]
