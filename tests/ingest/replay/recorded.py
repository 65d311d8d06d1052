"""Data folders that heard something, and what a sandbox made of it."""

import sqlite3
from pathlib import Path

from devices.site import Site
from devices.site_file import load_site
from ingest.journal import Journal
from ingest.records import TICK
from tests.ingest.messages import T_MS, gas, passage
from tests.sites import small_site_text

SECOND = 1_000
SECONDS = 420
DENSE_S = 90


def some_minutes(tmp_path: Path) -> Path:
    """Return a data folder that heard seven minutes with a gas leak, two heavy trucks and something odd."""
    (tmp_path / "site.toml").write_text(small_site_text())
    journal = Journal(tmp_path / "var" / "journal", durable=False)
    for second in range(SECONDS):
        at_ms = T_MS + second * SECOND
        batch = [(TICK, b""), gas("gas-1", 60 if 100 <= second < 200 else 3, ts=at_ms, seq=second)]
        if second in (300, 360):
            batch.append(passage("wim-1", f"p{second}", at_ms, 30_000))
        if second == 400:
            batch.append(("city/v1/demo/gas_alarm/gas-1/telemetry", b"{"))
        journal.append(batch, at_ms)
    journal.close()
    return tmp_path


def dense_minutes(tmp_path: Path) -> Path:
    """Return a data folder that heard a minute and a half, several instants a second, with alarms that come and go."""
    (tmp_path / "site.toml").write_text(small_site_text())
    journal = Journal(tmp_path / "var" / "journal", durable=False)
    for step in range(DENSE_S * 8):
        # The last one of a second shares its millisecond with the beginning of the next, as far as its device says.
        at_ms = T_MS + step * 125 + step % 3
        batch = [(TICK, b"")] if step % 8 == 0 else []
        batch.append(gas("gas-1", 30 if step // 60 % 2 else 3, ts=at_ms, seq=step))
        if step % 50 == 7:
            batch.append(passage("wim-1", f"p{step}", at_ms, 30_000 + step))
        if step % 31 == 0:
            batch.append(("city/v1/demo/gas_alarm/gas-1/telemetry", b"{"))
        journal.append(batch, at_ms)
    journal.close()
    return tmp_path


def dumped(folder: Path) -> dict[str, list[str]]:
    """Return everything a sandbox holds, as SQL."""
    found = {}
    for name in ("alarms.db", "readings.db"):
        database = sqlite3.connect(folder / name)
        found[name] = [line for line in database.iterdump() if "alembic" not in line]
        database.close()
    return found


def journaled(folder: Path) -> list[tuple[int, str, bytes]]:
    journal = Journal(folder)
    found = [(r.received_ms, r.topic, r.payload) for r in journal.read(0, 100_000) if r.topic != TICK]
    journal.close()
    return found


def site_of(folder: Path) -> Site:
    return load_site(folder / "site.toml")
