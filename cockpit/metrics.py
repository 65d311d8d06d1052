"""Metrics of the whole site: what each collector told last, with its shard as a label, and the cockpit's own."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.metrics import build_info

log = logging.getLogger(__name__)

STALE_MS = 15_000
_DURATIONS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Told:
    """The newest metrics of one collector and when they came."""

    heard_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class CityFigures:
    """What is read of the running cockpit when metrics are asked for.

    ``kinds`` are the counts of the summary; ``news_ms`` is when each collector was last heard, in any live message.
    """

    sockets: int
    kinds: Mapping[str, Mapping[str, int]]
    news_ms: Mapping[str, int]


class CityMetrics:
    """Keeps what collectors tell and measures the cockpit."""

    def __init__(self, expected: tuple[str, ...]) -> None:
        """Name the shards that ought to be there, so that one that was never heard is told as down."""
        self.expected = expected
        self._told: dict[str, Told] = {}
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = Histogram(
            "citydeck_request_seconds",
            "Time to answer a request, by route and class of answer.",
            ["method", "route", "status"],
            buckets=_DURATIONS_S,
            registry=self._registry,
        )
        self.live_messages = Counter(
            "citydeck_live_messages", "Live messages heard from collectors.", ["topic"], registry=self._registry
        )

    def hear(self, shard: str, text: str, now_ms: int) -> None:
        """Take the metrics of one collector."""
        self._told[shard] = Told(now_ms, text)

    def text(self, figures: CityFigures, now_ms: int) -> str:
        """Return everything in the Prometheus text format, each family once."""
        told = dict(self._told)
        shards = sorted({*self.expected, *told, *figures.news_ms})
        sources: list[tuple[str, list[Metric]]] = [("", [*self._registry.collect(), *_own(figures, now_ms)])]
        up = GaugeMetricFamily("citydeck_collector_up", "1 while a collector tells its metrics.", labels=["shard"])
        for shard in shards:
            found = told.get(shard)
            families = None
            if found is not None and now_ms - found.heard_ms <= STALE_MS:
                families = _parsed(shard, found.text)
                sources.append((shard, families or []))
            up.add_metric([shard], families is not None)
        sources.append(("", [up]))
        return generate_latest(_Merged(sources)).decode()


class Measured:
    """ASGI layer that notes how long each request took, by the template of its route."""

    def __init__(self, app: ASGIApp, requests: Histogram) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started_s = time.perf_counter()

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            took_s = time.perf_counter() - started_s
            # The template and not the address: addresses are without number, and name devices.
            route = getattr(scope.get("route"), "path", None) or _mount(scope)
            self._requests.labels(_method(scope), route, f"{status // 100}xx").observe(took_s)


def _method(scope: Scope) -> str:
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"


def _mount(scope: Scope) -> str:
    return "/static" if str(scope["path"]).startswith("/static/") else "other"


def _own(figures: CityFigures, now_ms: int) -> Iterator[Metric]:
    yield GaugeMetricFamily("citydeck_open_sockets", "Pages connected to the live stream.", figures.sockets)
    devices = GaugeMetricFamily("citydeck_devices", "Devices by kind and state.", labels=["kind", "state"])
    for kind, counts in figures.kinds.items():
        for state, count in counts.items():
            devices.add_metric([kind, state], count)
    yield devices
    silent = GaugeMetricFamily(
        "citydeck_collector_silent_seconds", "Since the last live message of a collector.", labels=["shard"]
    )
    for shard, heard_ms in sorted(figures.news_ms.items()):
        silent.add_metric([shard], max(0, now_ms - heard_ms) / 1000)
    yield silent
    yield build_info()


def _parsed(shard: str, text: str) -> list[Metric] | None:
    try:
        return list(text_string_to_metric_families(text))
    except (ValueError, KeyError) as error:
        log.warning("metrics of collector %.60r cannot be read: %s", shard, error)
        return None


class _Merged(Collector):
    def __init__(self, sources: list[tuple[str, list[Metric]]]) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for shard, found in self._sources:
            for metric in found:
                family = families.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                # Collectors of another version may mean something else by the same name.
                if family.type != metric.type:
                    continue
                for sample in metric.samples:
                    labels = {**sample.labels, "shard": shard} if shard else sample.labels
                    family.add_sample(sample.name, labels, sample.value)
        yield from families.values()
