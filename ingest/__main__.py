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
from ingest import runtime
from ingest.address import BrokerAddress, broker_address
from ingest.alarms.database import open_alarms
from ingest.alarms.revisions.adopting import Adopter
from ingest.bulletin import Bulletin
from ingest.checkpoint import Checkpoint
from ingest.errors import IngestError
from ingest.journal import Journal
from ingest.journaller import Journaller
from ingest.live import ASK, Live
from ingest.metrics import Figures, Meters
from ingest.pipeline import Pipeline
from ingest.places import MAIN, Places, disk_used_pct, site_secret, take
from ingest.recount.nightly import Nightly
from ingest.retention import Keeper
from ingest.retry import Retrier
from ingest.rounds import ShardParts
from ingest.stewardship import Stewardship
from ingest.store import open_store
from ingest.storing import StoreWriter
from ingest.subscriber import Subscriber
from ingest.watchdog import EVERY_S, Watchdog, topic_of

log = logging.getLogger("ingest")

_METRICS_MS = 5_000


@click.command(help="Collect from the broker into journal, alarms and store, until stopped.")
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
@click.option(
    "--mqtt-port",
    type=click.IntRange(1, 65535),
    help="Port of an MQTT 5 broker on this machine, instead of the site's broker.",
)
@click.option("--shard", help="Collect one shard of the site file only.")
@click.option("--metrics-port", type=click.IntRange(1, 65535), help="Answer Prometheus scrapes on this port.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address of --metrics-port.")
@click.option(
    "--watchdog-s",
    type=click.FloatRange(0.2, 60),
    default=EVERY_S,
    show_default=True,
    help="Pause between two alarms of the watchdog.",
)
def main(
    site_file: Path | None,
    data: Path,
    mqtt_port: int | None,
    shard: str | None,
    metrics_port: int | None,
    metrics_host: str,
    watchdog_s: float,
) -> None:
    """Run the collector."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s ingest %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        site = load_site(site_file)
        scrapes = None if metrics_port is None else (metrics_host, metrics_port)
        run(site, Places(data), broker_address(site, mqtt_port), shard, scrapes, watchdog_s)
    except (DeviceError, IngestError, click.UsageError) as error:
        sys.exit(f"citydeck ingest: {error}")


def run(
    site: Site,
    places: Places,
    address: BrokerAddress,
    shard: str | None,
    scrapes: tuple[str, int] | None = None,
    watchdog_s: float = EVERY_S,
) -> None:
    """Collect until SIGINT or SIGTERM; ``scrapes`` is the host and port on which metrics are told.

    Raises:
        IngestError: journal, checkpoint or alarm database cannot be opened, or the port for scrapes is taken.
    """
    name = shard or MAIN
    city = site
    site, subscriptions = _share(site, shard)
    own = places.for_shard(shard)
    lock = take(own)
    journal = Journal(own.journal)
    checkpoint, store_checkpoint = Checkpoint(own.checkpoint), Checkpoint(own.checkpoint)
    database = open_alarms(site, places)
    database.migrate()
    store = open_store(site, places, shard)
    asked = threading.Event()
    meters = Meters(_clock_ms)
    if scrapes is not None:
        meters.serve(*scrapes)
    topics = (*subscriptions, topic_of(name))
    # The embedded broker begins with every `citydeck up` anew.
    had_session = journal.messages > 0 and not site.broker.embedded
    subscriber = Subscriber(address, f"citydeck-{site.district}-{name}", topics, ASK, asked.set, had_session)
    inbox = subscriber.inbox
    pipeline = Pipeline(
        site, name, journal, checkpoint, database,
        lambda engine: Live(engine, site.catalog, name, site_secret(places), subscriber.publish),
        lambda unregistered: StoreWriter(site, journal, store, store_checkpoint, unregistered, meters),
        lambda: journal.messages + len(inbox),
        meters,
        site_secret(places),
    )  # fmt: skip
    nightly = Nightly(city, places.data, shard, journal)
    journaller = Journaller(
        subscriber, journal, _clock_ms, meters,
        lambda: {
            "disk_pct": round(disk_used_pct(own.journal), 1),
            "store_lag_s": round(pipeline.writer.lag_s(_clock_ms()), 1),
            **nightly.off,
        },
    )  # fmt: skip
    meters.watch(
        lambda: Figures(pipeline.ledger(), subscriber.connected, subscriber.connections, len(inbox), own.journal)
    )
    keeper = Keeper(site, journal, store, pipeline.writer, Checkpoint(own.checkpoint).position)

    def parts() -> ShardParts:
        return ShardParts(name, database, Checkpoint(own.checkpoint), journal, _clock_ms)

    bulletin = Bulletin(parts(), pipeline.ledger, pipeline.counts)
    retrier = Retrier(parts(), site, pipeline.writer)
    adopter = Adopter(parts())
    stewardship = Stewardship(city, database, name, _clock_ms)
    watchdog = Watchdog(name, subscriber.publish, watchdog_s, _clock_ms())
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    runtime.settle()
    runtime.take_turns()
    pipeline.start()
    journaller.start()
    subscriber.start()
    keeper.start()
    bulletin.start()
    retrier.start()
    adopter.start()
    stewardship.start()
    log.info("collecting shard=%s from=%s devices=%d position=%d", name, address, len(site.devices), journal.last)
    told_ms = 0
    while not stopping.wait(0.2) and not (journaller.failed or pipeline.failed or pipeline.writer.failed):
        now_ms = _clock_ms()
        if asked.is_set():
            asked.clear()
            pipeline.ask()
        if abs(now_ms - told_ms) >= _METRICS_MS:
            pipeline.tell_metrics(now_ms)
            told_ms = now_ms
        keeper.look(now_ms, time.monotonic_ns() // 1_000_000)
        watchdog.look(now_ms)
        nightly.look(now_ms)
        pipeline.recount = nightly.result
    nightly.stop()
    stewardship.stop()
    retrier.stop()
    adopter.stop()
    keeper.stop()
    subscriber.stop()
    journaller.stop()
    pipeline.stop()
    pipeline.writer.stop(5.0)
    bulletin.stop()
    database.close()
    store.close()
    journal.close()
    lock.close()
    failed = journaller.failed or pipeline.failed or pipeline.writer.failed
    if failed is not None:
        sys.exit(f"citydeck ingest: stopped by {type(failed).__name__}: {failed}")
    log.info("stopped position=%d", journal.last)


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


def _share(site: Site, shard: str | None) -> tuple[Site, tuple[str, ...]]:
    known = ", ".join(site.shards) or "none"
    if shard is None:
        if site.shards:
            raise click.UsageError(
                f"the site has the shards {known}: name one by --shard (`citydeck up` runs them all)"
            )
        return site, site.broker.subscriptions
    if shard not in site.shards:
        raise click.UsageError(f"the site has no shard {shard!r}; it has {known}")
    return site.part(shard), site.shards[shard].subscriptions


if __name__ == "__main__":
    main()
