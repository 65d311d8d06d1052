"""Tallies in the embedded store: all cases in one pass over the rows of a span."""

from collections.abc import Sequence

from ingest.store.minutes import table_of
from ingest.store.tallies import Asked, Least, Tally


def statement(asked: Asked) -> tuple[str, tuple[float, ...]]:
    """Return the statement and the values of its conditions; the names in it must be known ones."""
    table = table_of(asked.measurement) if asked.minutes else asked.measurement
    columns, values = [], []
    for case in asked.cases:
        holds = " AND ".join(_condition(asked, least) for least in case) or "1"
        # NULL where a field has no value: neither counted nor added.
        columns.append(f'count(CASE WHEN {holds} THEN "{asked.added}" END)')
        columns.append(f'total(CASE WHEN {holds} THEN "{asked.added}" END)')
        values += [least.value for least in case] * 2
    text = f'SELECT device_id, {", ".join(columns)} FROM "{table}" WHERE at_ns >= ? AND at_ns < ? GROUP BY device_id'
    return text, tuple(values)


def tallies(rows: Sequence[Sequence[object]]) -> dict[str, list[Tally]]:
    """Return what the rows of the statement say."""
    found = {}
    for device, *numbers in rows:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        found[str(device)] = [Tally(int(str(count)), float(str(total))) for count, total in pairs]
    return found


def _condition(asked: Asked, least: Least) -> str:
    return f'"{asked.column(least)}" {">" if least.more else ">="} ?'
