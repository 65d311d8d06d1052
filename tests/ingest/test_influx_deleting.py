"""Deleting what is old: where nothing is, where it cannot be done, and where the server is away."""

import re
from pathlib import Path
from typing import Any

import pytest

from devices.site import Site, StoreSettings
from ingest.errors import StoreError
from ingest.store.influx import InfluxStore
from ingest.store.minutes import summed
from tests.ingest.messages import T_MS
from tests.servers.answering import answering

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
    old = b'{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","quality"],"values":[[1,0]]}]}]}'
    answers = [(502, b""), (200, old)]
    with answering(lambda _: answers[0]) as address:
        store = InfluxStore(f"{address}?org=o&bucket=b", site.catalog, StoreSettings("", 90, 730), tmp_path / "m.db")
        for _ in range(2):
            with pytest.raises(StoreError, match="answers 502 to a query"):
                store.expire(T_MS)
        answers.pop(0)
        assert sum(1 for _ in iter(lambda: store.expire(T_MS), 0)) == len(summed(site.catalog))
        store.close()


def test_nothing_is_told_removed_where_nothing_was(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with answering(lambda _: (200, b'{"results":[{"statement_id":0}]}')) as address:
        store = InfluxStore(f"{address}?org=o&bucket=b", site.catalog, StoreSettings("", 90, 730), tmp_path / "m.db")
        caplog.set_level("INFO")
        assert store.expire(T_MS) == 0
        store.close()
    assert caplog.text == ""
