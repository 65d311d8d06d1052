"""From shift to shift: the note keeps what is open, another person takes it over, once; both are on record."""

from zoneinfo import ZoneInfo

import pytest

from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.carrying import Done
from ingest.alarms.commands.shelving import Shelving, shelve
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused, RefusedWhy
from ingest.handover.commands import HandingOver, TakingOver, hand_over, take_over
from ingest.handover.records import facts_of, newest
from tests.ingest.alarms.keeping import acts, keep, transition

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICER, SECOND, VIEWER = (
    Person("officer", ("officer",)),
    Person("officer2", ("officer",)),
    Person("viewer", ("viewer",)),
)
NOW_MS = 100_000


def write(database: AlarmDatabase, note: str = "守住河坊街", key: str = "h1", who: Person = OFFICER) -> Done:
    """Write a note at second 100 of 1970, eight in the morning of Shanghai."""
    return hand_over(database, HandingOver(note, key), who, NOW_MS, SHANGHAI)


def take(database: AlarmDatabase, name: str, key: str = "t1", who: Person = SECOND) -> Done:
    """Take a note over."""
    return take_over(database, TakingOver(name, key), who, NOW_MS + 1000)


def written(done: Done) -> str:
    """Return the identifier of the note."""
    assert done.pending is not None
    return str(done.pending["id"])


def test_the_note_keeps_what_is_open(database: AlarmDatabase) -> None:
    """Open alarms by priority, the hidden among them, who was answered how fast; later changes do not change it."""
    mild = {
        "point": "pole-1/lamp",
        "device": "pole-1",
        "kind": "light_pole",
        "rule": "light_pole.lamp",
        "priority": "P4",
    }
    ((urgent, _), (lamp, _)) = keep(database, transition("raise", 1), transition("raise", 2, **mild))
    acknowledge(database, Acknowledgement(urgent, 1, "a1"), OFFICER, 61_000)
    shelve(database, Shelving(lamp, "works", "s1", 600), OFFICER, 62_000, 10**12)
    write(database)
    keep(database, transition("return", 200))
    with database.read() as connection:
        (row,) = newest(connection, 10)
    found = facts_of(row)
    assert (row["note"], row["written_by"], row["accepted_by"]) == ("守住河坊街", "officer", None)
    assert (row["shift_from"], row["shift_to"]) == (0, 12 * 3_600_000)
    assert (found.open, found.unacked, found.alarms) == ({"P2": 1, "P4": 1}, 1, [urgent])
    assert found.hidden == {"shelved": 1, "by_design": 0, "out_of_service": 0}
    assert (found.activations, found.answered, found.median_s) == (2, 1, 60.0)
    assert found.cases == {"green": 0, "amber": 0, "red": 0, "reported": 0}


def test_another_person_takes_it_over_once(database: AlarmDatabase) -> None:
    """The writer cannot, the second can, the third is told who did; all of it is on record."""
    name = written(write(database))
    for who, key, why in ((OFFICER, "t0", "same_person"), (VIEWER, "t2", "role")):
        with pytest.raises(Refused) as refused:
            take(database, name, key, who)
        assert refused.value.why == why
    done = take(database, name)
    assert done.pending is not None
    assert (done.result, done.pending["accepted_by"], done.pending["accepted_at"]) == (
        "taken",
        "officer2",
        NOW_MS + 1000,
    )
    assert take(database, name) == done
    with pytest.raises(Refused, match="officer2 has taken this over already"):
        take(database, name, "t3")
    assert [act[:2] for act in acts(database)] == [
        ("officer", "hand_over"), ("officer", "take_over_refused"), ("viewer", "take_over_refused"),
        ("officer2", "take_over"),
    ]  # fmt: skip


@pytest.mark.parametrize(("note", "who", "why"), [(" ", OFFICER, "not_allowed"), ("x", VIEWER, "role")])
def test_what_is_refused(database: AlarmDatabase, note: str, who: Person, why: RefusedWhy) -> None:
    with pytest.raises(Refused) as refused:
        write(database, note, who=who)
    assert refused.value.why == why
    with database.read() as connection:
        assert newest(connection, 10) == []


def test_a_note_there_is_not(database: AlarmDatabase) -> None:
    with pytest.raises(Refused, match="There is no hand-over 'x'"):
        take(database, "x")
