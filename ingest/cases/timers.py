"""The timers of cases: reminding, amber, overdue; from stored instants, so a restart loses none."""

from dataclasses import dataclass

import sqlalchemy as sa

from ingest.alarms.database import AlarmDatabase
from ingest.cases.clock import MARKS, RUNNING, Mark
from ingest.cases.records import Row, ledger
from ingest.cases.tables import cases

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Fired:
    """A mark that was written just now, with the case's columns afterwards, for those who are to be told."""

    mark: Mark
    row: Row


def due(database: AlarmDatabase, now_ms: int) -> list[Fired]:
    """Write every mark that has fallen due, each once and for ever; suspended cases wait.

    Calling it again, or from two processes at once, writes nothing twice.

    Raises:
        AlarmError: the database could not be used; what was not written falls due again.
    """
    fired: list[Fired] = []
    for case in _candidates(database, now_ms):
        with ledger(database) as book:
            row, written = book.settle(book.locked(case), now_ms)
        fired.extend(Fired(mark, row) for mark in written)
    return fired


def next_due(database: AlarmDatabase) -> int | None:
    """Return when the next mark falls due, or None while no clock runs."""
    earliest = [
        sa.select(sa.func.min(cases.c[at])).where(cases.c[written].is_(None), _running()).scalar_subquery()
        for _, at, written in MARKS
    ]
    with database.read() as connection:
        row = connection.execute(sa.select(*(each.label(str(n)) for n, each in enumerate(earliest)))).one()
    return min((int(at) for at in row if at is not None), default=None)


def _candidates(database: AlarmDatabase, now_ms: int) -> list[str]:
    waiting = [sa.and_(cases.c[written].is_(None), cases.c[at] <= now_ms) for _, at, written in MARKS]
    query = sa.select(cases.c.id).where(_running(), sa.or_(*waiting)).order_by(cases.c.deadline_at, cases.c.id)
    # Looked for without the write lock: most of the time nothing is due and nobody has to wait for us.
    with database.read() as connection:
        return [str(row.id) for row in connection.execute(query.limit(_BATCH))]


def _running() -> sa.ColumnElement[bool]:
    return sa.and_(cases.c.state.in_(RUNNING), cases.c.suspended_at.is_(None))
