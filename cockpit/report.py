"""What the report of a day tells: the alarms of the day, what was open at its end, indicators and load.

With an instant of the past it tells what was known then.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from cockpit.board import Board
from cockpit.case_board import CaseBoard
from cockpit.kpi import Kpi
from cockpit.kpi_parts import Document, Wanted
from cockpit.kpi_period import Day, Period
from cockpit.past_boards import of_period
from cockpit.past_records import PastRecords
from devices.kind import PRIORITIES
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.load import load, noticed
from ingest.alarms.own_kind import WATCHDOG
from ingest.alarms.tables import occurrence
from ingest.cases.lifecycle import OPEN_STATES
from ingest.cases.tables import cases
from ingest.errors import StoreError

MOST_ALARMS = 60
MOST_CASES = 40
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Report:
    """The facts of a day, as documents of the API; ``at_ms`` is the instant of the past at which they were known."""

    day: Day
    made_ms: int
    hours: list[tuple[str, int]]
    raised: Mapping[str, list[int]]
    serious: list[Document]
    serious_in_all: int
    open_alarms: list[Document]
    open_counts: Mapping[str, int]
    open_cases: list[Document]
    open_cases_in_all: int
    overdue_in_all: int
    shares_of_day: Document
    shares_of_month: Document
    load: Document
    kinds: dict[str, Document] = field(default_factory=dict)
    weeks: dict[str, Document] = field(default_factory=dict)
    away: str = ""
    at_ms: int | None = None

    @property
    def known_ms(self) -> int:
        """Return the instant up to which things are known."""
        return self.made_ms if self.at_ms is None else self.at_ms

    @property
    def running(self) -> bool:
        """Tell whether the day is not over yet, as far as is known."""
        return self.known_ms < self.day.to_ms

    @property
    def waiting(self) -> int:
        """Return how many days of some figure are not reckoned yet."""
        return max((each["waiting"] for each in (*self.kinds.values(), *self.weeks.values())), default=0)


class Reporter:
    """Gathers the facts; every call blocks."""

    def __init__(self, site: Site, database: AlarmDatabase, board: Board, case_board: CaseBoard, kpi: Kpi) -> None:
        self._site = site
        self._database = database
        self._board = board
        self._cases = case_board
        self._kpi = kpi

    def report(self, period: Period, now_ms: int, go_on: Callable[[], bool], at_ms: int | None = None) -> Report:
        """Return the report of the one day of a period, as it is known now or was at an instant of the past.

        Where the store is away the rest is told all the same.

        Raises:
            AlarmError: the alarm database is away.
        """
        (day,) = period.days
        known_ms = now_ms if at_ms is None else at_ms
        end_ms = min(day.to_ms, known_ms)
        month = Period(day.date.replace(day=1), day.date, period.zone)
        with self._standing(day, month, at_ms) as then, then.alarms.read() as connection:
            rows = [dict(row) for row in connection.execute(_raised(day)).mappings()]
            serious = [row for row in rows if row["priority"] in ("P1", "P2")]
            still = [_as_of(dict(row), end_ms) for row in connection.execute(_open_at(end_ms)).mappings()]
            known = None if at_ms is None else noticed(connection, day.from_ms, day.to_ms)
            with self._database.read() as whole:
                burden = asdict(load(whole, day.from_ms, day.to_ms, known_ms, known))
            with then.cases.read() as of_cases:
                unsolved = [dict(row) for row in of_cases.execute(_cases_at(end_ms)).mappings()]
            report = Report(
                day=day,
                made_ms=now_ms,
                hours=_hours(day),
                raised={key: _by_hour(day, [row for row in rows if row["priority"] == key]) for key in PRIORITIES},
                serious=then.board.documents(connection, serious[:MOST_ALARMS]),
                serious_in_all=len(serious),
                open_alarms=then.board.documents(connection, still[:MOST_ALARMS]),
                open_counts={key: sum(row["priority"] == key for row in still) for key in PRIORITIES},
                open_cases=[then.case_board.document(row, None, end_ms) for row in unsolved[:MOST_CASES]],
                open_cases_in_all=len(unsolved),
                overdue_in_all=sum(row["deadline_at"] is not None and row["deadline_at"] <= end_ms for row in unsolved),
                shares_of_day=then.case_board.indicators(day.from_ms, day.to_ms, None, known_ms),
                shares_of_month=then.case_board.indicators(month.from_ms, day.to_ms, None, known_ms),
                load=burden,
                at_ms=at_ms,
            )
        week = Period(day.date - timedelta(days=6), day.date, period.zone)
        wanted = Wanted(period, now_ms, go_on=go_on, at_ms=at_ms)
        try:
            for kind in self._kpi.kinds:
                report.kinds[kind] = self._kpi.figures(kind, wanted)
            for kind in self._kpi.kinds:
                report.weeks[kind] = self._kpi.figures(kind, replace(wanted, period=week))
        except StoreError as error:
            return replace(report, away=str(error))
        return report

    @contextmanager
    def _standing(self, day: Day, month: Period, at_ms: int | None) -> Iterator["_Standing"]:
        if at_ms is None:
            yield _Standing(self._database, self._board, self._database, self._cases)
            return
        past = PastRecords(self._database)
        of_day = (occurrence.c.raised_at < day.to_ms, occurrence.c.closed_at >= day.from_ms)
        alarms = past.alarms(at_ms, sa.select(occurrence).where(*of_day))
        try:
            cases_then = past.cases(at_ms, of_period(month.from_ms))
            try:
                yield _Standing(alarms, self._board.over(alarms), cases_then, self._cases.over(cases_then))
            finally:
                cases_then.close()
        finally:
            alarms.close()


@dataclass(frozen=True, slots=True)
class _Standing:
    """Alarms and cases as they are known, and who puts them into words."""

    alarms: AlarmDatabase
    board: Board
    cases: AlarmDatabase
    case_board: CaseBoard


def _raised(day: Day) -> sa.Select[Any]:
    within = (occurrence.c.raised_at >= day.from_ms, occurrence.c.raised_at < day.to_ms)
    query = sa.select(occurrence).where(*within, occurrence.c.rule != WATCHDOG)
    return query.order_by(occurrence.c.raised_at, occurrence.c.id)


def _open_at(at_ms: int) -> sa.Select[Any]:
    rank = sa.case({priority: place for place, priority in enumerate(PRIORITIES)}, value=occurrence.c.priority)
    still = sa.or_(occurrence.c.closed_at.is_(None), occurrence.c.closed_at >= at_ms)
    query = sa.select(occurrence).where(occurrence.c.raised_at < at_ms, still, occurrence.c.rule != WATCHDOG)
    return query.order_by(rank, occurrence.c.raised_at, occurrence.c.id)


def _as_of(row: Document, at_ms: int) -> Document:
    """Return an alarm as it stood, of its instants: what was done to it later was not done yet."""

    def before(key: str) -> bool:
        return row[key] is not None and row[key] < at_ms

    found = {**row, "active": row["active"] or not before("returned_at"), "closed_at": None}
    if not before("acked_at"):
        found |= {"acked": False, "acked_at": None, "acked_by": None}
    return found


def _cases_at(at_ms: int) -> sa.Select[Any]:
    still = sa.or_(cases.c.state.in_(OPEN_STATES), cases.c.closed_at >= at_ms)
    query = sa.select(cases).where(cases.c.reported_at < at_ms, still)
    return query.order_by(sa.func.coalesce(cases.c.deadline_at, cases.c.reported_at), cases.c.id)


def _hours(day: Day) -> list[tuple[str, int]]:
    count = (day.to_ms - day.from_ms) // _HOUR_MS
    return [(f"{hour:02}", day.from_ms + hour * _HOUR_MS) for hour in range(count)]


def _by_hour(day: Day, rows: list[Document]) -> list[int]:
    counts = [0] * len(_hours(day))
    for row in rows:
        counts[min(len(counts) - 1, (row["raised_at"] - day.from_ms) // _HOUR_MS)] += 1
    return counts
