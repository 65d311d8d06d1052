"""The state table: each transition of the system on each state, with its audit row, in one transaction."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ingest.alarms import occurrences
from ingest.alarms.audit import Person, first_broken
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit, occurrence
from ingest.alarms.transitions import Transition
from tests.ingest.alarms.keeping import acts, keep, rows, transition

OFFICER = Person("officer", ("officer",))


def ack(database: AlarmDatabase, key: str = "k1") -> None:
    """Acknowledge the one open occurrence at the level it has."""
    (row,) = [row for row in rows(database) if row["closed_at"] is None]
    acknowledge(database, Acknowledgement(row["id"], row["level_now"], key), OFFICER, 99_000)


RAISE, WORSE, MILDER, RETURN = (
    transition("raise", 1),
    transition("change", 2, 2),
    transition("change", 3, 1),
    transition("return", 4, 0),
)
LATCHED_RAISE = transition("raise", 1, latch=True)
STORIES: list[tuple[str, list[Transition | str], dict[str, Any]]] = [
    ("raised", [RAISE], {"state": "UNACK", "level_now": 1, "priority": "P2"}),
    ("worse", [RAISE, WORSE], {"state": "UNACK", "level_now": 2, "level_peak": 2, "priority": "P1"}),
    ("milder keeps its peak", [RAISE, WORSE, MILDER], {"level_now": 1, "level_peak": 2, "priority": "P1"}),
    ("returned before it was seen", [RAISE, RETURN], {"state": "RTN_UNACK", "returned_at": 4000, "closed_at": None}),
    ("acknowledged", [RAISE, "ack"], {"state": "ACKED", "acked_by": "officer", "level_acked": 1}),
    ("acknowledged, then over", [RAISE, "ack", RETURN], {"state": "CLOSED", "closed_at": 4000}),
    ("over, then acknowledged", [RAISE, RETURN, "ack"], {"state": "CLOSED", "closed_at": 99_000}),
    ("worse than what was acknowledged", [RAISE, "ack", WORSE], {"state": "UNACK", "level_acked": 1}),
    ("milder than what was acknowledged", [RAISE, WORSE, "ack", MILDER], {"state": "ACKED", "level_acked": 2}),
    (
        "back to a level that was acknowledged",
        [RAISE, WORSE, "ack", MILDER, transition("change", 5, 2)],
        {"state": "ACKED"},
    ),
    (
        "no milder for staying at its milder level under another version",
        [RAISE, WORSE, MILDER, transition("change", 5, 1, rule_version="v2")],
        {"level_now": 1, "level_peak": 2, "priority": "P1"},
    ),
    (
        "as urgent as it is once it is back",
        [RAISE, WORSE, RETURN, transition("raise", 5)],
        {"level_now": 1, "level_peak": 2, "priority": "P2"},
    ),
    (
        "back before it was seen",
        [RAISE, RETURN, transition("raise", 5)],
        {"state": "UNACK", "activations": 2, "returned_at": None},
    ),
    ("latched stays", [LATCHED_RAISE, "ack", RETURN], {"state": "LATCHED", "closed_at": None}),
    ("latched, over, acknowledged", [LATCHED_RAISE, RETURN, "ack"], {"state": "LATCHED", "closed_at": None}),
    (
        "latched and back",
        [LATCHED_RAISE, "ack", RETURN, transition("raise", 5, latch=True)],
        {"state": "UNACK", "activations": 2, "acked": False, "acked_by": "officer"},
    ),
    (
        "what was acknowledged before its return counts no more",
        [
            transition("raise", 1, 2, latch=True),
            "ack",
            RETURN,
            transition("raise", 5, latch=True),
            "ack",
            transition("change", 6, 2, latch=True),
        ],
        {"state": "UNACK", "level_acked": 1, "priority": "P1"},
    ),
    (
        "it was worse than anybody knew",
        [RAISE, "ack", transition("late", 3, 2)],
        {"state": "UNACK", "level_peak": 2, "level_now": 1, "priority": "P1"},
    ),
    ("a passage is born returned", [transition("passage", 1)], {"state": "RTN_UNACK", "active": False}),
    ("a passage is closed by the acknowledge", [transition("passage", 1), "ack"], {"state": "CLOSED"}),
    ("a late raise is born returned", [transition("late", 1, 2)], {"state": "RTN_UNACK", "level_peak": 2}),
    (
        "silence of the device overlays and clears nothing",
        [RAISE, transition("stale", 2, point="gas-1", rule="", quality="stale")],
        {"state": "UNACK", "quality": "stale", "level_now": 1},
    ),
]


@pytest.mark.parametrize(("steps", "expected"), [s[1:] for s in STORIES], ids=[s[0] for s in STORIES])
def test_story(database: AlarmDatabase, steps: list[Transition | str], expected: dict[str, Any]) -> None:
    """A story leaves one occurrence with the facts beside it, and one audit row a step, the chain whole."""
    for step in steps:
        if isinstance(step, Transition):
            keep(database, step)
        else:
            ack(database, f"k{len(acts(database))}")
    (row,) = rows(database)
    assert {key: row[key] for key in expected} == expected
    assert len(acts(database)) == len(steps)
    assert row["version"] == len(steps)
    with database.read() as connection:
        assert first_broken(connection) is None


def test_closed_point_raises_a_new_occurrence(database: AlarmDatabase) -> None:
    """What comes after the end is another occurrence; the ended one is not touched."""
    keep(database, RAISE)
    ack(database)
    keep(database, RETURN)
    closed = rows(database)[0]
    keep(database, transition("raise", 5))
    assert [row["state"] for row in rows(database)] == ["CLOSED", "UNACK"]
    assert rows(database)[0] == closed


def test_one_vehicle_is_one_alarm(database: AlarmDatabase) -> None:
    """The record of a vehicle that comes again after its alarm was closed raises nothing."""
    keep(database, transition("passage", 1))
    ack(database)
    assert keep(database, transition("passage", 5)) == []
    assert [row["state"] for row in rows(database)] == ["CLOSED"]


def test_applied_again_changes_nothing(database: AlarmDatabase) -> None:
    """A restart judges the journal's tail again: what is kept already is passed over, in any batches."""
    story = [RAISE, WORSE, MILDER, RETURN]
    keep(database, *story)
    before, audited = rows(database), acts(database)
    assert keep(database, *story) == []
    assert keep(database, WORSE, MILDER) == []
    assert (rows(database), acts(database)) == (before, audited)
    assert occurrences.position_of(database, "main") == 4


def test_ack_between_crash_and_restart_stands(database: AlarmDatabase) -> None:
    """An acknowledge given after the transitions were kept is not undone when they are judged again."""
    keep(database, RAISE)
    ack(database)
    keep(database, RAISE, WORSE)
    assert [act[1] for act in acts(database)] == ["raise", "ack", "change"]


def test_one_open_occurrence_is_the_databases_own_law(database: AlarmDatabase) -> None:
    """A second open row of a point is refused by the index, not by looking first."""
    keep(database, RAISE)
    row = {key: value for key, value in rows(database)[0].items() if key != "state"}
    with pytest.raises(IntegrityError), database.engine.connect() as connection, connection.begin():
        connection.execute(occurrence.insert().values(**{**row, "id": "another"}))


def test_batch_is_all_or_nothing(database: AlarmDatabase) -> None:
    """When one transition cannot be kept, none of its batch is, nor the position."""
    broken = transition("raise", 2, point="gas-2/x", device=None)
    with pytest.raises(Exception, match="cannot be written"):
        keep(database, RAISE, broken)
    assert rows(database) == []
    assert acts(database) == []
    assert occurrences.position_of(database, "main") == 0


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (sa.update(audit).where(audit.c.seq == 2).values(comment="nothing happened"), 2),
        (sa.delete(audit).where(audit.c.seq == 3), 3),
        (sa.delete(audit).where(audit.c.seq == 4), 4),
    ],
    ids=["changed", "removed", "the newest removed"],
)
def test_tampering_shows(database: AlarmDatabase, change: sa.Executable, broken: int) -> None:
    """The chain names the first row that was changed or is missing."""
    keep(database, RAISE, WORSE, MILDER, RETURN)
    with database.write() as connection:
        connection.execute(change)
        assert first_broken(connection) == broken


def test_bad_readings_are_an_overlay_on_the_alarms_of_their_field(database: AlarmDatabase) -> None:
    """What is bad changes neither active nor latched; the alarms of other fields are not concerned."""
    latched = transition("raise", 1, latch=True)
    other = transition("raise", 2, point="gas-1/temp_c.high", field="temp_c")
    keep(database, latched, other, transition("doubt", 3, point="gas-1", rule="", quality="bad"))
    assert [(row["quality"], row["state"]) for row in rows(database)] == [("bad", "UNACK"), ("good", "UNACK")]
    keep(database, transition("doubt", 4, point="gas-1", rule="", field="", quality="bad"))
    assert [row["quality"] for row in rows(database)] == ["bad", "bad"]
    keep(database, transition("doubt", 5, point="gas-1", rule="", field="temp_c", quality="good"))
    assert [row["quality"] for row in rows(database)] == ["bad", "good"]
