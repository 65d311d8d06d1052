"""Every way of a server not to answer as InfluxDB does is one clear sentence, and what it is asked with."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from devices.site import Site
from ingest.errors import StoreError
from ingest.store import influx as influx_module
from ingest.store import portion
from ingest.store.influx import InfluxStore
from tests.ingest.messages import T_MS
from tests.ingest.test_stores import raw, reading
from tests.ingest.test_usual_stored import usual
from tests.servers.answering import answering
from tests.servers.ports import free_port


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


PAGE = b"<html>\r\n<h1>400 Bad Request</h1>\r\nThe plain HTTP request was sent to HTTPS port\r\n</html>"


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "body", [PAGE, b"", b"no", b"[]", b'"no"', b'{"message":"Bad Request"}', b'{"code":400,"message":"no"}']
)
def test_what_refuses_everything_and_is_not_influxdb_is_waited_for(site: Site, status: int, body: bytes) -> None:
    """A proxy, or an HTTPS port; in quarantine each reading would be given up for good, two requests for each."""
    asked: list[str] = []

    def refuse(request: Any) -> tuple[int, bytes]:
        asked.append(request.path)
        return status, body

    with answering(refuse) as address, store_at(address, site) as store:
        with pytest.raises(StoreError, match=f"answers {status} with what is no error of InfluxDB") as refusal:
            store.write([reading({"conc_ppm": float(n)}, T_MS + n) for n in range(100)], 100)
        assert "\n" not in str(refusal.value)
        assert "check store.url" in str(refusal.value)
    assert len(asked) == 1


@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_page_in_another_encoding_is_waited_for(site: Site, status: int) -> None:
    page = "<html>网关错误</html>".encode("gbk")
    with (
        answering(lambda _: (status, page)) as address,
        store_at(address, site) as store,
        pytest.raises(StoreError, match=f"InfluxDB at {address} answers a write with what is no UTF-8"),
    ):
        store.write([reading({"conc_ppm": 1.0})], 1)


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


def test_a_stop_does_not_wait_for_a_server_that_hangs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever supervises the collector would end it the hard way."""
    monkeypatch.setattr(influx_module, "_TIMEOUT_MS", 120_000)
    asked, released = threading.Event(), threading.Event()

    def hang(_: Any) -> tuple[int, bytes]:
        asked.set()
        released.wait(60)
        return 204, b""

    with answering(hang) as address, store_at(address, site) as store:
        writing = threading.Thread(target=store.write, args=([], 1, [usual(1, ["gas-1"], [T_MS])]), daemon=True)
        writing.start()
        assert asked.wait(60)
        store.close()
        assert writing.is_alive()
        released.set()
        writing.join(60)
        assert not writing.is_alive()


def test_a_batch_that_is_too_large_is_halved_until_it_fits(site: Site) -> None:
    seen: list[int] = []

    def small_only(request: Any) -> tuple[int, bytes]:
        seen.append(int(request.headers["Content-Length"]))
        return (413, b'{"message":"too large"}') if seen[-1] > 400 else (204, b"")

    with answering(small_only) as address, store_at(address, site) as store:
        assert store.write([reading({"conc_ppm": float(n)}, T_MS + n * 7919) for n in range(200)], 200).stored == 200
    assert max(seen) > 400
    assert sum(size <= 400 for size in seen) > 1


def test_how_much_a_server_takes_is_remembered_and_tried_again_little_by_little(site: Site) -> None:
    """A proxy that takes 1 MB must not be sent several times that each time, nor less for ever."""
    refused, taken, most = 0, 0, 50

    def small_only(request: Any) -> tuple[int, bytes]:
        nonlocal refused, taken
        if request.lines > most:
            refused += 1
            return 413, b'{"message":"too large"}'
        taken = max(taken, request.lines)
        return 204, b""

    batch = [reading({"conc_ppm": float(n)}, T_MS + n, position=n) for n in range(200)]
    with answering(small_only) as address, store_at(address, site) as store:
        for _ in range(20):
            assert store.write(batch, 200).stored == 200
        assert (refused < 20, taken > 40) == (True, True), (refused, taken)
        most = 1_000
        for _ in range(40):
            store.write(batch, 200)
        assert taken == 200


def test_a_slow_way_is_given_less_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What never arrives in time would be sent for ever, and all that comes later would wait."""
    monkeypatch.setattr(influx_module, "_TIMEOUT_MS", 2_000)
    monkeypatch.setattr(portion, "_FEWEST", 20)
    released = threading.Event()
    stored: list[int] = []

    def slow(request: Any) -> tuple[int, bytes]:
        if request.lines > 60:
            released.wait(20)
        else:
            stored.append(request.lines)
        return 204, b""

    batch = [reading({"conc_ppm": float(n)}, T_MS + n, position=n) for n in range(200)]
    with answering(slow) as address, store_at(address, site) as store:
        for _ in range(2):
            with pytest.raises(StoreError, match="does not answer"):
                store.write(batch, 200)
        assert store.write(batch, 200).stored == 200
        released.set()
    assert (max(stored), sum(stored)) == (50, 200)


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
