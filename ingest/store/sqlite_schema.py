"""The tables of the embedded store: one per measurement, those of its minutes, and how far the store is."""

import sqlite3
from collections.abc import Mapping

from devices.kind import Field
from ingest.places import MAIN
from ingest.store.minutes import SCHEMA, begin
from ingest.store.sqlite_keeping import create_minute_tables

_OWN_COLUMNS = ("device_id TEXT NOT NULL", "at_ns INTEGER NOT NULL", "district TEXT", "quality INTEGER", "flags TEXT")
_REACHED = """
CREATE TABLE IF NOT EXISTS reached (
    shard TEXT PRIMARY KEY, position INTEGER NOT NULL, stored INTEGER NOT NULL, refused INTEGER NOT NULL
) WITHOUT ROWID
"""
# Every device has a page of its own to write to.
_CACHE_KIB = 64 * 1024

Fields = Mapping[str, tuple[Field, ...]]


def prepare(database: sqlite3.Connection, fields: Fields, summed: Fields, durable: bool) -> None:
    """Make what tables and columns are missing, inside a transaction that is left to the caller.

    Args:
        database: opened just now.
        fields: of each measurement.
        summed: those of which minutes are kept.
        durable: whether what is committed survives a power cut.
    """
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"PRAGMA synchronous={'NORMAL' if durable else 'OFF'}")
    database.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    # The schema is made by one process at a time: the shards of a site start at the same moment.
    database.execute("BEGIN IMMEDIATE")
    database.execute(_REACHED)
    _take_over(database)
    for table in SCHEMA:
        database.execute(table)
    begin(database, summed)
    for measurement, own in fields.items():
        columns = ", ".join((*_OWN_COLUMNS, *(f'"{field.key}" {_affinity(field)}' for field in own)))
        database.execute(
            f'CREATE TABLE IF NOT EXISTS "{measurement}" ({columns}, PRIMARY KEY (device_id, at_ns)) WITHOUT ROWID'
        )
        have = {row[1] for row in database.execute(f'PRAGMA table_info("{measurement}")')}
        for field in own:
            if field.key not in have:
                database.execute(f'ALTER TABLE "{measurement}" ADD COLUMN "{field.key}" {_affinity(field)}')
    create_minute_tables(database, summed)


def indexes(fields: Fields) -> list[str]:
    """Return the statements that make the indexes by time, where they are missing."""
    return [f'CREATE INDEX IF NOT EXISTS "{key}_at" ON "{key}" (at_ns)' for key in fields]


def _take_over(database: sqlite3.Connection) -> None:
    """Keep the position of a file from before shards shared it."""
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'progress'").fetchone() is not None:
        database.execute(
            "INSERT OR IGNORE INTO reached SELECT ?, position, stored, refused FROM progress WHERE id = 1", (MAIN,)
        )
        database.execute("DROP TABLE progress")


def _affinity(field: Field) -> str:
    return "TEXT" if field.type == "text" else "REAL"
