"""What the tests of ingest share: the small site."""

from pathlib import Path

import pytest

from devices.site import Site
from tests.sites import small_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return the small site; nobody changes it."""
    return small_site(Path(tmp_path_factory.mktemp("site")))
