"""Two officers at one instant, on connections of their own: exactly one act counts, the other is told of it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ingest.alarms import occurrences
from ingest.alarms.audit import Person, first_broken
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.agreeing import Agreement, answer
from ingest.alarms.commands.resetting import Reset, reset
from ingest.alarms.commands.shelving import Shelving, shelve
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused
from tests.ingest.alarms.keeping import acts, keep, rows, transition

ROUNDS = 10
AT_MS = 1_000_000
PEOPLE = [Person("officer", ("officer",)), Person("leader", ("leader",))]
Act = Callable[[AlarmDatabase, Person, str], Any]


@pytest.fixture
def desks(address: str) -> Any:
    """Give a database connection of its own to each officer."""
    opened = [AlarmDatabase(address) for _ in PEOPLE]
    yield opened
    for each in opened:
        each.close()


def at_once(desks: list[AlarmDatabase], what: list[Act], key: str) -> list[str]:
    """Let each officer act at the same instant; return the results, or why they were refused."""
    together, found = threading.Barrier(len(desks)), [""] * len(desks)

    def press(number: int) -> None:
        together.wait()
        try:
            found[number] = what[number](desks[number], PEOPLE[number], f"{key}-{number}").result
        except Refused as error:
            found[number] = error.why

    threads = [threading.Thread(target=press, args=(number,)) for number in range(len(desks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def raised(database: AlarmDatabase, number: int, **more: Any) -> str:
    point, device = f"gas-{number}/x", f"gas-{number}"
    ((name, _),) = keep(database, transition("raise", number, point=point, device=device, **more))
    return name


def test_both_acknowledge(desks: list[AlarmDatabase]) -> None:
    for number in range(1, ROUNDS + 1):
        name = raised(desks[0], number)

        def press(desk: AlarmDatabase, who: Person, key: str, name: str = name) -> Any:
            return acknowledge(desk, Acknowledgement(name, 1, key), who, AT_MS)

        assert sorted(at_once(desks, [press, press], str(number))) == ["acked", "already_acked"]
    assert [act[1] for act in acts(desks[0])] == ["raise", "ack", "co_witness"] * ROUNDS
    whole(desks[0])


def test_one_acknowledges_while_it_worsens(desks: list[AlarmDatabase]) -> None:
    """The engine and an officer at one instant: a level nobody saw is never acknowledged."""
    results = set()
    for number in range(1, ROUNDS + 1):
        name = raised(desks[0], 2 * number)

        def press(desk: AlarmDatabase, who: Person, key: str, name: str = name) -> Any:
            return acknowledge(desk, Acknowledgement(name, 1, key), who, AT_MS)

        def worsens(desk: AlarmDatabase, _who: Person, _key: str, number: int = number) -> Any:
            worse = transition("change", 2 * number + 1, 2, point=f"gas-{2 * number}/x", device=f"gas-{2 * number}")
            occurrences.apply(desk, "main", [worse], 2 * number + 1, worse.now_ms)
            return type("Kept", (), {"result": "kept"})

        found = at_once(desks, [press, worsens], str(number))
        results.add(found[0])
        (row,) = [row for row in rows(desks[0]) if row["id"] == name]
        assert (row["level_now"], row["state"], row["priority"]) == (2, "UNACK", "P1")
    assert results <= {"acked", "level_changed"}
    whole(desks[0])


def test_both_reset(desks: list[AlarmDatabase]) -> None:
    """A latched alarm is reset once."""
    for number in range(1, ROUNDS + 1):
        name = latched(desks[0], number)

        def press(desk: AlarmDatabase, who: Person, key: str, name: str = name) -> Any:
            return reset(desk, Reset(name, "looked at", key), who, AT_MS)

        assert sorted(at_once(desks, [press, press], str(number))) == ["closed", "reset"]
    whole(desks[0])


def latched(database: AlarmDatabase, number: int) -> str:
    about = {"point": f"gas-{number}/x", "device": f"gas-{number}"}
    ((name, _),) = keep(database, transition("raise", 2 * number, **about, latch=True))
    acknowledge(database, Acknowledgement(name, 1, f"seen-{number}"), PEOPLE[0], number * 2000)
    keep(database, transition("return", 2 * number + 1, 0, **about))
    return name


def test_both_agree(desks: list[AlarmDatabase]) -> None:
    """What was asked for is carried out once, whoever agrees first."""
    third = Person("third", ("officer",))
    for number in range(1, ROUNDS + 1):
        about = {"point": f"gas-{number}/x", "device": f"gas-{number}"}
        ((name, _),) = keep(desks[0], transition("raise", 2 * number, 2, **about, latch=True))
        acknowledge(desks[0], Acknowledgement(name, 2, f"seen-{number}"), third, number * 2000)
        keep(desks[0], transition("return", 2 * number + 1, 0, **about))
        asked = reset(desks[0], Reset(name, "looked at", f"ask-{number}"), Person("chief", ("leader",)), AT_MS)
        assert asked.pending is not None

        def press(desk: AlarmDatabase, who: Person, key: str, request: str = asked.pending["id"]) -> Any:
            return answer(desk, Agreement(request, True, key), who, AT_MS)

        assert sorted(at_once(desks, [press, press], str(number))) == ["agreed", "state"]
    whole(desks[0])


def test_both_shelve(desks: list[AlarmDatabase]) -> None:
    """The second one renews the shelf of the first: one shelf stands."""
    for number in range(1, ROUNDS + 1):
        name = raised(desks[0], number, priority="P4", kind="light_pole")

        def press(desk: AlarmDatabase, who: Person, key: str, name: str = name) -> Any:
            return shelve(desk, Shelving(name, "works", key, 600), who, AT_MS, AT_MS + 10_000_000)

        assert at_once(desks, [press, press], str(number)) == ["shelved", "shelved"]
    whole(desks[0])


def test_the_same_request_twice_at_once(desks: list[AlarmDatabase]) -> None:
    """A request that a browser sends twice is carried out once, and answered alike."""
    for number in range(1, ROUNDS + 1):
        name = raised(desks[0], number)

        def press(desk: AlarmDatabase, _who: Person, _key: str, name: str = name) -> Any:
            return acknowledge(desk, Acknowledgement(name, 1, f"same-{name}"), PEOPLE[0], AT_MS)

        assert at_once(desks, [press, press], str(number)) == ["acked", "acked"]
    assert [act[1] for act in acts(desks[0])] == ["raise", "ack"] * ROUNDS
    whole(desks[0])


def whole(database: AlarmDatabase) -> None:
    with database.read() as connection:
        assert first_broken(connection) is None
