"""Leases: which of several processes does what only one may do, kept in the alarm database."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingest.alarms.database import AlarmDatabase
from ingest.cases.tables import lease


def take(database: AlarmDatabase, name: str, holder: str, now_ms: int, for_ms: int) -> bool:
    """Take a lease, or renew one's own; another holder's stands until it runs out.

    Args:
        database: where leases are kept.
        name: of the work.
        holder: a name that no other process has.
        now_ms: the instant.
        for_ms: how long it shall stand; renew it well before that.

    Returns:
        Whether it is this holder's now.

    Raises:
        AlarmError: the database could not be written; the lease is not held.
    """
    until = now_ms + for_ms
    free = sa.or_(lease.c.holder == holder, lease.c.until <= now_ms)
    with database.write() as connection:
        # One statement decides; whoever comes second finds the row changed and matches nothing.
        taken = connection.execute(lease.update().where(lease.c.name == name, free).values(holder=holder, until=until))
        if taken.rowcount == 1:
            return True
        insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        first = insert(lease).values(name=name, holder=holder, until=until).on_conflict_do_nothing()
        return connection.execute(first.returning(lease.c.name)).first() is not None


def give_back(database: AlarmDatabase, name: str, holder: str) -> None:
    """End one's own lease, so that another process need not wait for it to run out."""
    with database.write() as connection:
        connection.execute(lease.delete().where(lease.c.name == name, lease.c.holder == holder))
