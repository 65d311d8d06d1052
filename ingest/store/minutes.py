"""Summaries of minutes: which there are, how far they are made, and which late readings ask to make again.

A measurement of samples has one row a minute and device in ``{measurement}_1m``: ``{field}_min``, ``_max``, ``_mean``
and ``_count`` of each quantity, the worst quality of the readings, and all their flags. Minutes are made in order,
behind the writer. A reading that comes later than that marks its minute, which is then made again from the raw
readings; so lateness is bounded by how long those are kept, and the marks by the minutes in that time.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from devices.catalog import Catalog
from devices.kind import Field
from devices.readings import Reading
from ingest.store.usual import UsualReadings

MINUTE_NS = 60_000_000_000
SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS minutes_made (
        measurement TEXT PRIMARY KEY, made_ns INTEGER NOT NULL DEFAULT 0, gone_ns INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS minutes_late (
        measurement TEXT NOT NULL, at_ns INTEGER NOT NULL, marks INTEGER NOT NULL, PRIMARY KEY (measurement, at_ns)
    ) WITHOUT ROWID
    """,
)
SUMS = ("min", "max", "mean", "count")


def summed(catalog: Catalog) -> dict[str, tuple[Field, ...]]:
    """Return the measurements that have minutes, each with its quantities."""
    return {key: m.quantities for key, (_, m) in catalog.measurements.items() if m.sampled}


def table_of(measurement: str) -> str:
    """Return where the minutes of a measurement are kept."""
    return f"{measurement}_1m"


def begin(database: sqlite3.Connection, measurements: Iterable[str]) -> None:
    """Make sure every measurement has its cursor."""
    database.executemany("INSERT OR IGNORE INTO minutes_made (measurement) VALUES (?)", [(m,) for m in measurements])


def spans(database: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Return per measurement (raw readings are gone before, minutes are made before) in ns."""
    found = database.execute("SELECT measurement, gone_ns, made_ns FROM minutes_made")
    return {measurement: (gone_ns, made_ns) for measurement, gone_ns, made_ns in found}


def late(
    readings: Sequence[Reading], known: Mapping[str, tuple[int, int]], usual: Sequence[UsualReadings] = ()
) -> set[tuple[str, int]]:
    """Return the minutes that are made already and must be made again because of some readings."""
    nowhere = (0, 0)
    found = set()
    for reading in readings:
        gone_ns, made_ns = known.get(reading.measurement, nowhere)
        if gone_ns <= reading.at_ns < made_ns:
            found.add((reading.measurement, reading.at_ns // MINUTE_NS * MINUTE_NS))
    for each in usual:
        gone_ns, made_ns = known.get(each.measurement, nowhere)
        if int(each.at_ms.min()) * 1_000_000 < made_ns:
            times = [at_ms * 1_000_000 for at_ms in each.at_ms.tolist()]
            found.update([(each.measurement, at // MINUTE_NS * MINUTE_NS) for at in times if gone_ns <= at < made_ns])
    return found


def mark(database: sqlite3.Connection, minutes: Iterable[tuple[str, int]]) -> None:
    """Remember minutes that must be made again."""
    database.executemany(
        "INSERT INTO minutes_late VALUES (?, ?, 1) ON CONFLICT (measurement, at_ns) DO UPDATE SET marks = marks + 1",
        sorted(minutes),
    )


def next_unmade(database: sqlite3.Connection, until_ns: int) -> tuple[str, int] | None:
    """Return the measurement that is furthest behind and how far its minutes are made, or None."""
    row = database.execute(
        "SELECT measurement, made_ns FROM minutes_made WHERE made_ns < ? ORDER BY made_ns LIMIT 1", (until_ns,)
    ).fetchone()
    return None if row is None else (str(row[0]), int(row[1]))


def next_late(database: sqlite3.Connection) -> tuple[str, int, int] | None:
    """Return (measurement, minute, marks) that must be made again, or None; those without raw readings are dropped."""
    database.execute(
        "DELETE FROM minutes_late WHERE at_ns < (SELECT gone_ns FROM minutes_made AS made "
        "WHERE made.measurement = minutes_late.measurement)"
    )
    row = database.execute("SELECT measurement, at_ns, marks FROM minutes_late LIMIT 1").fetchone()
    return None if row is None else (str(row[0]), int(row[1]), int(row[2]))


def unmark(database: sqlite3.Connection, measurement: str, at_ns: int, marks: int) -> None:
    """Forget a minute made again, unless it was marked once more meanwhile."""
    database.execute(
        "DELETE FROM minutes_late WHERE measurement = ? AND at_ns = ? AND marks = ?", (measurement, at_ns, marks)
    )


def made(database: sqlite3.Connection, measurement: str, made_ns: int) -> None:
    """Move a cursor on."""
    database.execute("UPDATE minutes_made SET made_ns = ? WHERE measurement = ?", (made_ns, measurement))


def removable_ns(database: sqlite3.Connection, measurement: str, before_ns: int) -> int:
    """Return up to where raw readings may be removed: never one whose minute is not made; and remember it."""
    (made_ns,) = database.execute(
        "SELECT made_ns FROM minutes_made WHERE measurement = ?", (measurement,)
    ).fetchone() or (0,)
    (late_ns,) = database.execute(
        "SELECT min(at_ns) FROM minutes_late WHERE measurement = ?", (measurement,)
    ).fetchone()
    until_ns = min(before_ns // MINUTE_NS * MINUTE_NS, made_ns, made_ns if late_ns is None else int(late_ns))
    gone(database, measurement, until_ns)
    return int(until_ns)


def gone(database: sqlite3.Connection, measurement: str, before_ns: int) -> None:
    """Remember that raw readings before an instant are gone: what comes of that time later makes no minute again."""
    database.execute(
        "UPDATE minutes_made SET gone_ns = max(gone_ns, ?) WHERE measurement = ?", (before_ns, measurement)
    )
