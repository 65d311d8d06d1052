"""Keeping occurrences: transitions of the engine, applied with their audit rows and position in one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any

import sqlalchemy as sa

from devices.kind import worst_priority
from ingest.alarms import device_health, offences
from ingest.alarms.acts import Acts, announced_again
from ingest.alarms.audit import SYSTEM, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.own_kind import WATCHDOG
from ingest.alarms.suppressions import Standing, end, lifts, shown_again
from ingest.alarms.tables import collector, occurrence
from ingest.alarms.transitions import Transition

Row = dict[str, Any]
_POINT_MOST = 300
_AT_ONCE = 500


def position_of(database: AlarmDatabase, shard: str) -> int:
    """Return the journal position up to which a collector's transitions are kept."""
    with database.read() as connection:
        found = connection.execute(sa.select(collector.c.position).where(collector.c.shard == shard)).scalar()
    return int(found or 0)


def apply(
    database: AlarmDatabase,
    shard: str,
    transitions: Sequence[Transition],
    position: int,
    now_ms: int,
    secret: bytes = b"",
) -> list[tuple[str, int]]:
    """Apply transitions up to a journal position; those kept already (a restart judges again) are passed over.

    Vehicles are named in the database by the site's ``secret``.

    Returns:
        (occurrence id, version) of every occurrence that changed.

    Raises:
        AlarmError: nothing was changed.
    """
    with database.write() as connection:
        kept = connection.execute(
            sa.select(collector.c.position).where(collector.c.shard == shard).with_for_update()
        ).scalar()
        fresh = [each for each in transitions if kept is None or each.position > kept]
        touched = add(connection, fresh)
        device_health.keep(connection, shard, fresh)
        offences.keep(connection, shard, fresh, secret)
        place = {"position": max(position, kept or 0), "now_ms": now_ms}
        if kept is None:
            connection.execute(collector.insert().values(shard=shard, **place))
        else:
            connection.execute(collector.update().where(collector.c.shard == shard).values(**place))
    return touched


def add(connection: sa.Connection, transitions: Sequence[Transition]) -> list[tuple[str, int]]:
    """Apply transitions inside the caller's transaction, and return the same as :func:`apply`."""
    keeper = _Keeper(connection, transitions)
    for transition in transitions:
        keeper.apply(transition)
    keeper.finish()
    return list(keeper.touched.items())


def keep_own(database: AlarmDatabase, transitions: Sequence[Transition]) -> None:
    """Apply transitions that no journal record caused; no collector's position moves by them.

    Raises:
        AlarmError: nothing was changed.
    """
    with database.write() as connection:
        keeper = _Keeper(connection, transitions)
        for transition in transitions:
            keeper.apply(transition)
        keeper.finish()


def point_name(point: str) -> str:
    """Return a point as a database can keep it: the name of a passage comes from a device and may be anything."""
    plain = point.replace("\x00", "\ufffd")
    if len(plain) <= _POINT_MOST and plain == point:
        return point
    return f"{plain[: _POINT_MOST - 33]}~{blake2b(point.encode(), digest_size=16).hexdigest()}"


def _hidden_by(row: Row) -> str:
    return "" if row["suppression"] == "none" else str(row["suppression"])


class _Keeper:
    """The state table of ALARMS §2 for what the system does; acked and latched are read inside the transaction."""

    def __init__(self, connection: sa.Connection, transitions: Sequence[Transition]) -> None:
        self._connection = connection
        self._chain = AuditWriter(connection)
        self._acts = Acts(connection, self._chain, SYSTEM, 0, 0)
        self._standing = Standing(connection)
        points = {point_name(t.point) for t in transitions if t.what not in ("stale", "fresh")}
        self._rows = {row["point"]: row for row in self._read(points, occurrence, occurrence.c.closed_at.is_(None))}
        passages = {point_name(t.point) for t in transitions if t.what == "passage"}
        self._known = {row["point"] for row in self._read(passages, occurrence.c.point)}
        self._born_rows: list[Row] = []

    @property
    def touched(self) -> dict[str, int]:
        """The version of each occurrence that changed."""
        return self._acts.touched

    def finish(self) -> None:
        self._flush()
        self._chain.finish()

    def apply(self, transition: Transition) -> None:
        self._acts.now_ms, self._acts.position = transition.now_ms, transition.position
        if transition.what in ("stale", "fresh", "doubt"):
            self._overlay(transition)
            return
        if transition.what == "health":
            return
        point = point_name(transition.point)
        if transition.what == "passage" and point in self._known:
            # One vehicle is one alarm, also when its record comes again after that was closed.
            return
        if transition.what in ("fold", "unfold"):
            self._fold(self._rows.get(point), transition)
            return
        if transition.what != "return":
            self._lift(point, transition)
        found = self._rows.get(point)
        if transition.what == "return":
            if found is not None and found["active"]:
                self._returned(found, transition)
        elif found is None:
            self._born(point, transition)
        elif transition.what in ("raise", "change"):
            self._moved(found, transition)
        elif transition.level > found["level_peak"]:
            # It was worse than anybody knew: that has to be seen, too.
            worse = {"level_peak": transition.level, "priority": transition.priority}
            self._change(found, transition.what, {**worse, **announced_again(found)})

    def _read(self, points: Iterable[str], what: Any, *conditions: sa.ColumnElement[bool]) -> Iterator[Row]:
        waiting = iter(sorted(points))
        while chunk := list(islice(waiting, _AT_ONCE)):
            query = sa.select(what).where(occurrence.c.point.in_(chunk), *conditions)
            if conditions:
                query = query.with_for_update()
            yield from map(dict, self._connection.execute(query).mappings())

    def _born(self, point: str, transition: Transition) -> None:
        active = transition.what in ("raise", "change")
        cause = transition.cause or None
        row: Row = {
            **dict.fromkeys(column.name for column in occurrence.columns),
            "id": transition.occurrence_id,
            "point": point,
            "device": transition.device,
            "kind": transition.kind,
            "rule": transition.rule,
            "rule_version": transition.rule_version,
            "field": transition.field,
            "unit": transition.unit,
            "level_now": transition.level,
            "level_peak": transition.level,
            "level_acked": 0,
            "priority": transition.priority,
            "active": active,
            "acked": False,
            "latched": transition.latch,
            "quality": transition.quality,
            "value": transition.value,
            "activations": 1,
            "raised_at": transition.at_ms,
            "noticed_at": transition.now_ms,
            "returned_at": None if active else transition.at_ms,
            "cause": cause,
            "version": 1,
            **self._standing.columns(point, transition.device, cause),
        }
        self._born_rows.append(row)
        if transition.rule == WATCHDOG:
            # It has shown that the path is whole; nobody is to look at it.
            row.update(acked=True, acked_by=SYSTEM.user, acked_at=transition.now_ms, closed_at=transition.now_ms)
        else:
            self._rows[point] = row
        if transition.what == "passage":
            self._known.add(point)
        self._acts.note(row, transition.what, _hidden_by(row), born=True)

    def _moved(self, found: Row, transition: Transition) -> None:
        changes: Row = {
            "level_now": transition.level,
            "level_peak": max(found["level_peak"], transition.level),
            "value": transition.value,
            "quality": transition.quality,
        }
        # As urgent as the worst of it since it came: getting better answers for nothing.
        urgent = (transition.priority, found["priority"]) if found["active"] else (transition.priority,)
        changes["priority"] = worst_priority(urgent)
        if transition.rule_version != found["rule_version"]:
            # Its rule was changed since, and the changed one says so.
            changes["rule_version"] = transition.rule_version
        if not found["active"]:
            # Back before it was closed: the same occurrence, to be acknowledged again.
            # What was acknowledged before its return counts no more.
            again = found["activations"] + 1
            changes.update(announced_again(found), active=True, level_acked=0, returned_at=None, activations=again)
        elif transition.level > found["level_acked"]:
            changes.update(announced_again(found))
        if transition.cause and transition.cause != found["cause"]:
            changes.update(self._standing.columns(found["point"], found["device"], transition.cause))
            changes["cause"] = transition.cause
        self._change(found, transition.what, changes, _hidden_by({**found, **changes}))

    def _returned(self, found: Row, transition: Transition) -> None:
        changes: Row = {"active": False, "level_now": 0, "returned_at": transition.at_ms}
        # Nothing is left to decide in time, and nothing to observe.
        changes.update(decision_due_at=None, observed_until=None, quality=transition.quality)
        if found["acked"] and not found["latched"]:
            changes["closed_at"] = transition.now_ms
        after = self._change(found, "return", changes)
        if after["closed_at"] is not None:
            del self._rows[after["point"]]

    def _overlay(self, transition: Transition) -> None:
        self._flush()
        for found in self._acts.open_of("device", transition.device):
            # What a latched alarm of a silent device is worth cannot be known either: it is not reset meanwhile.
            concerned = (found["active"] or found["latched"]) and found["field"]
            if transition.what == "doubt" and transition.field:
                concerned = concerned and found["field"] == transition.field
            if concerned and found["quality"] != transition.quality:
                self._change(found, transition.what, {"quality": transition.quality})

    def _fold(self, found: Row | None, transition: Transition) -> None:
        cause = transition.cause or None
        if found is None or found["cause"] == cause:
            return
        if cause is not None:
            changes = self._standing.columns(found["point"], found["device"], cause)
        else:
            changes = shown_again(self._standing, {**found, "cause": None})
        self._change(found, transition.what, {**changes, "cause": cause}, cause or "")

    def _lift(self, point: str, transition: Transition) -> None:
        shelf = self._standing.one("shelved", "point", point)
        if shelf is not None and lifts(shelf, transition.level, transition.priority):
            self._flush()
            sentence = f"level {transition.level} is worse than the level {shelf['level']} that was shelved"
            for row in end(self._acts, self._standing, shelf, "shelf_lifted", sentence):
                self._rows[row["point"]] = row

    def _change(self, found: Row, action: str, changes: Row, reason: str = "") -> Row:
        self._flush()
        after = self._rows[found["point"]] = self._acts.change(found, action, changes, reason)
        return after

    def _flush(self) -> None:
        if self._born_rows:
            self._connection.execute(occurrence.insert(), self._born_rows)
            self._born_rows = []
