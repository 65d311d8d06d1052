"""What only InfluxDB does: line protocol, lines it refuses, and every way of not answering."""

import http.server
import re
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.readings import Quality
from devices.site import Site, StoreSettings
from ingest.errors import StoreError
from ingest.store import InfluxStore
from ingest.store import influx as influx_module
from ingest.store.line_protocol import Lines, line
from ingest.store.minutes import summed
from tests.ingest.messages import T_MS
from tests.ingest.test_stores import raw, reading
from tests.servers.influxdb import Influx
from tests.servers.ports import free_port

LINES = [
    (reading({"conc_ppm": 3.0}), f"gas_alarm,device_id=gas-1,district=demo conc_ppm=3.0,quality=0i {T_MS}000000"),
    (
        reading({"conc_ppm": 0.0}, tags={"premises": "valve well", "gas": "CO"}, flags={"": "a", "conc_ppm": "range"}),
        "gas_alarm,device_id=gas-1,district=demo,gas=CO,premises=valve\\ well "
        f'conc_ppm=0.0,flags=":a conc_ppm:range",quality=0i {T_MS}000000',
    ),
    (
        reading({"pass_id": 'a "b" \\ c', "gvw_kg": 1e20}, quality=Quality.BAD, tags={"lane": ""}),
        f'gas_alarm,device_id=gas-1,district=demo pass_id="a \\"b\\" \\\\ c",gvw_kg=1e+20,quality=2i {T_MS}000000',
    ),
]


@pytest.mark.parametrize(("written", "expected"), LINES)
def test_line_protocol(written: Any, expected: str) -> None:
    assert line(written) == expected


@pytest.fixture
def store(influx: Influx, site: Site) -> Iterator[InfluxStore]:
    opened = InfluxStore(f"{influx.url}?org={influx.org}&bucket={influx.database}", site.catalog)
    yield opened
    opened.close()


@pytest.mark.parametrize("tag", ["valve well", "a,b=c", "ends with \\", "line\nbreak", "城市", "=", ",", "'"])
def test_odd_characters_in_a_tag_neither_break_the_line_nor_move_it(
    influx: Influx, store: InfluxStore, tag: str
) -> None:
    assert (
        store.write([reading({"conc_ppm": 1.0}, tags={"gas": tag}), reading({"conc_ppm": 2.0}, T_MS + 1)], 2).stored
        == 2
    )
    assert [row["conc_ppm"] for row in influx.rows("SELECT conc_ppm FROM gas_alarm")] == [1.0, 2.0]
    (row,) = influx.rows("SELECT gas, conc_ppm FROM gas_alarm WHERE gas != ''")
    assert row["gas"] == tag.replace("\\", "/").replace("\n", " ")


def test_nanoseconds_and_floats_arrive_as_such(influx: Influx, store: InfluxStore) -> None:
    store.write([reading({"conc_ppm": 0.0}, at_ns=1_767_225_600_123_456_789)], 1)
    store.write([reading({"conc_ppm": 0.1}, at_ns=1_767_225_600_123_456_790)], 2)
    assert [row["time"] for row in influx.rows("SELECT conc_ppm FROM gas_alarm")] == [
        1_767_225_600_123_456_789,
        1_767_225_600_123_456_790,
    ]
    types = {row["fieldKey"]: row["fieldType"] for row in influx.rows("SHOW FIELD KEYS FROM gas_alarm")}
    assert types == {"conc_ppm": "float", "quality": "integer"}


def test_a_line_that_conflicts_is_cut_out_and_the_others_are_stored(influx: Influx, store: InfluxStore) -> None:
    store.write([reading({"conc_ppm": 1.0}, T_MS - 1)], 1)
    batch = [reading({"conc_ppm": float(n)}, T_MS + n, position=n) for n in range(1000)]
    batch[637] = reading({"conc_ppm": "plenty"}, T_MS + 637, position=637)
    result = store.write(batch, 1000)
    assert result.stored == 999
    ((refused, sentence),) = result.refused
    assert refused.position == 637
    assert "field type conflict" in sentence
    assert "conc_ppm" in sentence
    (row,) = influx.rows("SELECT count(conc_ppm) FROM gas_alarm")
    assert row["count"] == 1000
    assert store.write(batch, 1000).stored == 999, "the same write again says the same"
    assert influx.rows("SELECT count(conc_ppm) FROM gas_alarm") == [row]


def test_several_poison_lines_each_have_their_own_words(store: InfluxStore) -> None:
    store.write([reading({"conc_ppm": 1.0, "temp_c": 1.0}, T_MS - 1)], 1)
    batch = [reading({"conc_ppm": 1.0}, T_MS + n, position=n) for n in range(64)]
    for n, key in ((0, "conc_ppm"), (31, "temp_c"), (32, "conc_ppm"), (63, "temp_c")):
        batch[n] = reading({key: "text"}, T_MS + n, position=n)
    result = store.write(batch, 64)
    assert (result.stored, [found.position for found, _ in result.refused]) == (60, [0, 31, 32, 63])
    assert [("temp_c" in sentence) for _, sentence in result.refused] == [False, True, False, True]


@pytest.fixture
def writes(store: InfluxStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many lines each request to write had."""
    sizes: list[int] = []
    post = store._post

    def counted(bucket: str, lines: list[str]) -> None:
        sizes.append(len(lines))
        post(bucket, lines)

    monkeypatch.setattr(store, "_post", counted)
    return sizes


def test_many_that_conflict_are_found_in_a_few_writes(influx: Influx, store: InfluxStore, writes: list[int]) -> None:
    """One in ten is a text where the database knows a number, scattered over a batch with other fields and devices."""
    store.write([reading({"conc_ppm": 1.0}, T_MS - 1)], 1)
    batch = [
        reading(
            {"conc_ppm": "plenty", "temp_c": 3.0} if n % 10 == 0 else {"conc_ppm" if n % 2 else "temp_c": float(n)},
            T_MS + n, f"gas-{n % 7}", position=n,
        )
        for n in range(5_000)
    ]  # fmt: skip
    writes.clear()
    result = store.write(batch, 5_000)
    assert (result.stored, [found.position for found, _ in result.refused]) == (4_500, [*range(0, 5_000, 10)])
    assert len(writes) < 10, writes


def test_what_is_too_old_is_found_by_its_time(influx: Influx, store: InfluxStore, writes: list[int]) -> None:
    influx.rows(f'ALTER RETENTION POLICY "autogen" ON "{influx.database}" DURATION 168h')
    now_ms = time.time_ns() // 1_000_000
    batch = [reading({"conc_ppm": 1.0}, now_ms - n % 3 * 30 * 86_400_000 - n, position=n) for n in range(1_200)]
    result = store.write(batch, 1_200)
    assert [found.position for found, _ in result.refused] == [n for n in range(1_200) if n % 3]
    assert all("retention" in sentence for _, sentence in result.refused)
    assert (result.stored, len(writes) < 40) == (400, True), writes
    (row,) = influx.rows("SELECT count(conc_ppm) FROM gas_alarm")
    assert row["count"] == 400


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers every request with what the server says."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body = self.server.answer(self)  # type: ignore[attr-defined]
        # Who was kept waiting for too long is gone by now.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_POST = _answer

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(answer: Callable[[Any], tuple[int, bytes]]) -> Iterator[str]:
    """Serve one answer on a port of its own and give the address."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", free_port()), Answering)
    server.daemon_threads = True
    server.answer = answer  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def store_at(address: str, site: Site) -> Iterator[InfluxStore]:
    opened = InfluxStore(f"{address}?org=o&bucket=citydeck", site.catalog)
    try:
        yield opened
    finally:
        opened.close()


ANSWERS = [
    (401, b'{"code":"unauthorized","message":"unauthorized"}', "refuses the token (401); check CITYDECK_INFLUX_TOKEN"),
    (403, b'{"message":"insufficient permissions"}', "refuses the token (403); check CITYDECK_INFLUX_TOKEN"),
    (404, b'{"message":"bucket not found"}', "has no bucket 'citydeck' (404); create it or mend store.url"),
    (500, b'{"error":"engine: out of disk"}', "answers 500: engine: out of disk"),
    (502, b"<html>\r\n<h1>502 Bad Gateway</h1>\r\n</html>", "answers 502: Bad Gateway"),
    (500, b"out\nof\nwords", "answers 500: out of words"),
    (503, b'{"message":"shard is closed"}', "answers 503: shard is closed"),
    (429, b'{"message":"write rate exceeded"}', "answers 429: write rate exceeded"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "sentence"), ANSWERS)
def test_every_refusal_is_one_clear_sentence(site: Site, status: int, body: bytes, sentence: str) -> None:
    with answering(lambda _: (status, body)) as address, store_at(address, site) as store:
        with pytest.raises(StoreError) as refusal:
            store.write([reading({"conc_ppm": float(n)}, T_MS + n) for n in range(10)], 10)
        assert str(refusal.value) == f"InfluxDB at {address} {sentence}"
        with pytest.raises(StoreError, match=f"InfluxDB at {address} answers {status} to a query"):
            raw(store, "conc_ppm")


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_page_that_anybody_gets_is_not_taken_for_stored(site: Site, status: int) -> None:
    """A proxy, or another server at that address, answers well to anything and keeps nothing."""
    page = b"<html>welcome</html>"
    with answering(lambda _: (status, page)) as address, store_at(address, site) as store:
        with pytest.raises(StoreError, match=f"^InfluxDB at {address} answers a write with {status}, expected 204$"):
            store.write([reading({"conc_ppm": 1.0})], 1)
        sentence = "with what is no result" if status == 200 else f"{status} to a query"
        for body in (page, b"[]", b'{"results":[]}') if status == 200 else (page,):
            page = body
            with pytest.raises(StoreError, match=f"InfluxDB at {address} answers .*{sentence}"):
                raw(store, "conc_ppm")


def test_a_server_that_hangs_or_is_not_there_does_not_answer(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influx_module, "_TIMEOUT_MS", 200)
    released = threading.Event()

    def hang(_: Any) -> tuple[int, bytes]:
        released.wait(20)
        return 204, b""

    with answering(hang) as address, store_at(address, site) as store:
        for call in (lambda: store.write([reading({"conc_ppm": 1.0})], 1), lambda: raw(store, "conc_ppm")):
            with pytest.raises(StoreError, match=f"InfluxDB at {address} does not answer: ReadTimeoutError"):
                call()
        released.set()
    with store_at(f"http://127.0.0.1:{free_port()}", site) as store:
        for call in (lambda: store.write([reading({"conc_ppm": 1.0})], 1), lambda: raw(store, "conc_ppm")):
            with pytest.raises(StoreError, match="does not answer: NewConnectionError"):
                call()


def test_a_batch_that_is_too_large_is_halved_until_it_fits(site: Site) -> None:
    seen: list[int] = []

    def small_only(request: Any) -> tuple[int, bytes]:
        seen.append(int(request.headers["Content-Length"]))
        return (413, b'{"message":"too large"}') if seen[-1] > 400 else (204, b"")

    with answering(small_only) as address, store_at(address, site) as store:
        assert store.write([reading({"conc_ppm": float(n)}, T_MS + n * 7919) for n in range(200)], 200).stored == 200
    assert max(seen) > 400
    assert sum(size <= 400 for size in seen) > 1


def test_one_reading_that_is_too_large_is_not_halved_for_ever(site: Site) -> None:
    with (
        answering(lambda _: (413, b'{"message":"too large"}')) as address,
        store_at(address, site) as store,
        pytest.raises(StoreError, match="answers 413: too large"),
    ):
        store.write([reading({"conc_ppm": 1.0})], 1)


@pytest.mark.parametrize("status", [400, 422])
def test_a_poison_line_alone_is_refused_with_the_words_of_the_database(site: Site, status: int) -> None:
    body = b'{"code":"invalid","message":"partial write: points beyond retention policy dropped=1"}'
    with answering(lambda _: (status, body)) as address, store_at(address, site) as store:
        result = store.write([reading({"conc_ppm": 1.0})], 1)
    assert (result.stored, result.refused[0][1]) == (0, "partial write: points beyond retention policy dropped=1")


def test_the_token_goes_with_every_request(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYDECK_INFLUX_TOKEN", "s3cret")
    seen: list[tuple[str, str]] = []

    def remember(request: Any) -> tuple[int, bytes]:
        seen.append((request.path, request.headers["Authorization"]))
        return (204, b"") if "write" in request.path else (200, b'{"results":[{"statement_id":0}]}')

    with answering(remember) as address, store_at(address, site) as store:
        store.write([reading({"conc_ppm": 1.0})], 1)
        assert raw(store, "conc_ppm") == []
    assert {authorization for _, authorization in seen} == {"Token s3cret"}
    assert [path.partition("?")[0] for path, _ in seen[:2]] == ["/api/v2/write", "/query"]
    assert seen[0][0] == "/api/v2/write?org=o&bucket=citydeck&precision=ns"


def test_a_query_the_database_cannot_run_is_one_sentence(site: Site) -> None:
    with (
        answering(lambda _: (200, b'{"results":[{"error":"database not found: citydeck"}]}')) as address,
        store_at(address, site) as store,
        pytest.raises(StoreError, match="InfluxDB: database not found: citydeck"),
    ):
        raw(store, "conc_ppm")


OLD = b'{"results":[{"series":[{"name":"m","columns":["time","quality"],"values":[[1,0]]}]}]}'


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, b'{"results":[{"error":"DELETE is not supported"}]}'), "InfluxDB: DELETE is not supported"),
        ((400, b"{}"), "answers 400 to a query"),
    ],
)
def test_a_server_that_cannot_delete_is_asked_once_a_day(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: tuple[int, bytes], words: str
) -> None:
    """InfluxDB 3 has no DELETE; its tables have a retention of their own instead."""
    asked: list[str] = []

    def refuse(request: Any) -> tuple[int, bytes]:
        asked.append(request.command)
        return (200, OLD) if request.command == "GET" else answer

    with answering(refuse) as address:
        store = InfluxStore(f"{address}?org=o&bucket=b", site.catalog, StoreSettings("", 90, 730), tmp_path / "m.db")
        measurements = len(summed(site.catalog))
        for now_ms, count in ((T_MS, measurements), (T_MS + 86_399_999, 0), (T_MS + 86_400_000, measurements)):
            asked.clear()
            caplog.clear()
            while store.expire(now_ms):
                pass
            assert asked == ["GET", "POST"] * count
            assert len(caplog.records) == count
            assert all(words in record.getMessage() for record in caplog.records)
        assert re.search(r"; \w+ of more than 90 days stays: see docs/influxdb.md$", caplog.records[0].getMessage())
        store.close()


def test_nothing_is_deleted_where_nothing_is_old(site: Site, tmp_path: Path) -> None:
    """A DELETE of InfluxDB 1 hides series whose first point comes meanwhile, so there is none without need."""
    asked: list[str] = []

    def nothing(request: Any) -> tuple[int, bytes]:
        asked.append(request.command)
        return 200, b'{"results":[{"statement_id":0}]}'

    with answering(nothing) as address:
        store = InfluxStore(f"{address}?org=o&bucket=b", site.catalog, StoreSettings("", 90, 730), tmp_path / "m.db")
        while store.expire(T_MS):
            pass
        assert asked == ["GET"] * len(summed(site.catalog))
        store.close()


def test_deletion_waits_for_a_server_that_is_away(site: Site, tmp_path: Path) -> None:
    answers = [(502, b""), (200, b'{"results":[{"statement_id":0}]}')]
    with answering(lambda _: answers[0]) as address:
        store = InfluxStore(f"{address}?org=o&bucket=b", site.catalog, StoreSettings("", 90, 730), tmp_path / "m.db")
        for _ in range(2):
            with pytest.raises(StoreError, match="answers 502 to a query"):
                store.expire(T_MS)
        answers.pop(0)
        assert sum(1 for _ in iter(lambda: store.expire(T_MS), 0)) == len(summed(site.catalog))
        store.close()


def test_a_bucket_of_a_database_with_policies_is_read_from_that_policy(site: Site) -> None:
    """In 1.8 a bucket is ``database/policy``, which a query names in two parts."""
    seen: list[dict[str, list[str]]] = []

    def remember(request: Any) -> tuple[int, bytes]:
        seen.append(parse_qs(urlsplit(request.path).query))
        return 200, b'{"results":[{"statement_id":0}]}'

    with answering(remember) as address:
        store = InfluxStore(f"{address}?org=o&bucket=city/90d&bucket_1m=city/2y", site.catalog)
        raw(store, "conc_ppm")
        store.close()
    assert [(asked["db"], asked["rp"]) for asked in seen] == [(["city"], ["90d"]), (["city"], ["2y"])]


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ANY = st.builds(
    lambda values, tags, flags, at_ms, quality: reading(values, at_ms, tags=tags, flags=flags, quality=quality),
    st.dictionaries(st.sampled_from(["a", "b", "pass_id"]), NUMBERS | st.text(max_size=20), min_size=1),
    st.dictionaries(st.just("gas"), st.text(max_size=5)),
    st.dictionaries(st.just("a"), st.just("range")),
    st.integers(0, 2**41),
    st.sampled_from(Quality),
)


@given(st.lists(ANY, min_size=1, max_size=5))
def test_a_batch_says_what_its_lines_say(readings: list[Any]) -> None:
    # One number may be written in several ways (1e+20, 1e20).
    def numbers(found: str) -> list[object]:
        parts = re.split(r"([-+0-9.e]{3,})", found)
        return [float(part) if re.fullmatch(r"-?\d+(\.\d+)?(e[-+]?\d+)?", part) else part for part in parts]

    assert [numbers(each) for each in Lines().of(readings)] == [numbers(line(each)) for each in readings]
