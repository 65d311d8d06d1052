"""The recount: the oracle agrees with the engine, and whatever is missing or too much on record is named."""

import json
import random
import shutil
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.resetting import Reset, reset
from ingest.alarms.tables import audit, occurrence
from ingest.checkpoint import Checkpoint
from ingest.errors import Refused
from ingest.places import Places
from ingest.quarantine import Quarantined
from ingest.recount.beginnings import WARM_UP_MS
from ingest.recount.nightly import one_day
from tests.ingest.alarms.collecting import Town, instant
from tests.ingest.alarms.feeding import T0, message, ticks
from tests.ingest.alarms.saying import Message, gas

OFFICER, LEADER = Person("officer", ("officer",)), Person("leader", ("leader",))


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
    for path in list((town.places.data / "journal").glob("2026010100.db*")):
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


def test_what_only_the_store_refused_was_judged_and_is_expected(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.receive([gas(0, 1), gas(1, 60), *ticks(2, 4)])
    town.judge()
    checkpoint = Checkpoint(Places(town.folder / "var").checkpoint)
    refused = Quarantined(2, T0, "refused", "gas-1", "gas_alarm", "type conflict", "gas_alarm", "gas-1")
    checkpoint.save_stored(checkpoint.load_stored(), [refused])
    checkpoint.close()
    code, found = town.recount(-60, 600)
    assert (code, found["phantom"], found["not_covered"]) == (0, 0, [])
    assert found["expected"] > 0
