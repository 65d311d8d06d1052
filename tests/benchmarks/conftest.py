"""Where a browser that is measured works."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def near() -> Iterator[Path]:
    """Give a folder with a short path: Chromium keeps a socket below it, and those have at most 107 letters."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
