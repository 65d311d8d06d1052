"""Occurrences and cases as they stood at an instant: told by what each act changed, not by the rows as they are now.

The acts on one of them are taken in the order in which they were done, up to the first that came later. Acts of a
collector that was behind bear the instant of their cause; such an act counts from the instant of the one before it.

Acts of before there was a record of changes (``audit.changes``) tell level, value and state only; what they leave open
is taken from the row of today, without what happened later.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.alarms.own_kind import WATCHDOG
from ingest.alarms.tables import audit, occurrence
from ingest.cases.tables import cases

Row = dict[str, Any]

_AT_ONCE = 500
# A collector that was behind may have closed something under an instant before that of another act on it.
_BEHIND_MS = 24 * 3_600_000
_ACTIVE = frozenset({"UNACK", "ACKED"})
_SEEN = frozenset({"ACKED", "LATCHED", "CLOSED"})
# Instants at which something will fall due.
_AHEAD = frozenset({"remind_at", "amber_at", "deadline_at", "decision_due_at"})
_COLUMNS = ("at", "version_after", "changes", "state_after", "level", "value", "rule", "rule_version")


def open_occurrences(connection: sa.Connection, at_ms: int, *conditions: sa.ColumnElement[bool]) -> list[Row]:
    """Return the occurrences that were open; ``conditions`` are on columns that never change."""
    known = sa.and_(occurrence.c.noticed_at <= at_ms, occurrence.c.rule != WATCHDOG, *conditions)
    ids = _open(connection, occurrence, audit.c.occurrence, known, at_ms)
    return [row for row in occurrences_of(connection, ids, at_ms) if row["closed_at"] is None]


def open_cases(connection: sa.Connection, at_ms: int, *conditions: sa.ColumnElement[bool]) -> list[Row]:
    """Return the cases that were open; ``conditions`` are on columns that never change."""
    known = sa.and_(cases.c.reported_at <= at_ms, *conditions)
    ids = _open(connection, cases, audit.c.case, known, at_ms)
    return [row for row in cases_of(connection, ids, at_ms) if row["closed_at"] is None]


def occurrences_of(connection: sa.Connection, ids: Iterable[str], at_ms: int) -> list[Row]:
    """Return some occurrences as they stood, open or closed; those that came later are left out."""
    return list(_retraced(connection, occurrence, audit.c.occurrence, ids, at_ms, sa.true()))


def cases_of(connection: sa.Connection, ids: Iterable[str], at_ms: int) -> list[Row]:
    """Return some cases as they stood, open or closed; those that came later are left out."""
    # An act on an alarm that belongs to a case names the case, too.
    return list(_retraced(connection, cases, audit.c.case, ids, at_ms, audit.c.occurrence.is_(None)))


def acts_until(rows: Iterable[Mapping[Any, Any]], at_ms: int) -> Iterator[Mapping[Any, Any]]:
    """Yield the acts on one subject, given in order of their numbers, that had been done at an instant."""
    for row in rows:
        if row["at"] > at_ms:
            return
        yield row


def _open(
    connection: sa.Connection, table: sa.Table, subject: sa.Column[Any], known: sa.ColumnElement[bool], at_ms: int
) -> list[str]:
    closed_at = table.c.closed_at
    later = sa.exists().where(subject == table.c.id, audit.c.at > at_ms)
    query = sa.select(table.c.id).where(
        known,
        sa.or_(closed_at.is_(None), closed_at > at_ms, sa.and_(closed_at > at_ms - _BEHIND_MS, later)),
    )
    return [str(each) for each in connection.scalars(query)]


def _retraced(
    connection: sa.Connection,
    table: sa.Table,
    subject: sa.Column[Any],
    ids: Iterable[str],
    at_ms: int,
    own: sa.ColumnElement[bool],
) -> Iterator[Row]:
    waiting = iter(sorted(set(ids)))
    columns = [subject.label("subject"), *(audit.c[name] for name in _COLUMNS)]
    while chunk := list(islice(waiting, _AT_ONCE)):
        today = {row["id"]: row for row in connection.execute(sa.select(table).where(table.c.id.in_(chunk))).mappings()}
        query = sa.select(*columns).where(subject.in_(chunk), own).order_by(subject, audit.c.seq)
        for name, acts in groupby(connection.execute(query).mappings(), itemgetter("subject")):
            done = list(acts_until(acts, at_ms))
            if done and name in today:
                yield _row(table, today[name], done, at_ms)


def _row(table: sa.Table, today: Mapping[Any, Any], done: Sequence[Mapping[Any, Any]], at_ms: int) -> Row:
    # A refusal may have been noted before anything was changed; birth is what bears a version.
    told = [act for act in done if act["version_after"] is not None]
    if told and told[0]["changes"] is not None:
        row: Row = dict.fromkeys(column.name for column in table.columns)
    else:
        row, told = _half_told(table, today, told or done, at_ms)
    for act in told:
        if act["changes"] is not None:
            row.update(msgspec.json.decode(act["changes"]))
        row["version"] = act["version_after"]
    return row


def _half_told(
    table: sa.Table, today: Mapping[Any, Any], acts: Sequence[Mapping[Any, Any]], at_ms: int
) -> tuple[Row, list[Mapping[Any, Any]]]:
    """Return what acts without a record of changes leave to be known, and the acts that come behind them."""
    count = next((n for n, act in enumerate(acts) if act["changes"] is not None), len(acts))
    last = acts[count - 1]
    row: Row = {column.name: today[column.name] for column in table.columns}
    for name in [name for name in row if name.endswith("_at") and name not in _AHEAD]:
        if row[name] is not None and row[name] > at_ms:
            row[name] = None
    row["version"] = last["version_after"]
    if table is cases:
        row["state"] = last["state_after"]
        return row, list(acts[count:])
    state = last["state_after"]
    row.update(active=state in _ACTIVE, acked=state in _SEEN, level_now=last["level"], value=last["value"])
    row.update(rule=last["rule"], rule_version=last["rule_version"])
    row["latched"] = row["latched"] or state == "LATCHED"
    for who in ("acked", "decided", "verdict", "reset"):
        if row[f"{who}_at"] is None:
            row[f"{who}_by"] = None
    if state != "CLOSED":
        row["closed_at"] = None
    return row, list(acts[count:])
