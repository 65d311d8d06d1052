"""Alarms and cases as they stood at an instant: a small database in memory, read by the same code as the real one.

What was open then is retraced from the audit; what was closed already never changed since and is copied as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ingest.alarms.database import AlarmDatabase
from ingest.alarms.retracing import Row, cases_of, occurrences_of, open_cases, open_occurrences
from ingest.alarms.tables import audit, joint_act, occurrence
from ingest.cases.tables import cases, evidence

_TABLES = (occurrence, joint_act, audit, cases, evidence)


class Copy(AlarmDatabase):
    """Rows of some tables, kept in memory for as long as somebody holds this; only ever read."""

    def __init__(self, rows: Mapping[sa.Table, Sequence[Row]]) -> None:
        """Take the rows in."""
        self.engine = sa.create_engine(
            "sqlite://", poolclass=sa.pool.StaticPool, connect_args={"check_same_thread": False}
        )
        self._reading: dict[str, Any] = {}
        # Without indexes: what the rules of today keep apart may have stood together in a record that was behind.
        plain = sa.MetaData()
        for table in _TABLES:
            table.to_metadata(plain).indexes.clear()
        with self.engine.begin() as connection:
            plain.create_all(connection)
            for table, found in rows.items():
                if found:
                    connection.execute(table.insert(), list(found))


class PastRecords:
    """Makes such copies of the alarm database; every call blocks."""

    def __init__(self, database: AlarmDatabase) -> None:
        self._database = database

    def open_alarms(self, at_ms: int) -> Copy:
        """Return what was open, with the acts that waited for a second person.

        Raises:
            AlarmError: the database could not be read.
        """
        with self._database.read() as connection:
            return Copy({occurrence: open_occurrences(connection, at_ms), joint_act: _waiting(connection, at_ms)})

    def alarms(self, at_ms: int, closed: sa.Select[Any]) -> Copy:
        """Return what was open, and of what was closed those rows that ``closed`` selects.

        Raises:
            AlarmError: the database could not be read.
        """
        with self._database.read() as connection:
            standing = open_occurrences(connection, at_ms)
            found = _closed(connection, occurrence, closed, standing, at_ms)
            return Copy({occurrence: [*standing, *found], joint_act: _waiting(connection, at_ms)})

    def alarm(self, identifier: str, at_ms: int) -> Copy | None:
        """Return one alarm with its history, beside what was open; None when it had not been raised.

        Raises:
            AlarmError: the database could not be read.
        """
        with self._database.read() as connection:
            found = occurrences_of(connection, [identifier], at_ms)
            if not found:
                return None
            standing = [row for row in open_occurrences(connection, at_ms) if row["id"] != identifier]
            history = _done(connection, audit.c.occurrence == identifier, at_ms)
            rows = {occurrence: [*found, *standing], joint_act: _waiting(connection, at_ms), audit: history}
        return Copy(rows)

    def open_cases(self, at_ms: int) -> Copy:
        """Return the cases that were open.

        Raises:
            AlarmError: the database could not be read.
        """
        with self._database.read() as connection:
            return Copy({cases: open_cases(connection, at_ms)})

    def cases(self, at_ms: int, closed: sa.Select[Any]) -> Copy:
        """Return the cases that were open, and of those that were closed what ``closed`` selects.

        Raises:
            AlarmError: the database could not be read.
        """
        with self._database.read() as connection:
            standing = open_cases(connection, at_ms)
            return Copy({cases: [*standing, *_closed(connection, cases, closed, standing, at_ms)]})

    def case(self, identifier: str, at_ms: int) -> Copy | None:
        """Return one case with its history, evidence, alarms and repeats; None when it had not been reported.

        Raises:
            AlarmError: the database could not be read.
        """
        with self._database.read() as connection:
            found = cases_of(connection, [identifier], at_ms)
            if not found:
                return None
            repeats = connection.scalars(sa.select(cases.c.id).where(cases.c.recurrence_of == identifier)).all()
            linked = connection.scalars(sa.select(occurrence.c.id).where(occurrence.c.case == identifier)).all()
            shown = sa.select(evidence).where(evidence.c.case == identifier, evidence.c.at <= at_ms)
            return Copy(
                {
                    cases: [*found, *(row for row in cases_of(connection, repeats, at_ms) if row["recurrence_of"])],
                    occurrence: occurrences_of(connection, linked, at_ms),
                    evidence: _rows(connection, shown),
                    audit: _done(connection, audit.c.case == identifier, at_ms),
                }
            )


def _closed(
    connection: sa.Connection, table: sa.Table, closed: sa.Select[Any], standing: Sequence[Row], at_ms: int
) -> list[Row]:
    query = closed.where(table.c.closed_at <= at_ms)
    known = {row["id"] for row in standing}
    return [row for row in _rows(connection, query) if row["id"] not in known]


def _waiting(connection: sa.Connection, at_ms: int) -> list[Row]:
    asked = sa.and_(joint_act.c.asked_at <= at_ms, joint_act.c.occurrence.is_not(None))
    query = sa.select(joint_act).where(asked, sa.or_(joint_act.c.settled_at.is_(None), joint_act.c.settled_at > at_ms))
    unsettled = dict.fromkeys(("outcome", "settled_by", "settled_at"))
    return [{**row, **unsettled} for row in _rows(connection, query)]


def _done(connection: sa.Connection, about: sa.ColumnElement[bool], at_ms: int) -> list[Row]:
    """Return the audit rows of what had been done; each subject's acts in order, up to the first that came later."""
    found: list[Row] = []
    later: set[str] = set()
    for row in _rows(connection, sa.select(audit).where(about).order_by(audit.c.seq)):
        subject = row["occurrence"] or row["case"]
        if row["at"] > at_ms:
            later.add(subject)
        elif subject not in later:
            found.append(row)
    return found


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]
