"""A disk that fills up is the collector's own alarm, raised before anything is lost, and over when there is room."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import occurrence
from ingest.places import disk_used_pct
from tests.ingest.collector import Collector
from tests.ingest.messages import gas
from tests.ingest.publisher import Publisher
from tests.servers.mosquitto import Mosquitto
from tests.servers.small_disk import small_disk
from tests.sites import small_site_text

POINT = "collector-main/disk_pct.full"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a small disk of its own for the data folder."""
    with small_disk(tmp_path / "disk", "64m") as folder:
        yield folder


def fill(disk: Path, to_pct: float) -> None:
    """Make a file as large as it takes."""
    ballast = disk / "ballast"
    size = ballast.stat().st_size if ballast.exists() else 0
    more = int((to_pct - disk_used_pct(disk)) / 100 * 64 * 1024 * 1024)
    with ballast.open("ab") as file:
        os.posix_fallocate(file.fileno(), size, more)


def active(collector: Collector) -> list[str]:
    """Return the priorities of the alarms that stand now."""
    database = AlarmDatabase(f"sqlite:///{collector.data / 'alarms.db'}")
    try:
        with database.read() as connection:
            return list(connection.execute(sa.select(occurrence.c.priority).where(occurrence.c.active)).scalars())
    finally:
        database.close()


def test_at_80_per_cent_an_alarm_and_at_95_a_worse_one(
    tmp_path: Path, disk: Path, mosquitto: Mosquitto, publisher: Publisher
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(small_site_text(broker=f"mqtt://127.0.0.1:{mosquitto.port}"), encoding="utf-8")
    collector = Collector(site, disk / "data")
    try:
        collector.connected()
        fill(disk, 70)
        publisher.publish(*(gas("gas-1", 1, seq=n) for n in range(200)))
        collector.wait(lambda: collector.ledger().decoded == 200)
        assert disk_used_pct(disk) < 80
        assert collector.alarms() == []
        fill(disk, 84)
        collector.wait(lambda: collector.alarms() == [(POINT, 1)])
        assert active(collector) == ["P2"]
        fill(disk, 96)
        collector.wait(lambda: collector.alarms() == [(POINT, 2)])
        assert active(collector) == ["P1"]
        publisher.publish(*(gas("gas-1", 1, seq=n) for n in range(200, 400)))
        collector.wait(lambda: collector.ledger().decoded == 400)
        (disk / "ballast").unlink()
        collector.wait(lambda: active(collector) == [])
        assert collector.alarms() == [(POINT, 2)]
        assert collector.stop() == 0
    finally:
        collector.close()
