"""``python -m ingest``: the collector as a process of its own."""

import logging
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

import click

from devices.errors import DeviceError
from devices.site import Site
from devices.site_file import load_site
from ingest.address import BrokerAddress, broker_address
from ingest.alarms.database import open_alarms
from ingest.checkpoint import Checkpoint
from ingest.errors import IngestError
from ingest.journal import Journal
from ingest.live import ASK, Live
from ingest.pipeline import Journaller, Pipeline
from ingest.places import Places, site_secret, take
from ingest.retention import Keeper
from ingest.store import open_store
from ingest.storing import StoreWriter
from ingest.subscriber import Subscriber

log = logging.getLogger("ingest")


@click.command(help="Collect from the broker into journal, alarms and store, until stopped.")
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
@click.option("--mqtt-port", type=int, help="Port of an MQTT 5 broker on this machine, instead of the site's broker.")
@click.option("--shard", help="Collect one shard of the site file only.")
def main(site_file: Path | None, data: Path, mqtt_port: int | None, shard: str | None) -> None:
    """Run the collector."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s ingest %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        site = load_site(site_file)
        run(site, Places(data), broker_address(site, mqtt_port), shard)
    except (DeviceError, IngestError, click.UsageError) as error:
        sys.exit(f"citydeck ingest: {error}")


def run(site: Site, places: Places, address: BrokerAddress, shard: str | None) -> None:
    """Collect until SIGINT or SIGTERM.

    Raises:
        IngestError: journal, checkpoint or alarm database cannot be opened.
    """
    name = shard or "main"
    subscriptions = site.broker.subscriptions if shard is None else _shard_subscriptions(site, shard)
    own = places.for_shard(shard)
    lock = take(own)
    journal = Journal(own.journal)
    checkpoint, store_checkpoint = Checkpoint(own.checkpoint), Checkpoint(own.checkpoint)
    database = open_alarms(site, places)
    database.migrate()
    store = open_store(site, own)
    asked = threading.Event()
    subscriber = Subscriber(address, f"citydeck-{site.district}-{name}", subscriptions, ASK, asked.set)
    inbox = subscriber.inbox
    pipeline = Pipeline(
        site, name, journal, checkpoint, database,
        lambda engine: Live(engine, site.catalog, name, site_secret(places), subscriber.publish),
        lambda unregistered: StoreWriter(site, journal, store, store_checkpoint, unregistered),
        lambda: journal.messages + len(inbox),
    )  # fmt: skip
    journaller = Journaller(subscriber, journal, lambda: time.time_ns() // 1_000_000)
    keeper = Keeper(site, journal, store, pipeline.writer)
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    pipeline.start()
    journaller.start()
    subscriber.start()
    log.info("collecting shard=%s from=%s devices=%d position=%d", name, address, len(site.devices), journal.last)
    while not stopping.wait(0.2) and pipeline.failed is None and pipeline.writer.failed is None:
        if asked.is_set():
            asked.clear()
            pipeline.ask()
        keeper.look(time.time_ns() // 1_000_000)
    subscriber.stop()
    journaller.stop()
    pipeline.stop()
    pipeline.writer.stop(5.0)
    database.close()
    store.close()
    journal.close()
    lock.close()
    failed = pipeline.failed or pipeline.writer.failed
    if failed is not None:
        sys.exit(f"citydeck ingest: stopped by {type(failed).__name__}: {failed}")
    log.info("stopped position=%d", journal.last)


def _shard_subscriptions(site: Site, shard: str) -> tuple[str, ...]:
    if shard not in site.shards:
        known = ", ".join(site.shards) or "none"
        raise click.UsageError(f"the site has no shard {shard!r}; it has {known}")
    return site.shards[shard].subscriptions


if __name__ == "__main__":
    main()
