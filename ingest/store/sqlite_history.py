"""History in columns from the embedded store: device by device along the primary key, without sorting anything."""

import sqlite3
from collections.abc import Iterator

import numpy as np

from ingest.errors import StoreError
from ingest.store.history import MOST_VALUES, Column, Sought, Source, Told, is_bad, too_many

_POINT = np.dtype([("at_ns", np.int64), ("value", np.float64), ("is", np.int8)])
# What a row is: a value, a doubt about the field, or neither.
_VALUE, _DOUBT, _NOTHING = 0, 1, 2
_WINDOW = "device_id = ? AND at_ns >= ? AND at_ns < ?"
_TELL = 200


def reach(database: sqlite3.Connection, measurement: str) -> tuple[int, int] | None:
    """Return the instants of the first and last row (epoch ms)."""
    # Two statements: each is one step down an index, both in one would read the table.
    ends = [database.execute(f'SELECT {end}(at_ns) FROM "{measurement}"').fetchone()[0] for end in ("min", "max")]
    return None if ends[0] is None else (int(ends[0]) // 1_000_000, int(ends[1]) // 1_000_000)


def extremes(database: sqlite3.Connection, sought: Sought, highest: bool, tell: Told) -> dict[Source, float]:
    """Return the highest (or lowest) value of every device that has one."""
    devices = list(_devices(database, sought.measurement))
    tag = f"coalesce(\"{sought.tag}\", '')" if sought.tag else "''"
    statement = (
        f'SELECT {tag}, {"max" if highest else "min"}("{sought.key}") FROM "{sought.measurement}" '
        f'WHERE {_WINDOW} AND "{sought.key}" IS NOT NULL GROUP BY 1'
    )
    found = {}
    for done, device in enumerate(devices):
        if done % _TELL == 0:
            tell(done, len(devices))
        for value, extreme in database.execute(statement, (device, *_ns(sought))):
            found[Source(device, value)] = float(extreme)
    return found


def column(database: sqlite3.Connection, sought: Sought, source: Source) -> Column:
    """Return what one source measured.

    Raises:
        StoreError: it is more than is read at a time.
    """
    key = sought.key
    database.create_function("citydeck_bad", 2, lambda quality, flags: is_bad(key, quality, flags), deterministic=True)
    tagged = f"AND coalesce(\"{sought.tag}\", '') = ?" if sought.tag else ""
    rows = database.execute(
        # Asking Python costs as much as reading: only where there is something to ask.
        f'SELECT at_ns, coalesce("{key}", 0), CASE WHEN flags IS NULL AND quality < 2 THEN {_VALUE} '
        f'WHEN citydeck_bad(quality, flags) THEN {_DOUBT} WHEN "{key}" IS NOT NULL {tagged} THEN {_VALUE} '
        f'ELSE {_NOTHING} END FROM "{sought.measurement}" '
        f'WHERE {_WINDOW} AND (("{key}" IS NOT NULL {tagged}) OR quality >= 2 OR flags IS NOT NULL) '
        f"ORDER BY at_ns LIMIT {MOST_VALUES + 1}",
        (*_tag(sought, source), source.device, *_ns(sought), *_tag(sought, source)),
    )
    found = np.fromiter(rows, _POINT)
    if len(found) > MOST_VALUES:
        raise StoreError(too_many(sought, source))
    t_ms, kept = found["at_ns"] // 1_000_000, found["is"] == _VALUE
    if kept.all():
        return Column(t_ms, found["value"].copy(), t_ms[:0])
    return Column(t_ms[kept], found["value"][kept], t_ms[found["is"] == _DOUBT])


def _tag(sought: Sought, source: Source) -> list[str]:
    return [source.tag] if sought.tag else []


def _devices(database: sqlite3.Connection, measurement: str) -> Iterator[str]:
    """Yield every device of a measurement, each found by one step in the key's order."""
    device = ""
    while row := database.execute(
        f'SELECT device_id FROM "{measurement}" WHERE device_id > ? ORDER BY device_id LIMIT 1', (device,)
    ).fetchone():
        device = str(row[0])
        yield device


def _ns(sought: Sought) -> tuple[int, int]:
    return sought.start_ms * 1_000_000, sought.stop_ms * 1_000_000
