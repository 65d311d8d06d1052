"""Lists of alarms and cases as they stood at an instant, by the code that makes the lists of today."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from cockpit import alarm_list, case_board
from cockpit.board import Board
from cockpit.case_board import CaseBoard
from cockpit.past_records import Copy, PastRecords
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.load import Load, load, noticed, within
from ingest.alarms.tables import occurrence
from ingest.cases.indicators import period_rows
from ingest.cases.tables import cases

Document = dict[str, Any]
Found = TypeVar("Found")


class PastBoards:
    """Reads the past of the alarm database; every call blocks. Nobody can act in the past: cases offer no acts."""

    def __init__(self, database: AlarmDatabase, board: Board, cased: CaseBoard) -> None:
        self._database = database
        self._records = PastRecords(database)
        self._board = board
        self._cased = cased

    def alarms(self, sieve: alarm_list.Sieve, limit: int, cursor: str | None, at_ms: int) -> Document:
        """Return a page of alarms; see :func:`cockpit.alarm_list.listed`.

        Raises:
            Problem: 422, the cursor is not one that a list gave.
        """
        copy = self._records.alarms(at_ms, alarm_list.closed_alarms(sieve, limit + 1, cursor))
        return _read(copy, lambda: alarm_list.listed(copy, self._board.over(copy), sieve, limit, cursor))

    def alarm(self, identifier: str, at_ms: int) -> Document | None:
        """Return one alarm with its history, None when it had not been raised."""
        copy = self._records.alarm(identifier, at_ms)
        if copy is None:
            return None
        board = self._board.over(copy)
        return _read(copy, lambda: {**(board.one(identifier) or {}), "history": board.history(identifier)})

    def cases(self, sieve: case_board.Sieve, limit: int, offset: int, at_ms: int) -> list[Document]:
        """Return cases; see :meth:`cockpit.case_board.CaseBoard.listed`."""
        copy = self._records.cases(at_ms, case_board.closed_cases(sieve, at_ms, offset + limit))
        return _read(copy, lambda: self._cased.over(copy).listed(sieve, None, limit, offset, at_ms))

    def case(self, identifier: str, at_ms: int) -> Document | None:
        """Return one case with everything about it, None when it had not been reported."""
        copy = self._records.case(identifier, at_ms)
        return None if copy is None else _read(copy, lambda: self._cased.over(copy).one(identifier, None, at_ms))

    def case_counts(self, at_ms: int) -> Document:
        """Return how many cases were open."""
        copy = self._records.open_cases(at_ms)
        return _read(copy, lambda: self._cased.over(copy).counts(at_ms))

    def indicators(self, from_ms: int, to_ms: int, street: str | None, at_ms: int) -> Document:
        """Return the indicators of a period as they stood."""
        copy = self._records.cases(at_ms, of_period(from_ms))
        return _read(copy, lambda: self._cased.over(copy).indicators(from_ms, to_ms, street, at_ms))

    def period_rows(self, from_ms: int, to_ms: int, street: str | None, at_ms: int) -> list[Any]:
        """Return the cases that a period's indicators look at, as they stood."""
        copy = self._records.cases(at_ms, of_period(from_ms))
        return _read(copy, lambda: period_rows(copy, from_ms, to_ms, street))

    def load(self, from_ms: int, to_ms: int, at_ms: int) -> Load:
        """Return the load on the operators as it was known; how much stood or was hidden then is not."""
        copy = self._records.alarms(at_ms, sa.select(occurrence).where(*within(from_ms, to_ms)))

        def known() -> list[Document]:
            with copy.read() as connection:
                return noticed(connection, from_ms, to_ms)

        rows = _read(copy, known)
        with self._database.read() as connection:
            return load(connection, from_ms, to_ms, at_ms, rows)

    def ranking(self, month: datetime, next_month: datetime, at_ms: int) -> list[Document]:
        """Return the ranking of all streets in a month as it stood."""
        copy = self._records.cases(at_ms, of_period(round(month.timestamp() * 1000)))
        return _read(copy, lambda: self._cased.over(copy).ranking(month, next_month, at_ms))


def of_period(from_ms: int) -> sa.Select[Any]:
    """Return how to find the cases that indicators from an instant on may look at."""
    instants = (cases.c.reported_at, cases.c.registered_at, cases.c.deadline_at, cases.c.closed_at)
    return sa.select(cases).where(sa.or_(*(at >= from_ms for at in instants)))


def _read(copy: Copy, look: Callable[[], Found]) -> Found:
    try:
        return look()
    finally:
        copy.close()
