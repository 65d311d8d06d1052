"""What the tests of the bench begin with: a small site, and a place for runs that is empty again at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.bench.runs import Runs
from devices.site import Site
from ingest.places import Places
from tests.sites import small_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return small_site(tmp_path)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    folder = Places(tmp_path / "var").bench
    found = Runs(folder)
    found.begin()
    yield found
    found.close()
    assert list(folder.glob("*")) == []
