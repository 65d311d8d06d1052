"""The evidence of alarms of every make: passages, circuits, silences, clocks, foreign devices, changed rules."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cockpit.texts import texts
from ingest.alarms.revisions.revision import Change, Revision
from ingest.alarms.revisions.tables import rule_revision
from ingest.alarms.rules import rule_book
from ingest.alarms.tables import occurrence
from tests.cockpit.evidence_reading import Files, Reading, lines, table, unpacked
from tests.cockpit.evidence_scene import RULE, Scene
from tests.ingest.messages import T_MS, gas, hj212, native, passage


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Scene]:
    """Give a city of its own for one test."""
    found = Scene(tmp_path)
    yield found
    found.close()


def of_rule(scene: Scene, rule: str) -> Files:
    found = unpacked(scene.pack(scene.row(rule)["id"]))
    for language in ("zh", "en"):
        assert "<svg" in found[f"evidence.{language}.html"].decode() or "readings.csv" not in found
    return found


def test_the_evidence_of_a_passage(other: Scene) -> None:
    other.hear(0, passage("wim-1", "p1", T_MS, 40_000))
    other.hear(5, passage("wim-1", "p2", T_MS + 5_000, 10_000))
    found = of_rule(other, "bridge_wim.over_pct.overload")
    rows = table(found["readings.csv"])
    assert next(row["value"] for row in rows if row["of"] == "own") == "122.22"
    assert {row["field"] for row in rows} >= {"over_pct", "gvw_kg", "axle_count"}
    assert [json.loads(each["payload"])["id"] for each in lines(found["messages.jsonl"])] == ["p1", "p2"]


def test_the_evidence_of_a_circuit_is_that_of_its_poles(other: Scene) -> None:
    for n in range(4):
        for pole in ("pole-7", "pole-8"):
            other.hear(n * 40, native("light_pole", pole, {"leak_ma": 60.0}, ts=T_MS + n * 40_000, seq=n))
    found = of_rule(other, "light_pole.feeder_leakage")
    rows = table(found["readings.csv"])
    assert {(row["device"], row["field"], row["of"]) for row in rows} == {
        ("pole-7", "leak_ma", "member"),
        ("pole-8", "leak_ma", "member"),
    }
    assert {each["topic"].split("/")[4] for each in lines(found["messages.jsonl"])} == {"pole-7", "pole-8"}


def test_the_evidence_of_a_silence_is_what_was_said_before_it(other: Scene) -> None:
    other.hear(0, native("drone_dock", "dock-1", {"rain": 0, "wind_mps": 3.5, "cover": 0}, ts=T_MS, seq=1))
    for second in range(1, 400, 10):
        other.hear(second)
    found = of_rule(other, "drone_dock.no_data")
    assert len(lines(found["messages.jsonl"])) == 1
    (rule,) = json.loads(found["rules.json"])
    assert rule["numbers"]["levels"] == [{"level": 1, "value": 300, "priority": "P3"}]


def test_an_alarm_of_a_clock_has_a_rule_without_numbers(other: Scene) -> None:
    other.hear(0, gas("gas-1", 1.0, ts=T_MS + 86_400_000, seq=1))
    found = of_rule(other, "gas_alarm.clock")
    (rule,) = json.loads(found["rules.json"])
    assert rule["numbers"] == {}
    assert texts("en")("pack.everywhere") in Reading(found["evidence.en.html"].decode()).words


def test_a_foreign_device_is_found_by_its_number(other: Scene) -> None:
    """Of other formats the number of the device is in the topic or in the message, and not as part of another."""
    other.hear(0, native("light_pole", "pole-1", {"leak_ma": 60.0}, ts=T_MS, seq=1))
    other.hear(1, hj212("MN0001", "a34004-Rtd=21.5,a34004-Flag=N"), hj212("MN00012", "a34004-Rtd=9.5,a34004-Flag=N"))
    found = of_rule(other, "light_pole.leak_ma.leakage")
    assert [each["topic"] for each in lines(found["messages.jsonl"])] == [
        "city/v1/demo/light_pole/pole-1/telemetry",
        "hj212/MN0001/up",
    ]


def test_a_rule_that_is_not_known_any_more_is_told(other: Scene) -> None:
    other.leak()
    with other.database.write() as connection:
        connection.execute(occurrence.update().values(rule_version="0ther"))
    found = unpacked(other.pack())
    first = json.loads(found["rules.json"])[0]
    assert (first["version"], first["numbers"]) == ("0ther", None)
    say = texts("en")
    words = Reading(found["evidence.en.html"].decode()).words
    assert say("pack.gone_rule", rule="gas_alarm.conc_pct_lel.high", version="0ther") in words


def test_a_revision_that_judged_is_told_with_its_author(other: Scene) -> None:
    """Drafted by one, approved by another: the pack says who, and with which numbers it judged."""
    stricter = {"gas_alarm": {"conc_pct_lel": {"high": {"levels": [10, 20], "priorities": ["P2", "P1"]}}}}
    document = msgspec.json.encode(Revision(1, stricter)).decode()
    changes = msgspec.json.encode(Change(limits=stricter)).decode()
    row = {
        "number": 1, "author": "engineer", "author_role": "engineer", "created_at": 0, "reason": "smelt too late",
        "source": "GB/T 50493", "edition": "2019", "grade": "B", "changes": changes, "sequence": 1,
        "document": document, "approved_by": "leader", "approved_role": "leader", "approved_at": 0, "effective_at": 0,
    }  # fmt: skip
    with other.database.write() as connection:
        connection.execute(rule_revision.insert().values(**row))
    other.leak()
    version = rule_book(Revision(1, stricter).over(other.site)).by_id[RULE].version
    with other.database.write() as connection:
        connection.execute(occurrence.update().where(occurrence.c.id == other.alarm).values(rule_version=version))
    found = unpacked(other.pack())
    first = json.loads(found["rules.json"])[0]
    assert (first["revision"], first["author"], first["approved_by"]) == (1, "engineer", "leader")
    assert [each["value"] for each in first["numbers"]["levels"]] == [10, 20]
    assert {row["value"] for row in table(found["limits.csv"]) if row["device"] == "gas-1"} == {"10.0", "20.0"}
