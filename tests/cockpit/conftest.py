"""One town for all API tests; each test speaks for devices of its own."""

from collections.abc import Iterator

import pytest

from tests.cockpit.town import Town


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a running town."""
    running = Town(tmp_path_factory.mktemp("town"))
    running.start()
    yield running
    assert running.stop() == 0
