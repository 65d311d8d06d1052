"""InfluxDB of every generation: written through ``/api/v2/write``, read through InfluxQL ``/query``.

Only what 1.8, 2 and 3 share is used; where they differ, it is dealt with here and nowhere else:

- the token: 2 and 3 need one; 1.8 takes ``user:password`` in its place or none at all;
- 2 needs a DBRP mapping from database to bucket for ``/query`` (docs/influxdb.md);
- line protocol always carries nanoseconds and no precision but ``ns`` is ever asked for;
- retention belongs to a bucket (:mod:`ingest.store.influx_keeping`).
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import urllib3
from influxdb_client import InfluxDBClient, WritePrecision, WriteService
from influxdb_client.rest import ApiException

from devices.catalog import Catalog
from devices.readings import Reading
from devices.site import StoreSettings
from ingest.errors import StoreError
from ingest.store import influx_history, influx_tallies
from ingest.store.ahead import all_taken
from ingest.store.base import Held, Series, WriteResult
from ingest.store.history import Column, Sought, Source, Told
from ingest.store.influx_keeping import InfluxKeeping
from ingest.store.influx_reading import InfluxReading, Server
from ingest.store.influx_refusals import divided, is_own, reason_of, takes_none
from ingest.store.line_protocol import Lines
from ingest.store.minutes import summed
from ingest.store.portion import Portion
from ingest.store.spans import Wanted, series_of
from ingest.store.tallies import Asked, Tally
from ingest.store.usual import UsualReadings, in_order, may_meet

_TIMEOUT_MS = 10_000
# One of 20,000 lines costs InfluxDB half as much a line as one of 5,000, and one of 50,000 hardly less.
_PIECE, _PIECE_MOST = 20_000, 30_000
_KEPT = 204
_POISON = frozenset({400, 422})
_SPLIT = frozenset({413})


class InfluxStore:
    """Readings in one bucket (database) of an InfluxDB; their minutes in the same or, with ``bucket_1m``, another."""

    transactional = False

    def __init__(
        self, url: str, catalog: Catalog, settings: StoreSettings | None = None, state: Path | None = None
    ) -> None:
        """Keep the address; the token comes from ``CITYDECK_INFLUX_TOKEN``.

        Only with a file for its state does a store make minutes and delete; one that is just read needs none.
        """
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._bucket = query["bucket"][0]
        self._org = query.get("org", ["-"])[0]
        self._summed = summed(catalog)
        self._lines = Lines()
        self._portion = Portion()
        token = os.environ.get("CITYDECK_INFLUX_TOKEN", "")
        self._client = InfluxDBClient(self._base, token=token or "-", org=self._org, timeout=_TIMEOUT_MS)
        self._api = WriteService(self._client.api_client)  # type: ignore[no-untyped-call]
        self._http = urllib3.PoolManager(timeout=_TIMEOUT_MS / 1000, retries=False)
        headers = {"Authorization": f"Token {token}"} if token else {}
        server = Server(self._base, headers, self._http, self._bucket, query.get("bucket_1m", [self._bucket])[0])
        self._server = server
        self._reading = InfluxReading(server, self._summed)
        self._keeping: InfluxKeeping | None = None
        if state is not None:
            self._keeping = InfluxKeeping(server, catalog, settings or StoreSettings(), state, self._post_minutes)

    def write(self, readings: Sequence[Reading], position: int, usual: Sequence[UsualReadings] = ()) -> WriteResult:
        """See :meth:`Store.write`; a line the database refuses is found by dividing."""
        if usual:
            if not may_meet(readings, usual) and all_taken(self._taken, self._pieces(readings, usual)):
                self._note(readings, usual)
                return WriteResult(_count(readings, usual))
            readings = in_order(readings, usual)
        if not readings:
            return WriteResult(0)
        result = self._written(readings)
        place = {id(reading): number for number, reading in enumerate(readings)} if result.refused else {}
        return WriteResult(result.stored, sorted(result.refused, key=lambda each: place[id(each[0])]))

    def _pieces(self, readings: Sequence[Reading], usual: Sequence[UsualReadings]) -> Iterator[list[str]]:
        """Yield the lines of readings that may be written in any order, in pieces of about a size."""
        count = _count(readings, usual)
        size = count // max(1, round(count / _PIECE))
        lines: list[str] = []
        for more in chain([self._lines.of(readings)], (self._lines.of_usual([each]) for each in usual)):
            if lines and len(lines) + len(more) // 2 > size:
                yield lines
                lines = []
            lines += more
            # As many as may be: only so is found out whether it may be more.
            while len(lines) > (most := self._most):
                yield lines[:most]
                lines = lines[most:]
        if lines:
            yield lines

    @property
    def _most(self) -> int:
        return min(self._portion.most, _PIECE_MOST)

    def _taken(self, lines: list[str]) -> bool:
        return self._put(lines) is None

    def _written(self, readings: Sequence[Reading]) -> WriteResult:
        most = self._most
        if len(readings) > most:
            return self._each([readings[begin : begin + most] for begin in range(0, len(readings), most)])
        error = self._put(self._lines.of(readings))
        if error is None:
            self._note(readings)
            return WriteResult(len(readings))
        if error.status in _SPLIT:
            if len(readings) == 1:
                raise StoreError(self._sentence(error, self._bucket)) from error
            return self._each(divided(readings, ""))
        reason = reason_of(error)
        if len(readings) == 1 or takes_none(reason, len(readings)):
            return WriteResult(0, [(each, reason) for each in readings])
        return self._each(divided(readings, reason))

    def _put(self, lines: list[str]) -> ApiException | None:
        """Write lines; return the answer where they are too many or some are refused, for then a part may be taken."""
        try:
            self._post(self._bucket, lines)
        except ApiException as error:
            if error.status in _SPLIT:
                self._portion.refused(len(lines))
                return error
            if error.status in _POISON and is_own(error):
                return error
            raise StoreError(self._sentence(error, self._bucket)) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            self._portion.unanswered(len(lines))
            raise StoreError(f"InfluxDB at {self._base} does not answer: {type(error).__name__}") from error
        self._portion.taken(len(lines))
        return None

    def _note(self, readings: Sequence[Reading], usual: Sequence[UsualReadings] = ()) -> None:
        if self._keeping is not None:
            self._keeping.note(readings, usual)

    def _each(self, parts: Iterable[Sequence[Reading]]) -> WriteResult:
        written = [self._written(part) for part in parts]
        return WriteResult(sum([each.stored for each in written]), [one for each in written for one in each.refused])

    def position(self) -> tuple[int, int, int]:
        """Return zeros: this store keeps no position."""
        return 0, 0, 0

    def series(self, measurement: str, device: str, key: str, start_ms: int, stop_ms: int, step_ms: int) -> Series:
        """See :meth:`Store.series`."""
        has_minutes = any(field.key == key for field in self._summed.get(measurement, ()))
        return series_of(self._reading, Wanted(measurement, device, key, start_ms, stop_ms), step_ms, has_minutes)

    def rows(
        self, measurement: str, devices: Sequence[str], limit: int
    ) -> list[tuple[str, int, dict[str, float | str]]]:
        """See :meth:`Store.rows`."""
        columns, values = self._reading.newest(measurement, devices, limit)
        found = []
        for row in values:
            named = dict(zip(columns, row, strict=True))
            device, at = str(named.pop("device_id", "")), int(named.pop("time"))
            own = {key: value for key, value in named.items() if value is not None and key not in ("district", "flags")}
            found.append((device, at, own))
        return found

    def before(
        self, measurement: str, at_ms: int, horizon_ms: int, devices: Sequence[str] = (), most: int | None = None
    ) -> list[Held]:
        """See :meth:`Store.before`."""
        return self._reading.before(measurement, at_ms, horizon_ms, devices, most)

    def count(self, measurement: str, start_ns: int, stop_ns: int) -> dict[str, int]:
        """See :meth:`Store.count`."""
        return self._reading.count(measurement, start_ns, stop_ns)

    def instants(
        self, measurement: str, start_ns: int, stop_ns: int, device: str | None = None
    ) -> dict[str, Sequence[int]]:
        """See :meth:`Store.instants`."""
        return self._reading.instants(measurement, start_ns, stop_ns, device)

    def tallies(self, asked: Asked, start_ms: int, stop_ms: int) -> dict[str, list[Tally]]:
        """See :meth:`Store.tallies`."""
        return influx_tallies.tallies(self._server, asked, start_ms, stop_ms)

    def reach(self, measurement: str) -> tuple[int, int] | None:
        """See :meth:`Store.reach`."""
        return influx_history.reach(self._server, measurement)

    def extremes(self, sought: Sought, highest: bool, tell: Told = lambda _done, _total: None) -> dict[Source, float]:
        """See :meth:`Store.extremes`."""
        return influx_history.extremes(self._server, sought, highest, tell)

    def column(self, sought: Sought, source: Source) -> Column:
        """See :meth:`Store.column`."""
        return influx_history.column(self._server, sought, source)

    def summarise(self, until_ms: int) -> int | None:
        """See :meth:`Store.summarise`."""
        return None if self._keeping is None else self._keeping.summarise(until_ms)

    def expire(self, now_ms: int) -> int:
        """See :meth:`Store.expire`; most of it InfluxDB does by its buckets' own retention."""
        return 0 if self._keeping is None else self._keeping.expire(now_ms)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()  # type: ignore[no-untyped-call]
        self._http.clear()
        if self._keeping is not None:
            self._keeping.close()

    def _post(self, bucket: str, lines: list[str]) -> None:
        try:
            _, status, _ = self._api.post_write_with_http_info(  # type: ignore[no-untyped-call]
                self._org,
                bucket,
                "\n".join(lines).encode(),
                precision=WritePrecision.NS,
                content_type="text/plain; charset=utf-8",
            )
        except UnicodeDecodeError as error:
            # A proxy's page in GBK; the client wants the text of every refusal.
            raise StoreError(f"InfluxDB at {self._base} answers a write with what is no UTF-8") from error
        if status != _KEPT:
            # A page that some other server, or a proxy between, gives to everybody keeps no reading.
            raise StoreError(f"InfluxDB at {self._base} answers a write with {status}, expected {_KEPT}")

    def _sentence(self, error: ApiException, bucket: str) -> str:
        if error.status in (401, 403):
            return f"InfluxDB at {self._base} refuses the token ({error.status}); check CITYDECK_INFLUX_TOKEN"
        if error.status == 404:
            return f"InfluxDB at {self._base} has no bucket {bucket!r} (404); create it or mend store.url"
        if error.status in _POISON:
            # Whoever else answers there would say so to every reading.
            return (
                f"InfluxDB at {self._base} answers {error.status} with what is no error of InfluxDB "
                f"({reason_of(error)}); check store.url and what stands between"
            )
        return f"InfluxDB at {self._base} answers {error.status}: {reason_of(error)}"

    def _post_minutes(self, bucket: str, lines: list[str]) -> str:
        try:
            self._post(bucket, lines)
        except ApiException as error:
            if error.status not in _POISON or not is_own(error):
                raise StoreError(self._sentence(error, bucket)) from error
            return reason_of(error)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreError(f"InfluxDB at {self._base} does not answer: {type(error).__name__}") from error
        return ""


def _count(readings: Sequence[Reading], usual: Sequence[UsualReadings]) -> int:
    return len(readings) + sum([len(each.devices) for each in usual])
