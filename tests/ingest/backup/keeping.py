"""A small data folder made by hand, its backup, and what that says of itself."""

import json
import subprocess
import sys
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.archive import MANIFEST
from ingest.backup import back_up
from ingest.checkpoint import Checkpoint
from ingest.decoding import Unregistered
from ingest.journal import Journal
from ingest.places import Places
from ingest.store import open_store
from tests.ingest.collector import ROOT
from tests.ingest.messages import T_MS, gas
from tests.ingest.test_stores import reading

NOW = datetime(2026, 1, 1, 8, tzinfo=UTC)


def citydeck(command: str, *words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", f"ingest.{command}", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd=ROOT)


class closing_database:
    """An alarm database that is closed at the end."""

    def __init__(self, path: Path) -> None:
        self._database = AlarmDatabase(f"sqlite:///{path}")

    def __enter__(self) -> AlarmDatabase:
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.close()


def fill(data: Places, site: Site, count: int, shard: str | None) -> None:
    places = data.for_shard(shard)
    with closing(Journal(places.journal)) as journal:
        for n in range(count):
            journal.append([gas("gas-1", n)], T_MS + n * 600_000)
    with closing(Checkpoint(places.checkpoint)) as checkpoint:
        ledger = checkpoint.load().ledger
        checkpoint.save(count - 1, T_MS, 0, ledger, {"gas-1": b"state"}, Unregistered(), [])
    store = open_store(site, data, shard)
    store.write([reading({"conc_ppm": float(n)}, T_MS + n) for n in range(count)], count)
    store.close()


def backed_up(site: Site, places: Places, file: Path, told: list[str] | None = None) -> dict[str, Any]:
    return back_up(site, places, file, lambda: NOW, (told if told is not None else []).append)


def manifest_of(file: Path) -> dict[str, Any]:
    with tarfile.open(file) as archive:
        found = archive.extractfile(MANIFEST)
        assert found is not None
        manifest: dict[str, Any] = json.load(found)
    return manifest
