"""What all tests share: servers, the event loop, hypothesis' profile, and the order of browser tests."""

import os
import signal

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.servers.mosquitto",
    "tests.servers.influxdb",
    "tests.servers.chromium",
    "tests.servers.postgres",
]

_MARKER_OF_FIXTURE = {
    "mosquitto": "servers",
    "guarded_mosquitto": "servers",
    "influx_server": "servers",
    "postgres_server": "servers",
    "browser": "browser",
}

# A time limit per example would test how busy the machine is; CI always tries the same examples.
settings.register_profile("citydeck", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("citydeck")

# Begun in the background of a shell a run ignores SIGINT, and every program it starts would, too.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio alone, as the cockpit does."""
    return "asyncio"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures they use, and put the files with browser tests last."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in _MARKER_OF_FIXTURE:
                item.add_marker(_MARKER_OF_FIXTURE[fixture])
    # Playwright keeps an event loop running in this thread, where no async test could then start its own.
    # By file, since a file is what a worker takes; --no-loadscope-reorder keeps the order there.
    browsing = {item.path for item in items if item.get_closest_marker("browser") is not None}
    items.sort(key=lambda item: item.path in browsing)
