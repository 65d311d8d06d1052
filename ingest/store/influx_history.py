"""History in columns from InfluxDB: one statement a device, answered as CSV, which 1, 2 and 3 write alike.

Nothing is grouped where many rows come back: what a row's tags are is told differently by the generations, and a
statement for one device has rows of time and value alone.
"""

from collections.abc import Iterator

import numpy as np
import urllib3

from ingest.errors import StoreError
from ingest.store.history import MOST_VALUES, Column, Sought, Source, Told, is_bad, joined, too_many
from ingest.store.influx_reading import Server, StatementRefused, identifier, quoted

_DAY_MS = 86_400_000
_SLICES = 10
_PAGE = 1_000_000
# A look at millions of values takes longer than a page may wait.
_TIMEOUT_S = 600.0
_HEAD = b"name,tags,time,"


def reach(server: Server, measurement: str) -> tuple[int, int] | None:
    """Return the instants of the first and last row (epoch ms)."""
    found = []
    for order in ("ASC", "DESC"):
        statement = f'SELECT "quality" FROM {identifier(measurement)} ORDER BY time {order} LIMIT 1'
        _, rows = server.rows(statement, server.bucket)
        if not rows:
            return None
        found.append(int(rows[0][0]))
    return found[0], found[1]


def extremes(server: Server, sought: Sought, highest: bool, tell: Told) -> dict[Source, float]:
    """Return the highest (or lowest) value of every device that has one; some days at a time."""
    worse = max if highest else min
    tags = f", {identifier(sought.tag)}" if sought.tag else ""
    found: dict[Source, float] = {}
    spans = list(_spans(sought))
    for done, (start_ms, stop_ms) in enumerate(spans):
        tell(done, len(spans))
        statement = (
            f"SELECT {worse.__name__}({identifier(sought.key)}) FROM {identifier(sought.measurement)} "
            f'WHERE time >= {start_ms}ms AND time < {stop_ms}ms GROUP BY "device_id"{tags}'
        )
        for series in server.ask(statement, server.bucket, timeout_s=_TIMEOUT_S):
            source = Source(series["tags"]["device_id"], (series["tags"].get(sought.tag) or "") if sought.tag else "")
            value = float(series["values"][0][1])
            found[source] = worse(found.get(source, value), value)
    return found


def column(server: Server, sought: Sought, source: Source) -> Column:
    """Return what one source measured.

    Raises:
        StoreError: the server is away, or it is more than is read at a time.
    """
    where = f"\"device_id\" = '{quoted(source.device)}' AND time >= {sought.start_ms}ms AND time < {sought.stop_ms}ms"
    tagged = f" AND {identifier(sought.tag)} = '{quoted(source.tag)}'" if sought.tag else ""
    found = joined(_pages(server, sought, source, f"{where}{tagged}"))
    statement = f'SELECT "quality", "flags" FROM {identifier(sought.measurement)} WHERE {where}'
    _, rows = server.rows(f'{statement} AND ("quality" > 1 OR "flags" != \'\')', server.bucket)
    doubts_ms = np.array([int(at) for at, quality, flags in rows if is_bad(sought.key, quality, flags)], np.int64)
    if not len(doubts_ms):
        return found
    bad = np.isin(found.t_ms, doubts_ms)
    return Column(found.t_ms[~bad], found.values[~bad], doubts_ms)


def _pages(server: Server, sought: Sought, source: Source, where: str) -> Iterator[Column]:
    statement = f"SELECT {identifier(sought.key)} FROM {identifier(sought.measurement)} WHERE {where} ORDER BY time"
    for offset in range(0, MOST_VALUES + 1, _PAGE):
        page = _parsed(server, _csv(server, f"{statement} LIMIT {_PAGE} OFFSET {offset}"))
        yield page
        if len(page.t_ms) < _PAGE:
            return
    raise StoreError(too_many(sought, source))


def _csv(server: Server, statement: str) -> bytes:
    database, _, policy = server.bucket.partition("/")
    fields = {"db": database, "epoch": "ms", "q": statement, **({"rp": policy} if policy else {})}
    headers = {**server.headers, "Accept": "application/csv"}
    try:
        answer = server.http.request("GET", f"{server.base}/query", fields=fields, headers=headers, timeout=_TIMEOUT_S)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise StoreError(f"InfluxDB at {server.base} does not answer: {type(error).__name__}") from error
    if answer.status != 200:
        refusal = StatementRefused if answer.status in (400, 405, 422, 501) else StoreError
        raise refusal(f"InfluxDB at {server.base} answers {answer.status} to a query")
    return answer.data


def _parsed(server: Server, body: bytes) -> Column:
    head, _, rows = body.strip().partition(b"\n")
    if not rows:
        if head and not head.startswith(_HEAD):
            raise StoreError(f"InfluxDB at {server.base}: expected a table, found {head[:100]!r}")
        return joined(())
    name = rows[: rows.index(b",")]
    try:
        numbers = np.fromstring(
            rows.replace(b"\r", b"").replace(b"\n" + name + b",,", b",")[len(name) + 2 :], sep=","
        ).reshape(-1, 2)
    except ValueError as error:
        raise StoreError(f"InfluxDB at {server.base}: expected times and numbers, found {rows[:100]!r}") from error
    return Column(numbers[:, 0].astype(np.int64), numbers[:, 1].copy(), np.empty(0, np.int64))


def _spans(sought: Sought) -> Iterator[tuple[int, int]]:
    step_ms = max(_DAY_MS, -(-(sought.stop_ms - sought.start_ms) // _SLICES))
    for start_ms in range(sought.start_ms, sought.stop_ms, step_ms):
        yield start_ms, min(start_ms + step_ms, sought.stop_ms)
