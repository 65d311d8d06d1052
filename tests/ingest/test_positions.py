"""Every quarantined position is kept, in little room, and forgotten with the journal."""

import sqlite3
from collections.abc import Iterator

import pytest

from ingest import quarantine
from ingest.positions import forget_before, positions_of, tries
from ingest.quarantine import Keeping, Landed, Origin, Quarantined, groups, samples


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(quarantine.SCHEMA)
    yield connection
    connection.close()


def item(position: int, reason: str = "json", device: str = "gas-1", origin: Origin | None = None) -> Quarantined:
    return Quarantined(position, 1000 + position, reason, device, "t", "not JSON", "gas_alarm", device, origin)


def origin(position: int, reason: str = "json", device: str = "gas-1", request: str = "r") -> Origin:
    return Origin(request, reason, device, "gas_alarm", device, position, 1000 + position)


def size(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT sum(length(body)) FROM quarantine_position").fetchone()[0])


def test_all_positions_of_a_group_with_their_place(database: sqlite3.Connection) -> None:
    keeping = Keeping()
    keeping.keep(database, [item(5), item(900), item(7, "type")])
    keeping.keep(database, [item(70_000), item(6, device="gas-2")])
    place = ("json", "gas-1", "gas_alarm", "gas-1")
    assert positions_of(database, "json", "gas-1") == {5: place, 900: place, 70_000: place}
    assert list(positions_of(database, "json", None)) == [5, 6, 900, 70_000]
    assert list(positions_of(database, None, None)) == [5, 6, 7, 900, 70_000]
    assert positions_of(database, "json", "nobody") == {}


def test_what_landed_is_gone_and_counted(database: sqlite3.Connection) -> None:
    keeping = Keeping()
    keeping.keep(database, [item(n) for n in range(1, 6)])
    keeping.keep(database, [], [Landed(origin(2), "decoded"), Landed(origin(4), "duplicate")])
    assert list(positions_of(database, "json", None)) == [1, 3, 5]
    assert [group.count for group in groups(database)] == [3]
    assert [sample.position for sample in samples(database, "json", "gas-1")] == [1, 3, 5]
    assert tries(database, "r") == (4, {"decoded": (1, ""), "duplicate": (1, "")})
    keeping.keep(database, [], [Landed(origin(n), "decoded") for n in (1, 3, 5)])
    assert groups(database) == []
    assert tries(database, "r")[1]["decoded"] == (4, "")


def test_a_message_that_fails_otherwise_moves(database: sqlite3.Connection) -> None:
    """Its reason or its device may be another one now; the same ones leave it where it is."""
    keeping = Keeping()
    keeping.keep(database, [item(1), item(2), item(3)])
    again = [item(1, "type", origin=origin(1)), item(2, origin=origin(2)), item(3, device="gas-2", origin=origin(3))]
    keeping.keep(database, again)
    assert {(group.reason, group.device): group.count for group in groups(database)} == {
        ("json", "gas-1"): 1,
        ("json", "gas-2"): 1,
        ("type", "gas-1"): 1,
    }
    assert list(positions_of(database, "json", "gas-1")) == [2]
    assert list(positions_of(database, "json", "gas-2")) == [3]
    assert list(positions_of(database, "json", None)) == [2, 3]
    assert list(positions_of(database, "type", "gas-1")) == [1]
    assert tries(database, "r") == (3, {"type": (1, "not JSON"), "json": (2, "not JSON")})


def test_it_goes_with_the_journal(database: sqlite3.Connection) -> None:
    keeping = Keeping()
    keeping.keep(database, [item(1), item(10)])
    keeping.keep(database, [item(11), item(20)], [Landed(origin(1), "decoded")])
    forget_before(database, 11)
    assert list(positions_of(database, None, None)) == [11, 20]
    assert tries(database, "r") == (0, {})
    assert groups(database)[0].count == 3


@pytest.mark.parametrize(
    ("devices", "every", "most"),
    [
        pytest.param(1, 1, 200, id="one device, nothing between"),
        pytest.param(1, 3, 200, id="one device, others between"),
        pytest.param(200, 1, 8_000, id="two hundred devices"),
        pytest.param(10_000, 1, 100_000, id="a new name each time"),
    ],
)
def test_a_second_of_a_flood_is_small(database: sqlite3.Connection, devices: int, every: int, most: int) -> None:
    """Ten thousand messages a second; the journal itself takes a megabyte for them."""
    keeping = Keeping()
    found = [item(n * every, device=f"gas-{n % devices}") for n in range(10_000)]
    keeping.keep(database, found)
    assert size(database) < most
    assert len(positions_of(database, "json", None)) == 10_000


def test_only_those_behind_a_position(database: sqlite3.Connection) -> None:
    """A restart needs the newest ones, and a flood leaves tens of millions of older ones."""
    keeping = Keeping()
    keeping.keep(database, [item(5), item(900)])
    keeping.keep(database, [item(70_000), item(901)])
    keeping.keep(database, [], [Landed(origin(901), "decoded")])
    assert list(positions_of(database, None, None, after=5)) == [900, 70_000]
    assert list(positions_of(database, None, None, after=900)) == [70_000]
    assert positions_of(database, None, None, after=70_000) == {}
