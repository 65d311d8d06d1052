"""Every quarantined position is kept, in little room, and forgotten with the journal."""

import sqlite3
import tracemalloc
import zlib
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import quarantine
from ingest.positions import Positions, Stand, divide, forget_before, tries, walk
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


def found(database: sqlite3.Connection, reason: str | None, device: str | None, after: int = 0) -> list[int]:
    return [stand.position for stand in walk(database, reason, device, after)]


def size(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT sum(length(body)) FROM quarantine_position").fetchone()[0])


def test_all_positions_of_a_group_with_their_place(database: sqlite3.Connection) -> None:
    keeping = Keeping()
    keeping.keep(database, [item(5), item(900), item(7, "type")])
    keeping.keep(database, [item(70_000), item(6, device="gas-2")])
    place = ("json", "gas-1", "gas_alarm", "gas-1")
    assert list(walk(database, "json", "gas-1")) == [Stand(position, place, 1) for position in (5, 900, 70_000)]
    assert found(database, "json", None) == [5, 6, 900, 70_000]
    assert found(database, None, None) == [5, 6, 7, 900, 70_000]
    assert found(database, "json", "nobody") == []


def test_what_landed_is_gone_and_counted(database: sqlite3.Connection) -> None:
    keeping = Keeping()
    keeping.keep(database, [item(n) for n in range(1, 6)])
    keeping.keep(database, [], [Landed(origin(2), "decoded"), Landed(origin(4), "duplicate")])
    assert found(database, "json", None) == [1, 3, 5]
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
    assert found(database, "json", "gas-1") == [2]
    assert found(database, "json", "gas-2") == [3]
    assert found(database, "json", None) == [2, 3]
    assert found(database, "type", "gas-1") == [1]
    assert tries(database, "r") == (3, {"type": (1, "not JSON"), "json": (2, "not JSON")})


def test_it_goes_with_the_journal(database: sqlite3.Connection) -> None:
    keeping = Keeping()
    keeping.keep(database, [item(1), item(10)])
    keeping.keep(database, [item(11), item(20)], [Landed(origin(1), "decoded")])
    forget_before(database, 11)
    assert found(database, None, None) == [11, 20]
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
    keeping.keep(database, [item(1 + n * every, device=f"gas-{n % devices}") for n in range(10_000)])
    assert size(database) < most
    assert len(found(database, "json", None)) == 10_000


def test_only_those_behind_a_position(database: sqlite3.Connection) -> None:
    """A restart needs the newest ones, and a flood leaves tens of millions of older ones."""
    keeping = Keeping()
    keeping.keep(database, [item(5), item(900)])
    keeping.keep(database, [item(70_000), item(901)])
    keeping.keep(database, [], [Landed(origin(901), "decoded")])
    assert found(database, None, None, after=5) == [900, 70_000]
    assert found(database, None, None, after=900) == [70_000]
    assert found(database, None, None, after=70_000) == []


def test_readings_of_one_message_stand_there_each(database: sqlite3.Connection) -> None:
    """A store may refuse two readings of one message, and take one of them later."""
    keeping = Keeping()
    keeping.keep(database, [item(5, "refused"), item(5, "refused"), item(6, "refused")])
    place = ("refused", "gas-1", "gas_alarm", "gas-1")
    assert list(walk(database, "refused", None)) == [Stand(5, place, 2), Stand(6, place, 1)]
    keeping.keep(database, [], [Landed(origin(5, "refused"), "decoded")])
    assert list(walk(database, "refused", None)) == [Stand(5, place, 1), Stand(6, place, 1)]


@pytest.mark.long
def test_of_millions_only_a_stretch_is_held_at_a_time(database: sqlite3.Connection) -> None:
    """After an hour's flood of ten thousand a second there are 36 millions: nobody makes a list of them."""
    keeping, seconds = Keeping(), 200
    for second in range(seconds):
        keeping.keep(database, [item(1 + second * 10_000 + n) for n in range(0, 10_000, 2)])
    standing = Positions(database)
    tracemalloc.start()
    walked = sum(1 for _ in walk(database, None, None))
    asked = sum(position in standing for position in range(1, seconds * 10_000, 7))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (walked, asked) == (seconds * 5_000, len(range(1, seconds * 10_000, 14)))
    assert most < 50_000_000


def test_what_comes_or_leaves_meanwhile_changes_no_walk(database: sqlite3.Connection) -> None:
    """The collector goes on while somebody counts, or tries again what stands there."""
    keeping = Keeping()
    keeping.keep(database, [item(n) for n in (1, 2, 300_000)])
    standing, steps = Positions(database), walk(database, None, None)
    assert next(steps).position == 1
    keeping.keep(database, [item(200_000), item(2, "type", origin=origin(2))], [Landed(origin(300_000), "decoded")])
    assert [stand.position for stand in steps] == [2, 300_000]
    assert [position for position in (1, 2, 3, 200_000, 300_000) if position in standing] == [1, 2, 300_000]
    assert found(database, None, None) == [1, 2, 200_000]
    assert found(database, "json", None) == [1, 200_000]
    forget_before(database, 400_000)
    assert list(walk(database, None, None)) == []


@given(
    steps=st.lists(
        st.lists(st.tuples(st.integers(1, 200_000), st.sampled_from(["json", "type", "land"])), max_size=12), max_size=8
    )
)
def test_whatever_comes_and_goes_all_that_stands_is_found(steps: list[list[tuple[int, str]]]) -> None:
    """New ones come behind all of before; those of before may land, stay, or move to another reason."""
    database = sqlite3.connect(":memory:")
    database.executescript(quarantine.SCHEMA)
    keeping, standing, last = Keeping(), dict[int, str](), 0
    for step in steps:
        came, landed, seen = [], [], set()
        for number, what in step:
            if number in seen:
                continue
            seen.add(number)
            if number in standing:
                old = origin(number, standing[number])
                if what == "land":
                    landed.append(Landed(old, "decoded"))
                    del standing[number]
                else:
                    came.append(item(number, what, origin=old))
                    standing[number] = what
            elif what != "land" and number > last:
                came.append(item(number, what))
                standing[number] = what
        last = max([last, *standing])
        keeping.keep(database, came, landed)
    asked = Positions(database)
    assert found(database, None, None) == sorted(standing)
    assert found(database, "json", None) == sorted(at for at, reason in standing.items() if reason == "json")
    assert all((number in asked) == (number in standing) for number in {*standing, 1, 65_535, 65_536, 200_000})
    database.close()


def test_what_comes_each_second_of_a_week_is_walked_in_time(database: sqlite3.Connection) -> None:
    """A device that says rubbish each second leaves a row a second: for twice as many SQLite takes twice the steps."""
    keeping, steps = Keeping(), [0]

    def step() -> int:
        steps[0] += 1
        return 0

    def walked(seconds: range) -> int:
        for second in seconds:
            keeping.keep(database, [item(second * 10_000)])
        steps[0] = 0
        database.set_progress_handler(step, 100)
        assert found(database, None, None) == [second * 10_000 for second in range(1, seconds.stop)]
        database.set_progress_handler(None, 0)
        return steps[0]

    few = walked(range(1, 1_001))
    assert walked(range(1_001, 4_001)) < 6 * few


@pytest.mark.parametrize("says_where_rows_begin", [False, True])
def test_a_file_of_before_tells_the_same(database: sqlite3.Connection, says_where_rows_begin: bool) -> None:
    """Its rows reach over stretches, with what was tried again among what was new; older ones tell no beginning."""
    Keeping().keep(database, [item(5), item(900)])
    database.execute("DROP INDEX quarantine_position_stretch")
    gas = ("gas-1", "gas_alarm", "gas-1")
    wide = [("json", *gas, [70_000, 1, 130_000], [5]), ("type", *gas, [5], [])]
    narrow = [("json", *gas, [], [70_000]), ("type", *gas, [70_000], [])]
    for packed, first, last in ((wide, 5, 200_001), (narrow, 70_000, 70_000)):
        body = zlib.compress(msgspec.msgpack.encode(packed))
        database.execute("INSERT INTO quarantine_position (first, last, body) VALUES (?, ?, ?)", (first, last, body))
    if says_where_rows_begin:
        database.execute("CREATE INDEX quarantine_position_reach ON quarantine_position (last, first)")
    else:
        database.execute("ALTER TABLE quarantine_position DROP COLUMN first")
    database.commit()
    for _ in range(2):
        divide(database)
        database.executescript(quarantine.SCHEMA)
        assert found(database, None, None) == [5, 900, 70_000, 70_001, 200_001]
        assert found(database, "type", None) == [5, 70_000]
        assert found(database, None, None, after=900) == [70_000, 70_001, 200_001]
    reaches = database.execute("SELECT first, last FROM quarantine_position ORDER BY id").fetchall()
    assert reaches == [(5, 900), (5, 5), (70_000, 70_001), (200_001, 200_001), (70_000, 70_000)]
    names = database.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'quarantine_position%'")
    assert names.fetchall() == [("quarantine_position_stretch",)]
