"""What the tests of ingest share: the small site, and the collector as a process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devices.site import Site
from tests.ingest.collector import Collector
from tests.ingest.publisher import Publisher
from tests.ingest.store_flow import Flow
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto
from tests.sites import SMALL, small_site, small_site_text

MakeCollector = Callable[..., Collector]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return the small site; nobody changes it."""
    return small_site(Path(tmp_path_factory.mktemp("site")))


@pytest.fixture
def make_collector(tmp_path: Path) -> Iterator[MakeCollector]:
    """Return a function that makes a collector on the small site; what still runs at the end is killed."""
    made: list[Collector] = []

    def make(port: int, store: str, text: str = SMALL, env: dict[str, str] | None = None) -> Collector:
        file = tmp_path / f"site-{len(made)}.toml"
        broker = f"mqtt://127.0.0.1:{port}"
        written = (
            small_site_text(broker=broker, store=store) if text is SMALL else text.format(broker=broker, store=store)
        )
        file.write_text(written, encoding="utf-8")
        made.append(Collector(file, tmp_path / f"data-{len(made)}", env))
        return made[-1]

    yield make
    for collector in made:
        collector.close()


def store_url(influx: Influx) -> str:
    """Return what a site file says of the test's own bucket."""
    return f"{influx.url}?org={influx.org}&bucket={influx.database}"


@pytest.fixture
def collector(make_collector: MakeCollector, mosquitto: Mosquitto, influx: Influx) -> Collector:
    """Return a collector, not yet started, between a real broker and a real database."""
    return make_collector(mosquitto.port, store_url(influx))


@pytest.fixture
def publisher(mosquitto: Mosquitto) -> Iterator[Publisher]:
    """Return a device's connection to the test's broker."""
    connected = Publisher(mosquitto.port)
    yield connected
    connected.close()


@pytest.fixture
def flow(tmp_path: Path, site: Site) -> Iterator[Flow]:
    """Return a journal, a store and what is around a writer."""
    made = Flow(tmp_path, site)
    yield made
    made.close()
