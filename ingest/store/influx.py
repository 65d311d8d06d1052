"""InfluxDB of every generation: written through ``/api/v2/write``, read through InfluxQL ``/query``.

Only what 1.8, 2 and 3 share is used; where they differ, it is dealt with here and nowhere else:

- the token: 2 and 3 need one; 1.8 takes ``user:password`` in its place or none at all;
- 2 needs a DBRP mapping from database to bucket for ``/query`` (docs/influxdb.md);
- line protocol always carries nanoseconds and no precision but ``ns`` is ever asked for.
"""

import json
import os
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlsplit

import urllib3
from influxdb_client import InfluxDBClient, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from devices.catalog import Catalog
from devices.readings import Reading
from ingest.errors import StoreError
from ingest.store.base import Point, Series, WriteResult, point_quality

_TIMEOUT_MS = 10_000
_POISON = frozenset({400, 422})
_SPLIT = frozenset({413})


class InfluxStore:
    """Readings in one bucket (database) of an InfluxDB."""

    transactional = False

    def __init__(self, url: str, catalog: Catalog) -> None:
        """Keep the address; the token comes from ``CITYDECK_INFLUX_TOKEN``."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._bucket = query["bucket"][0]
        self._org = query.get("org", ["-"])[0]
        self._catalog = catalog
        token = os.environ.get("CITYDECK_INFLUX_TOKEN", "")
        self._headers = {"Authorization": f"Token {token}"} if token else {}
        self._client = InfluxDBClient(
            self._base, token=token or "-", org=self._org, timeout=_TIMEOUT_MS, enable_gzip=True
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        self._http = urllib3.PoolManager(timeout=_TIMEOUT_MS / 1000, retries=False)

    def write(self, readings: Sequence[Reading], position: int) -> WriteResult:
        """See :meth:`Store.write`; a line the database refuses is bisected out."""
        if not readings:
            return WriteResult(0)
        try:
            self._post([line(reading) for reading in readings])
        except ApiException as error:
            if error.status in _SPLIT and len(readings) > 1:
                return self._halves(readings, position)
            if error.status not in _POISON:
                raise StoreError(self._sentence(error)) from error
            if len(readings) == 1:
                return WriteResult(0, [(readings[0], _reason(error))])
            return self._halves(readings, position)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreError(f"InfluxDB at {self._base} does not answer: {type(error).__name__}") from error
        return WriteResult(len(readings))

    def position(self) -> tuple[int, int, int]:
        """Return zeros: this store keeps no position."""
        return 0, 0, 0

    def series(self, measurement: str, device: str, key: str, start_ms: int, stop_ms: int, step_ms: int) -> Series:
        """See :meth:`Store.series`."""
        where = f"\"device_id\" = '{_quoted(device)}' AND time >= {start_ms}ms AND time < {stop_ms}ms"
        name, field = _identifier(measurement), _identifier(key)
        if step_ms <= 0:
            rows = self._query(f'SELECT {field}, "quality", "flags" FROM {name} WHERE {where} ORDER BY time')
            return Series(
                [
                    (at, value, point_quality(key, quality, flags))
                    for at, value, quality, flags in rows
                    if value is not None
                ]
            )
        rows = self._query(
            f'SELECT min({field}), max({field}), max("quality") FROM {name} WHERE {where} '
            f"GROUP BY time({step_ms}ms) fill(none) ORDER BY time"
        )
        points: list[Point] = []
        for at, low, high, quality in rows:
            if low is not None:
                points.append((at, low, int(quality or 0)))
                points.append((at + step_ms // 2, high, int(quality or 0)))
        return Series(points, step_ms / 1000)

    def rows(
        self, measurement: str, devices: Sequence[str], limit: int
    ) -> list[tuple[str, int, dict[str, float | str]]]:
        """See :meth:`Store.rows`."""
        where = " OR ".join(f"\"device_id\" = '{_quoted(device)}'" for device in devices)
        clause = f" WHERE {where}" if where else ""
        statement = f"SELECT * FROM {_identifier(measurement)}{clause} ORDER BY time DESC LIMIT {int(limit)}"
        columns, values = self._columns(statement)
        found = []
        for row in values:
            named = dict(zip(columns, row, strict=True))
            device, at = str(named.pop("device_id", "")), int(named.pop("time"))
            own = {key: value for key, value in named.items() if value is not None and key not in ("district", "flags")}
            found.append((device, at, own))
        return found

    def expire(self, before_ms: int) -> None:
        """Do nothing: InfluxDB drops old readings by its bucket's own retention."""

    def close(self) -> None:
        """Close the connections."""
        self._api.close()  # type: ignore[no-untyped-call]
        self._client.close()  # type: ignore[no-untyped-call]
        self._http.clear()

    def _post(self, lines: list[str]) -> None:
        self._api.write(
            bucket=self._bucket,
            org=self._org,
            record="\n".join(lines).encode(),
            write_precision=WritePrecision.NS,  # type: ignore[arg-type]
        )

    def _halves(self, readings: Sequence[Reading], position: int) -> WriteResult:
        middle = len(readings) // 2
        first, second = self.write(readings[:middle], position), self.write(readings[middle:], position)
        return WriteResult(first.stored + second.stored, [*first.refused, *second.refused])

    def _sentence(self, error: ApiException) -> str:
        if error.status in (401, 403):
            return f"InfluxDB at {self._base} refuses the token ({error.status}); check CITYDECK_INFLUX_TOKEN"
        if error.status == 404:
            return f"InfluxDB at {self._base} has no bucket {self._bucket!r} (404); create it or mend store.url"
        return f"InfluxDB at {self._base} answers {error.status}: {_reason(error)}"

    def _query(self, statement: str) -> list[list]:  # type: ignore[type-arg]
        return self._columns(statement)[1]

    def _columns(self, statement: str) -> tuple[list[str], list[list]]:  # type: ignore[type-arg]
        try:
            answer = self._http.request(
                "GET",
                f"{self._base}/query",
                fields={"db": self._bucket, "epoch": "ms", "q": statement},
                headers=self._headers,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreError(f"InfluxDB at {self._base} does not answer: {type(error).__name__}") from error
        if answer.status != 200:
            raise StoreError(f"InfluxDB at {self._base} answers {answer.status} to a query")
        result = json.loads(answer.data)["results"][0]
        if "error" in result:
            raise StoreError(f"InfluxDB: {result['error']}")
        series = result.get("series")
        return (series[0]["columns"], series[0]["values"]) if series else ([], [])


def line(reading: Reading) -> str:
    """Return a reading in line protocol: every number a float, texts as strings, time in nanoseconds."""
    tags = "".join(f",{key}={_tag(value)}" for key, value in sorted(reading.tags.items()) if value)
    return (
        f"{reading.measurement},device_id={_tag(reading.device)},district={_tag(reading.district)}{tags} "
        f"{','.join(_fields(reading))} {reading.at_ns}"
    )


def _fields(reading: Reading) -> Iterator[str]:
    for key, value in reading.values.items():
        yield f"{key}={value!r}" if isinstance(value, float) else f"{key}={_string(value)}"
    yield f"quality={int(reading.quality)}i"
    if reading.flags:
        yield f"flags={_string(' '.join(f'{key}:{code}' for key, code in reading.flags.items()))}"


def _tag(value: str) -> str:
    kept = value.replace("\\", "/").replace("\n", " ").replace("\r", " ")
    return kept.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _string(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
    return f'"{escaped}"'


def _identifier(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _reason(error: ApiException) -> str:
    body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or error.reason)
    try:
        found = json.loads(body)
        return str(found.get("message") or found.get("error") or body)[:300]
    except (ValueError, AttributeError):
        # A proxy answers with a page: its status line says as much in one line.
        return " ".join(body.split())[:300] if not body.lstrip().startswith("<") else str(error.reason)
