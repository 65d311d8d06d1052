"""Where this installation keeps its state, and the secrets it takes from the environment."""

import fcntl
import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ingest.errors import JournalError

# The name of the one collector of a site that is not divided.
MAIN = "main"


@dataclass(frozen=True, slots=True)
class Places:
    """Everything below one data folder; nothing is ever written elsewhere."""

    data: Path

    @property
    def journal(self) -> Path:
        """Return the folder of the journal's hourly files."""
        return self.data / "journal"

    @property
    def checkpoint(self) -> Path:
        """Return the file with cursors, counts and the engine's memory."""
        return self.data / "checkpoint.db"

    @property
    def readings(self) -> Path:
        """Return the file of the embedded store, which the shards of a site share."""
        return self.data / "readings.db"

    @property
    def minutes(self) -> Path:
        """Return the file that knows how far the minutes in an InfluxDB are made."""
        return self.data / "minutes.db"

    @property
    def alarms(self) -> Path:
        """Return the file of the embedded alarm database."""
        return self.data / "alarms.db"

    @property
    def recordings(self) -> Path:
        """Return the folder of the recordings that the bench offers."""
        return self.data / "recordings"

    @property
    def bench(self) -> Path:
        """Return the folder below which each run of the bench has its own, as long as it lasts."""
        return self.data / "bench"

    @property
    def drills(self) -> Path:
        """Return the folder below which an exercise has its own, as long as it lasts."""
        return self.data / "drills"

    def for_shard(self, shard: str | None) -> "Places":
        """Return the places of one shard's own journal, checkpoint and minutes."""
        return self if shard is None else Places(self.data / "shards" / shard)


def take(places: Places) -> TextIO:
    """Take a data folder for one collector, as long as the returned file is open.

    Raises:
        JournalError: it cannot be written, or another collector has it: two would write one journal.
    """
    try:
        places.data.mkdir(parents=True, exist_ok=True)
        lock = (places.data / "collector.lock").open("a+")
    except OSError as error:
        raise JournalError(f"the data folder {places.data} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        other = lock.read().strip()
        lock.close()
        raise JournalError(
            f"another collector (process {other}) works on the data folder {places.data}; choose another by --data"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def collector_at(places: Places) -> str | None:
    """Return the number of the process that collects into a data folder, or None when none does."""
    try:
        lock = (places.data / "collector.lock").open()
    except FileNotFoundError:
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return lock.read().strip()
    return None


def disk_used_pct(path: Path) -> float:
    """Return how full the disk below a path is, as ``df`` tells it: of what is not reserved for the administrator."""
    found = os.statvfs(path)
    used = found.f_blocks - found.f_bfree
    return 100.0 * used / max(1, used + found.f_bavail)


def has_secret(places: Places) -> bool:
    """Tell whether the secret of the site is at hand, without making one."""
    return bool(os.environ.get("CITYDECK_SECRET")) or (places.data / "secret").is_file()


def site_secret(places: Places) -> bytes:
    """Return the secret that signs live messages: ``CITYDECK_SECRET``, else one made once below the data folder."""
    given = os.environ.get("CITYDECK_SECRET")
    if given:
        return given.encode()
    path = places.data / "secret"
    places.data.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Collector and cockpit start at the same moment: the file appears whole or not at all, and the first one stays.
        descriptor, name = tempfile.mkstemp(dir=places.data, prefix="secret-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        with suppress(FileExistsError):
            os.link(name, path)
        os.unlink(name)
    return path.read_bytes()
