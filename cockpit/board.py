"""Alarms for people: rows of the alarm database with names, place and who is responsible; and what is open now."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

import sqlalchemy as sa

from cockpit.drill.mark import marked
from cockpit.times import rfc3339
from devices.groups import gathered
from devices.kind import PRIORITIES
from devices.signals import Together
from devices.site import Device, Site
from devices.units import UNITS, Unit
from ingest.alarms.areas import Area, streets_of
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.own_kind import COLLECTOR, WATCHDOG
from ingest.alarms.rules import rule_label
from ingest.alarms.states import OPEN_STATES, row_state
from ingest.alarms.tables import audit, audit_head, joint_act, occurrence
from ingest.contacts import Directory

Document = dict[str, Any]
worst_first = sa.case({priority: index for index, priority in enumerate(PRIORITIES)}, value=occurrence.c.priority)
_TIMES = ("raised_at", "acked_at", "returned_at", "closed_at")
_PLAIN = (
    "id", "point", "device", "kind", "rule", "rule_version", "level_now", "level_peak", "level_acked", "priority",
    "active", "acked", "latched", "suppression", "quality", "value", "unit", "acked_by", "version", "case", "field",
    "decision", "activations",
)  # fmt: skip
_LATER = ("cause", "decided_by", "verdict", "verdict_by", "reset_by")
_LATER_TIMES = ("decided_at", "decision_due_at", "observed_until", "verdict_at", "reset_at")


class Board:
    """Reads the alarm database; every call blocks, so the event loop makes them in a thread."""

    def __init__(self, database: AlarmDatabase, site: Site) -> None:
        self._database = database
        self._site = site
        self._directory = Directory(site)
        self._groups = gathered(site)
        # Silence folds that of others, a circuit the faults of its lamps: no other alarm is a cause of any.
        silences = {f"{kind.key}.no_data" for kind in site.catalog.kinds.values()}
        self.causes = frozenset(
            f"{kind.key}.{group.limit.key}"
            for kind in site.catalog.kinds.values()
            for group in kind.groups
            if isinstance(group.of, Together)
        ).union(silences)

    def document(self, row: Mapping[Any, Any], pending: Mapping[Any, Any] | None = None, members: int = 0) -> Document:
        """Return an occurrence in the shape of CONTRACTS.md, with what a person needs to act on it.

        ``pending`` are the columns of the act on it that waits for a second person, ``members`` how many open alarms
        of other devices are folded under it.
        """
        device = self._site.devices.get(row["device"]) or self._groups.get(row["device"])
        contacts = self._directory.of_device(row["device"]).document()
        label = rule_label(row["rule"], self._site.catalog)
        unit = UNITS.get(row["unit"]) or Unit(row["unit"], row["unit"], row["unit"])
        return {
            **{key: row[key] for key in _PLAIN},
            **{key: rfc3339(row[key], self._site.timezone) for key in _TIMES},
            # Absent from replies that were kept before there was such a column.
            **{key: row.get(key) for key in _LATER},
            **{key: rfc3339(row.get(key), self._site.timezone) for key in _LATER_TIMES},
            "state": row_state(row),
            "members": members,
            "suppressed": self._suppressed(row),
            "pending": None if pending is None else self.pending_document(pending),
            "raise_to_ack_s": _seconds(row["noticed_at"], row["acked_at"]),
            "raise_to_case_s": _seconds(row["noticed_at"], row.get("decided_at")) if row["case"] else None,
            "district": device.district if device else self._site.district,
            "street": device.street if device else None,
            "grid": device.grid if device else None,
            "lat": device.lat if device else None,
            "lon": device.lon if device else None,
            "camera": contacts["camera"],
            "grid_officer": contacts["grid_officer"],
            "device_name": _named(row, device),
            "rule_name": marked(self._site, {"zh": label.zh, "en": label.en}),
            "unit_label": {"zh": unit.zh, "en": unit.en},
            "responsible": contacts["unit"],
        }

    @property
    def places(self) -> Mapping[str, Device]:
        """Return everything an alarm can stand at: devices, circuits and streets."""
        return {**self._site.devices, **self._groups}

    def area(self, keys: Sequence[str]) -> Area | None:
        """Return where somebody may act who was given these streets and districts; None without any: everywhere."""
        return Area(streets_of(self._site, keys), self._street_of) if keys else None

    def _street_of(self, device: str) -> str:
        found = self._site.devices.get(device) or self._groups.get(device)
        return found.street if found is not None else ""

    def pending_document(self, row: Mapping[Any, Any]) -> Document:
        """Return an act that waits, or waited, for a second person."""
        return {
            **{key: row[key] for key in ("id", "act", "subject", "occurrence", "reason", "asked_by", "outcome")},
            **{key: row[key] for key in ("asked_role", "settled_by")},
            **{key: rfc3339(row[key], self._site.timezone) for key in ("asked_at", "expires_at", "settled_at")},
        }

    def documents(self, connection: sa.Connection, rows: Iterable[Mapping[Any, Any]]) -> list[Document]:
        """Return occurrences with what waits for a second person about each, and how many are folded under it."""
        found = list(rows)
        members = self._members(connection, found)
        waiting = connection.execute(
            sa.select(joint_act).where(joint_act.c.outcome.is_(None), joint_act.c.occurrence.is_not(None))
        ).mappings()
        pending = {row["occurrence"]: row for row in waiting}
        return [self.document(row, pending.get(row["id"]), members.get(row["id"], 0)) for row in found]

    def _members(self, connection: sa.Connection, rows: Sequence[Mapping[Any, Any]]) -> dict[str, int]:
        """Return how many open alarms each of these open ones is the cause of."""
        causes = {row["device"]: row["id"] for row in rows if row["closed_at"] is None and row["rule"] in self.causes}
        if not causes:
            return {}
        query = (
            sa.select(occurrence.c.cause, sa.func.count())
            .where(occurrence.c.closed_at.is_(None), occurrence.c.cause.is_not(None))
            .group_by(occurrence.c.cause)
        )
        return {causes[cause]: int(count) for cause, count in connection.execute(query) if cause in causes}

    def over(self, database: AlarmDatabase) -> "Board":
        """Return the same board over another database."""
        found = copy(self)
        found._database = database
        return found

    def one(self, identifier: str) -> Document | None:
        """Return one occurrence."""
        query = sa.select(occurrence).where(occurrence.c.id == identifier)
        with self._database.read() as connection:
            found = self.documents(connection, connection.execute(query).mappings().all())
        return found[0] if found else None

    def listed(self, state: str, device: str | None, limit: int, offset: int) -> list[Document]:
        """Return occurrences: ``open`` ones by priority and age, others newest first."""
        query = sa.select(occurrence).where(*state_is(state))
        if device is not None:
            query = query.where(occurrence.c.device == device)
        newest = (occurrence.c.raised_at.desc(), occurrence.c.id)
        query = query.order_by(worst_first, *newest) if state in ("open", *OPEN_STATES) else query.order_by(*newest)
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit).offset(offset)).mappings().all()
            return self.documents(connection, rows)

    def history(self, identifier: str) -> list[Document]:
        """Return what was done about an occurrence and by whom, oldest first."""
        query = sa.select(audit).where(audit.c.occurrence == identifier).order_by(audit.c.seq)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            {
                **{key: row[key] for key in ("seq", "actor", "role", "action", "level", "value", "reason", "comment")},
                "at": rfc3339(row["at"], self._site.timezone),
                "state_before": row["state_before"],
                "state_after": row["state_after"],
            }
            for row in rows
        ]

    def head(self) -> int:
        """Return the sequence number of the newest act."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(audit_head.c.seq)).scalar_one())

    def changed_since(self, seq: int) -> tuple[int, list[Document]]:
        """Return the newest sequence number and the occurrences touched behind ``seq``, each once."""
        with self._database.read() as connection:
            head = int(connection.execute(sa.select(audit_head.c.seq)).scalar_one())
            if head == seq:
                return head, []
            behind = (audit.c.seq > seq, audit.c.seq <= head, audit.c.rule != WATCHDOG)
            touched = sa.select(audit.c.occurrence).where(*behind)
            rows = connection.execute(sa.select(occurrence).where(occurrence.c.id.in_(touched))).mappings().all()
            return head, self.documents(connection, rows)

    def _suppressed(self, row: Mapping[Any, Any]) -> Document | None:
        if row["suppression"] == "none":
            return None
        until = rfc3339(row.get("suppressed_until"), self._site.timezone)
        return {"until": until, "by": row.get("suppressed_by"), "reason": row.get("suppressed_reason")}


def counted(documents: Sequence[Document]) -> dict[str, int]:
    """Return how many open alarms there are, by priority, unacknowledged and in all."""
    counts = dict.fromkeys((*PRIORITIES, "unacked", "open"), 0)
    for document in documents:
        counts[document["priority"]] += 1
        counts["open"] += 1
        counts["unacked"] += not document["acked"]
    return counts


def state_is(state: str) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a state, of ``open`` or of ``all``."""
    if state == "all":
        return []
    if state == "CLOSED":
        return [occurrence.c.closed_at.is_not(None)]
    return [occurrence.c.closed_at.is_(None), *([] if state == "open" else [_facts(state)])]


def _named(row: Mapping[Any, Any], device: Device | None) -> dict[str, str] | None:
    if device is not None and device.label:
        return {"zh": device.label.zh, "en": device.label.en}
    if row["kind"] == COLLECTOR.key:
        shard = str(row["device"]).removeprefix(f"{COLLECTOR.key}-")
        return {"zh": f"{COLLECTOR.zh} {shard}", "en": f"{COLLECTOR.en} {shard}"}
    return None


def _seconds(from_ms: int, to_ms: int | None) -> float | None:
    return None if to_ms is None else (to_ms - from_ms) / 1000


def _facts(state: str) -> sa.ColumnElement[bool]:
    active, acked = occurrence.c.active, occurrence.c.acked
    return {
        "UNACK": sa.and_(active, ~acked),
        "ACKED": sa.and_(active, acked),
        "RTN_UNACK": sa.and_(~active, ~acked),
        "LATCHED": sa.and_(~active, acked, occurrence.c.latched),
    }[state]
