"""Metrics of one collector, in the Prometheus format.

Totals are read from the ledger at the moment they are asked for, so they equal it. What is measured on the way (sizes
and latencies) is observed once a batch, for its oldest message: the worst of the batch, not its mean.
"""

import shutil
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest.errors import IngestError
from ingest.quarantine import Quarantined

# A time beside every counter and histogram tells nothing that the process start time does not.
disable_created_metrics()  # type: ignore[no-untyped-call]

LATENCY_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
_TOTALS = (
    ("messages", "received", "Messages taken from the broker."),
    ("messages", "journaled", "Messages on disk, acknowledged to the broker."),
    ("messages", "decoded", "Messages read into readings."),
    ("messages", "duplicate", "Messages that came again; counted, never stored twice."),
    ("readings", "produced", "Readings decoded from messages."),
    ("readings", "stored", "Readings the store took."),
    ("readings", "refused", "Readings the store refused for good."),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is read when metrics are asked for. ``ledger`` is a ledger document (ingest.ledger)."""

    ledger: Mapping[str, Any]
    connected: bool
    connections: int
    inbox: int
    journal: Path


class Meters:
    """What one collector measures of itself."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        """Begin at zero; ``clock_ms`` is the clock that receive times come from."""
        self._clock_ms = clock_ms
        self._quarantined: Tally[str] = Tally()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.append_seconds = self._histogram("journal_append_seconds", "One append to the journal, fsync included.")
        self.commit_seconds = self._histogram("alarm_commit_seconds", "One transaction of the alarm database.")
        self._batch = Histogram(
            "citydeck_journal_batch_messages", "Messages of one append.", buckets=_SIZES, registry=self.registry
        )
        self._journaled = self._histogram(
            "received_to_journaled_seconds", "From the network to the disk, the oldest message of each batch."
        )
        self._stored_batch = Histogram(
            "citydeck_store_batch_readings",
            "Readings of one write to the store.",
            buckets=_SIZES,
            registry=self.registry,
        )
        self._judged = self._histogram(
            "journaled_to_judged_seconds", "From the journal to alarms judged and kept, the oldest of each batch."
        )
        self._stored = self._histogram(
            "journaled_to_stored_seconds", "From the journal to the store, the oldest reading of each batch."
        )
        self.store_errors = Counter(
            "citydeck_store_errors", "Failed attempts to write to the store.", registry=self.registry
        )

    def journaled(self, messages: int, waited_s: float) -> None:
        """Note one batch that is on disk, and how long its oldest message waited for that."""
        self._batch.observe(messages)
        self._journaled.observe(waited_s)

    def judged(self, received_ms: int) -> None:
        """Note one batch that is judged and whose alarms are kept."""
        self._judged.observe(self._since_s(received_ms))

    def stored(self, received_ms: int, readings: int) -> None:
        """Note one batch that the store took: when its oldest reading was received, and how many there are."""
        self._stored.observe(self._since_s(received_ms))
        self._stored_batch.observe(readings)

    def quarantined(self, found: Iterable[Quarantined]) -> None:
        """Count messages that went to quarantine by their reason."""
        self._quarantined.update(item.reason for item in found)

    def watch(self, figures: Callable[[], Figures]) -> None:
        """Give how the moving figures are read; without it only measured ones are told."""
        self.registry.register(_Read(figures, lambda: dict(self._quarantined)))

    def text(self) -> str:
        """Return everything in the Prometheus text format."""
        return generate_latest(self.registry).decode()

    def serve(self, host: str, port: int) -> None:
        """Answer scrapes of this collector alone, until the process ends.

        Raises:
            IngestError: the port cannot be listened on.
        """
        try:
            start_http_server(port, host, self.registry)
        except OSError as error:
            raise IngestError(
                f"--metrics-port {port}: cannot listen on {host}:{port} ({error.strerror}); choose another port"
            ) from error

    def _histogram(self, name: str, words: str) -> Histogram:
        return Histogram(f"citydeck_{name}", words, buckets=LATENCY_S, registry=self.registry)

    def _since_s(self, received_ms: int) -> float:
        return max(0.0, (self._clock_ms() - received_ms) / 1000)


def build_info() -> GaugeMetricFamily:
    """Return which version runs, as a metric."""
    try:
        running = version("citydeck")
    except PackageNotFoundError:
        running = "unknown"
    family = GaugeMetricFamily("citydeck_build_info", "The version that runs.", labels=["version"])
    family.add_metric([running], 1)
    return family


class _Read(Collector):
    def __init__(self, figures: Callable[[], Figures], quarantined: Callable[[], Mapping[str, int]]) -> None:
        self._figures = figures
        self._quarantined = quarantined

    def describe(self) -> Iterator[Metric]:
        """Name nothing: the registry would otherwise read all figures once before there are any."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        found = self._figures()
        ledger = found.ledger
        for part, key, words in _TOTALS:
            yield CounterMetricFamily(f"citydeck_{part}_{key}", words, ledger[part][key])
        quarantined = CounterMetricFamily(
            "citydeck_messages_quarantined",
            "Messages that could not be read, by reason, since the collector started.",
            labels=["reason"],
        )
        for reason, count in sorted(self._quarantined().items()):
            quarantined.add_metric([reason], count)
        yield quarantined
        unknown = CounterMetricFamily("citydeck_unknown_keys", "Keys the kind does not list.", labels=["kind"])
        for kind, count in sorted(ledger["unknown_keys"].items()):
            unknown.add_metric([kind], count)
        yield unknown
        yield CounterMetricFamily(
            "citydeck_broker_reconnects", "Connections to the broker after the first.", max(0, found.connections - 1)
        )
        for name, words, value in (
            ("quarantine_messages", "Messages in quarantine; fewer after a retry.", ledger["messages"]["quarantined"]),
            ("readings_waiting", "Readings produced, not yet stored or refused.", ledger["readings"]["waiting"]),
            ("store_lag_seconds", "Age of the oldest reading that waits for the store.", ledger["lag_s"]["store"]),
            ("alarms_lag_seconds", "How far the alarms are behind the journal.", ledger["lag_s"]["alarms"]),
            ("inbox_messages", "Messages in memory, not yet on disk and not acknowledged.", found.inbox),
            ("broker_connected", "1 while the collector is connected to the broker.", found.connected),
            *_disk(found.journal),
        ):
            yield GaugeMetricFamily(f"citydeck_{name}", words, value)
        yield build_info()


def _disk(journal: Path) -> Iterator[tuple[str, str, float]]:
    """Yield what the disk says of itself; nothing when it is gone."""
    with suppress(OSError):
        size, disk = _bytes_below(journal), shutil.disk_usage(journal)
        yield "journal_bytes", "Size of the journal's files.", size
        yield "disk_used_bytes", "Used on the disk that holds the journal.", disk.used
        yield "disk_size_bytes", "Size of the disk that holds the journal.", disk.total


def _bytes_below(folder: Path) -> int:
    size = 0
    for path in folder.iterdir():
        try:
            size += path.stat().st_size
        except FileNotFoundError:
            # Retention removed it, or SQLite its write-ahead log, since the folder was listed.
            continue
    return size
