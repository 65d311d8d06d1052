"""Reading InfluxDB through InfluxQL ``/query``, with statements that 1.8, 2 and 3 share."""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import urllib3

from ingest.errors import StoreError
from ingest.store.base import Held, Point, point_quality
from ingest.store.minutes import table_of
from ingest.store.spans import Slot, Wanted

_CANNOT = frozenset({400, 405, 422, 501})


class StatementRefused(StoreError):
    """The server is there and cannot run a statement; asking again will not help."""


@dataclass(frozen=True, slots=True)
class Server:
    """One InfluxDB: its address, what authorises us there, and its buckets; ``long`` keeps minutes and records."""

    base: str
    headers: Mapping[str, str]
    http: urllib3.PoolManager
    bucket: str
    long: str

    def ask(
        self, statement: str, bucket: str, epoch: str = "ms", method: str = "GET", timeout_s: float | None = None
    ) -> list[dict[str, Any]]:
        """Run a statement and return its series, each with columns, values and perhaps tags.

        Raises:
            StoreError: the server is away.
            StatementRefused: it cannot run this.
        """
        database, _, policy = bucket.partition("/")
        fields = {"db": database, "epoch": epoch, "q": statement, **({"rp": policy} if policy else {})}
        options: dict[str, Any] = {**_BODY.get(method, {}), **({"timeout": timeout_s} if timeout_s else {})}
        try:
            answer = self.http.request(method, f"{self.base}/query", fields=fields, headers=self.headers, **options)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreError(f"InfluxDB at {self.base} does not answer: {type(error).__name__}") from error
        if answer.status != 200:
            refusal = StatementRefused if answer.status in _CANNOT else StoreError
            raise refusal(f"InfluxDB at {self.base} answers {answer.status} to a query")
        try:
            result = json.loads(answer.data)["results"][0]
        except (ValueError, LookupError, TypeError) as error:
            # A proxy between may answer 200 with a page of its own.
            raise StoreError(f"InfluxDB at {self.base} answers a query with what is no result") from error
        if "error" in result:
            raise StatementRefused(f"InfluxDB: {result['error']}")
        found: list[dict[str, Any]] = result.get("series", [])
        return found

    def rows(self, statement: str, bucket: str) -> tuple[list[str], list[list[Any]]]:
        """Return the columns and values of a statement that yields one series."""
        found = self.ask(statement, bucket)
        return (found[0]["columns"], found[0]["values"]) if found else ([], [])


_BODY: Mapping[str, dict[str, Any]] = {"POST": {"encode_multipart": False}}


class InfluxReading:
    """The fields of one server; a :class:`ingest.store.spans.Source`."""

    def __init__(self, server: Server, summed: Container[str]) -> None:
        self._server = server
        self._summed = summed

    def raw(self, wanted: Wanted) -> list[Point]:
        """See :meth:`ingest.store.spans.Source.raw`; older records come from the bucket that keeps them longer."""
        points = self._raw(wanted, self._server.bucket)
        if wanted.measurement not in self._summed and self._server.long != self._server.bucket:
            before_ms = points[0][0] if points else wanted.stop_ms
            points = [*self._raw(wanted._replace(stop_ms=before_ms), self._server.long), *points]
        return points

    def raw_slots(self, wanted: Wanted, step_ms: int) -> list[Slot]:
        """See :meth:`ingest.store.spans.Source.raw_slots`."""
        name = wanted.measurement
        found = self._slots(wanted, step_ms, name, wanted.key, wanted.key, self._server.bucket)
        if name not in self._summed and self._server.long != self._server.bucket:
            older = self._slots(wanted, step_ms, name, wanted.key, wanted.key, self._server.long)
            found = list({slot.at_ms: slot for slot in [*older, *found]}.values())
        return sorted(found)

    def minute_slots(self, wanted: Wanted, step_ms: int) -> list[Slot]:
        """See :meth:`ingest.store.spans.Source.minute_slots`."""
        name, low, high = table_of(wanted.measurement), f"{wanted.key}_min", f"{wanted.key}_max"
        return self._slots(wanted, step_ms, name, low, high, self._server.long)

    def newest(self, measurement: str, devices: Sequence[str], limit: int) -> tuple[list[str], list[list[Any]]]:
        """Return the columns and values of the newest rows, newest first."""
        where = " OR ".join(f"\"device_id\" = '{quoted(device)}'" for device in devices)
        clause = f" WHERE {where}" if where else ""
        statement = f"SELECT * FROM {identifier(measurement)}{clause} ORDER BY time DESC LIMIT {int(limit)}"
        return self._server.rows(statement, self._server.bucket)

    def before(
        self, measurement: str, at_ms: int, horizon_ms: int, devices: Sequence[str], most: int | None
    ) -> list[Held]:
        """Return the rows up to an instant, newest first; older records come from the bucket that keeps them longer."""
        whose = " OR ".join(f"\"device_id\" = '{quoted(device)}'" for device in devices)
        window = f"time >= {at_ms - horizon_ms + 1}ms AND time < {at_ms + 1}ms{f' AND ({whose})' if whose else ''}"
        limit = "" if most is None else f" LIMIT {int(most)}"
        statement = f"SELECT * FROM {identifier(measurement)} WHERE {window} ORDER BY time DESC{limit}"
        found = _held(*self._server.rows(statement, self._server.bucket))
        if measurement in self._summed or self._server.long == self._server.bucket or len(found) == most:
            return found
        # What stands in both buckets comes from the first.
        oldest_ms = found[-1].at_ms if found else at_ms + 1
        older = [row for row in _held(*self._server.rows(statement, self._server.long)) if row.at_ms < oldest_ms]
        return [*found, *older][:most]

    def count(self, measurement: str, start_ns: int, stop_ns: int) -> dict[str, int]:
        """Return how many points each device has."""
        found = self._server.ask(
            f'SELECT count("quality") FROM {identifier(measurement)} WHERE time >= {start_ns} AND time < {stop_ns} '
            'GROUP BY "device_id"',
            self._server.bucket,
        )
        return {series["tags"]["device_id"]: int(series["values"][0][1]) for series in found}

    def instants(
        self, measurement: str, start_ns: int, stop_ns: int, device: str | None = None
    ) -> dict[str, Sequence[int]]:
        """Return the instants of every point by device."""
        whose = f" AND \"device_id\" = '{quoted(device)}'" if device is not None else ""
        found = self._server.ask(
            f'SELECT "quality" FROM {identifier(measurement)} WHERE time >= {start_ns} AND time < {stop_ns}{whose} '
            'GROUP BY "device_id"',
            self._server.bucket,
            epoch="ns",
        )
        return {series["tags"]["device_id"]: [int(at_ns) for at_ns, _ in series["values"]] for series in found}

    def _raw(self, wanted: Wanted, bucket: str) -> list[Point]:
        name, field = identifier(wanted.measurement), identifier(wanted.key)
        _, rows = self._server.rows(
            f'SELECT {field}, "quality", "flags" FROM {name} WHERE {_window(wanted)} ORDER BY time', bucket
        )
        return [
            (at, value, point_quality(wanted.key, quality, flags))
            for at, value, quality, flags in rows
            if value is not None
        ]

    def _slots(self, wanted: Wanted, step_ms: int, name: str, low: str, high: str, bucket: str) -> list[Slot]:
        if wanted.stop_ms <= wanted.start_ms:
            return []
        _, rows = self._server.rows(
            f'SELECT min({identifier(low)}), max({identifier(high)}), max("quality") FROM {identifier(name)} '
            f"WHERE {_window(wanted)} GROUP BY time({step_ms}ms) fill(none) ORDER BY time",
            bucket,
        )
        slots = [(at, least, most, quality) for at, least, most, quality in rows if least is not None]
        flagged: dict[int, list[str]] = {}
        if slots:
            # Flags are texts, which no aggregate takes; there are few.
            _, rows = self._server.rows(
                f'SELECT "flags" FROM {identifier(name)} WHERE {_window(wanted)} AND "flags" != \'\'', bucket
            )
            for at, flags in rows:
                flagged.setdefault(int(at) // step_ms * step_ms, []).append(flags or "")
        return [
            Slot(int(at), least, most, point_quality(wanted.key, quality, " ".join(flagged.get(int(at), ()))))
            for at, least, most, quality in slots
        ]


def _held(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Held]:
    found = []
    for row in rows:
        named = dict(zip(columns, row, strict=True))
        device, district, at_ms = named.pop("device_id"), named.pop("district", ""), int(named.pop("time"))
        quality, flags = int(named.pop("quality", 0) or 0), named.pop("flags", "") or ""
        values = {key: value for key, value in named.items() if value is not None}
        found.append(Held(str(device), str(district or ""), at_ms, values, quality, flags))
    return found


def identifier(name: str) -> str:
    """Return a name as InfluxQL quotes it."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def quoted(text: str) -> str:
    """Return a text as it stands between InfluxQL's quotes."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _window(wanted: Wanted) -> str:
    return f"\"device_id\" = '{quoted(wanted.device)}' AND time >= {wanted.start_ms}ms AND time < {wanted.stop_ms}ms"
