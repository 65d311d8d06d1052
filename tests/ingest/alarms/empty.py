"""An empty alarm database with its schema: migrated once for a run of the tests, then copied for each test."""

import tempfile
from functools import cache
from pathlib import Path

from ingest.alarms.database import AlarmDatabase


def empty_database(file: Path) -> str:
    """Put an empty, migrated SQLite database there and return its address."""
    file.write_bytes(_migrated())
    return f"sqlite:///{file}"


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "alarms.db"
        opened = AlarmDatabase(f"sqlite:///{file}")
        opened.migrate()
        # The last connection that closes leaves everything in the one file.
        opened.close()
        assert [each.name for each in Path(folder).iterdir()] == [file.name]
        return file.read_bytes()
