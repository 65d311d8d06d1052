"""Keeping occurrences: transitions of the engine, applied with their audit rows and position in one transaction."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ingest.alarms.audit import SYSTEM, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.states import state_of
from ingest.alarms.tables import collector, occurrence
from ingest.alarms.transitions import Transition
from ingest.errors import AlarmError

Row = dict[str, Any]


def position_of(database: AlarmDatabase, shard: str) -> int:
    """Return the journal position up to which a collector's transitions are kept."""
    with database.read() as connection:
        found = connection.execute(sa.select(collector.c.position).where(collector.c.shard == shard)).scalar()
    return int(found or 0)


def apply(
    database: AlarmDatabase, shard: str, transitions: Sequence[Transition], position: int, now_ms: int
) -> list[tuple[str, int]]:
    """Apply transitions up to a journal position; those kept already (a restart judges again) are passed over.

    Returns:
        (occurrence id, version) of every occurrence that changed.

    Raises:
        AlarmError: nothing was changed.
    """
    with database.write() as connection:
        kept = connection.execute(
            sa.select(collector.c.position).where(collector.c.shard == shard).with_for_update()
        ).scalar()
        keeper = _Keeper(connection)
        for transition in transitions:
            if kept is None or transition.position > kept:
                keeper.apply(transition)
        keeper.finish()
        place = {"position": max(position, kept or 0), "now_ms": now_ms}
        if kept is None:
            connection.execute(collector.insert().values(shard=shard, **place))
        else:
            connection.execute(collector.update().where(collector.c.shard == shard).values(**place))
    return list(keeper.touched.items())


class _Keeper:
    """The state table of ALARMS §2 for what the system does; acked and latched are read inside the transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._audit = AuditWriter(connection)
        self.touched: dict[str, int] = {}

    def finish(self) -> None:
        self._audit.finish()

    def apply(self, transition: Transition) -> None:
        if transition.what in ("stale", "fresh"):
            self._overlay(transition)
            return
        if transition.what == "passage" and self._known(transition.point):
            # One vehicle is one alarm, also when its record comes again after that was closed.
            return
        found = self._open(transition.point)
        if transition.what == "return":
            if found is not None and found["active"]:
                closing = found["acked"] and not found["latched"]
                ended = {"closed_at": transition.now_ms} if closing else {}
                self._update(
                    found, transition, "return", active=False, level_now=0, returned_at=transition.at_ms, **ended
                )
        elif found is None:
            self._born(transition)
        elif transition.what in ("raise", "change"):
            self._moved(found, transition)
        elif transition.level > found["level_peak"]:
            # It was worse than anybody knew: that has to be seen, too.
            worse = {"level_peak": transition.level, "priority": transition.priority, "acked": False}
            self._update(found, transition, transition.what, **worse)

    def _open(self, point: str) -> Row | None:
        query = sa.select(occurrence).where(occurrence.c.point == point, occurrence.c.closed_at.is_(None))
        found = self._connection.execute(query.with_for_update()).mappings().one_or_none()
        return None if found is None else dict(found)

    def _known(self, point: str) -> bool:
        query = sa.select(occurrence.c.id).where(occurrence.c.point == point).limit(1)
        return self._connection.execute(query).first() is not None

    def _born(self, transition: Transition) -> None:
        active = transition.what in ("raise", "change")
        row: Row = {
            "id": transition.occurrence_id,
            "point": transition.point,
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
            "suppression": "none",
            "quality": transition.quality,
            "value": transition.value,
            "activations": 1,
            "raised_at": transition.at_ms,
            "noticed_at": transition.now_ms,
            "returned_at": None if active else transition.at_ms,
            "acked_at": None,
            "acked_by": None,
            "closed_at": None,
            "decision": None,
            "case": None,
            "version": 1,
        }
        self._connection.execute(occurrence.insert().values(**row))
        self._note(transition, transition.what, None, row)

    def _moved(self, found: Row, transition: Transition) -> None:
        changes: Row = {
            "level_now": transition.level,
            "level_peak": max(found["level_peak"], transition.level),
            "value": transition.value,
            "quality": transition.quality,
        }
        if transition.level >= found["level_now"] or not found["active"]:
            changes["priority"] = transition.priority
        if not found["active"]:
            # Back before it was closed: the same occurrence, to be acknowledged again.
            # What was acknowledged before its return counts no more.
            again = found["activations"] + 1
            changes.update(active=True, acked=False, level_acked=0, returned_at=None, activations=again)
        elif transition.level > found["level_acked"]:
            changes["acked"] = False
        self._update(found, transition, transition.what, **changes)

    def _overlay(self, transition: Transition) -> None:
        query = sa.select(occurrence).where(
            occurrence.c.device == transition.device,
            occurrence.c.closed_at.is_(None),
            occurrence.c.active.is_(True),
            ~occurrence.c.rule.endswith(".no_data"),
        )
        for found in self._connection.execute(query.with_for_update()).mappings().all():
            if found["quality"] != transition.quality:
                self._update(dict(found), transition, transition.what, quality=transition.quality)

    def _update(self, found: Row, transition: Transition, action: str, **changes: Any) -> None:
        after = {**found, **changes, "version": found["version"] + 1}
        result = self._connection.execute(
            occurrence.update()
            .where(occurrence.c.id == found["id"], occurrence.c.version == found["version"])
            .values(**changes, version=after["version"])
        )
        if result.rowcount != 1:
            raise AlarmError(f"occurrence {found['id']} changed under the writer")
        self._note(transition, action, found, after)

    def _note(self, transition: Transition, action: str, before: Row | None, after: Row) -> None:
        self.touched[after["id"]] = after["version"]
        self._audit.add(
            at_ms=transition.now_ms,
            position=transition.position,
            actor=SYSTEM,
            action=action,
            before=before,
            after=after,
            states=(row_state(before) if before else "NORM", row_state(after)),
        )


def row_state(row: Row) -> str:
    """Return the state of a row; a closed one stays closed whatever its facts were."""
    if row["closed_at"] is not None:
        return "CLOSED"
    return state_of(row["active"], row["acked"], row["latched"])
