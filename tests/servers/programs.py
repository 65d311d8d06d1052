"""The one rule for what a test needs and the machine may not have: skipped on a desk, a failure in CI."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
# Debian keeps each version of PostgreSQL in a folder of its own; the newest counts.
POSTGRES_FOLDERS = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)


def require(program: str) -> str:
    """Return the path of a program; without it skip the test, or fail it where CI=true."""
    # Debian keeps servers where an ordinary user's PATH does not look.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS, *POSTGRES_FOLDERS])
    found = shutil.which(program, path=path)
    if found is not None:
        return found
    lacking(f"{program} is not installed; `make servers` installs it")


def lacking(message: str) -> NoReturn:
    """Skip the test for want of something; where CI=true, where nothing may be wanting, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
