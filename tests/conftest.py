"""What all tests share: servers, where they write, the event loop, hypothesis' profile, the order of browser tests."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.memory_disk import write_into_memory
from tests.scheduling import OneBrowser

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

# Some hundred programs are started: they read their modules compiled, whatever a desk's environment says of its own.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Before anything asks where temporary files go; the processes that share a run inherit it.
_WRITTEN = write_into_memory()


def pytest_report_header() -> str | None:
    """Tell where to look at what a failed test wrote."""
    return f"temporary files: {_WRITTEN}, until the next run" if _WRITTEN else None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    """Give the memory back, unless there is a failure to be looked at."""
    if _WRITTEN and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        shutil.rmtree(_WRITTEN, ignore_errors=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio alone, as the cockpit does."""
    return "asyncio"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures they use, and put those of a browser first, of these the longest."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in _MARKER_OF_FIXTURE:
                item.add_marker(_MARKER_OF_FIXTURE[fixture])
    # One worker takes them all (tests.scheduling), and when it begins with them it is not left with them at the end.
    # What may take longest by its own time limit comes first, so that of a run that is cut short the most is known.
    browsing: dict[Path, float] = {}
    for item in items:
        if item.get_closest_marker("browser") is not None:
            browsing[item.path] = max(browsing.get(item.path, 0.0), _limit_s(item))
    items.sort(key=lambda item: (item.path not in browsing, -browsing.get(item.path, 0.0)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneBrowser:
    """Let several workers share a run (``make test``)."""
    return OneBrowser(config, log)


def _limit_s(item: pytest.Item) -> float:
    limit = item.get_closest_marker("timeout")
    return float(limit.args[0]) if limit is not None else 0.0
