"""Alarms for people: rows of the alarm database with names, place and who is responsible; and what is open now."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from cockpit.times import rfc3339
from devices.kind import PRIORITIES
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.occurrences import row_state
from ingest.alarms.rules import rule_label
from ingest.alarms.states import OPEN_STATES
from ingest.alarms.tables import audit, audit_head, occurrence

Document = dict[str, Any]


class Board:
    """Reads the alarm database; every call blocks, so the event loop makes them in a thread."""

    def __init__(self, database: AlarmDatabase, site: Site) -> None:
        self._database = database
        self._site = site

    def document(self, row: dict[str, Any]) -> Document:
        """Return an occurrence in the shape of CONTRACTS.md, with what a person needs to act on it."""
        device = self._site.devices.get(row["device"])
        unit = self._site.units.get(device.responsible) if device is not None else None
        label = rule_label(row["rule"], self._site.catalog)
        times = ("raised_at", "acked_at", "returned_at", "closed_at")
        plain = (
            "id", "point", "device", "kind", "rule", "rule_version", "level_now", "level_peak", "level_acked",
            "priority", "active", "acked", "latched", "suppression", "quality", "value", "unit", "acked_by", "version",
            "case", "field", "decision", "activations",
        )  # fmt: skip
        return {
            **{key: row[key] for key in plain},
            **{key: rfc3339(row[key], self._site.timezone) for key in times},
            "state": row_state(row),
            "district": device.district if device else self._site.district,
            "street": device.street if device else None,
            "grid": device.grid if device else None,
            "lat": device.lat if device else None,
            "lon": device.lon if device else None,
            "camera": device.camera if device else None,
            "device_name": {"zh": device.label.zh, "en": device.label.en} if device and device.label else None,
            "rule_name": {"zh": label.zh, "en": label.en},
            "responsible": {"name": {"zh": unit.label.zh, "en": unit.label.en}, "phone": unit.phone} if unit else None,
        }

    def one(self, identifier: str) -> Document | None:
        """Return one occurrence."""
        with self._database.read() as connection:
            found = (
                connection.execute(sa.select(occurrence).where(occurrence.c.id == identifier)).mappings().one_or_none()
            )
        return None if found is None else self.document(dict(found))

    def listed(self, state: str, device: str | None, limit: int, offset: int) -> list[Document]:
        """Return occurrences: ``open`` ones by priority and age, others newest first."""
        query = sa.select(occurrence)
        if state == "open" or state in OPEN_STATES:
            query = query.where(occurrence.c.closed_at.is_(None))
        elif state == "CLOSED":
            query = query.where(occurrence.c.closed_at.is_not(None))
        if state in OPEN_STATES:
            query = query.where(_facts(state))
        if device is not None:
            query = query.where(occurrence.c.device == device)
        newest = (occurrence.c.raised_at.desc(), occurrence.c.id)
        worst = sa.case({priority: index for index, priority in enumerate(PRIORITIES)}, value=occurrence.c.priority)
        query = query.order_by(worst, *newest) if state in ("open", *OPEN_STATES) else query.order_by(*newest)
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit).offset(offset)).mappings().all()
        return [self.document(dict(row)) for row in rows]

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
            touched = sa.select(audit.c.occurrence).where(audit.c.seq > seq, audit.c.seq <= head)
            rows = connection.execute(sa.select(occurrence).where(occurrence.c.id.in_(touched))).mappings().all()
        return head, [self.document(dict(row)) for row in rows]


def counted(documents: Sequence[Document]) -> dict[str, int]:
    """Return how many open alarms there are, by priority, unacknowledged and in all."""
    counts = dict.fromkeys((*PRIORITIES, "unacked", "open"), 0)
    for document in documents:
        counts[document["priority"]] += 1
        counts["open"] += 1
        counts["unacked"] += not document["acked"]
    return counts


def _facts(state: str) -> sa.ColumnElement[bool]:
    active, acked = occurrence.c.active, occurrence.c.acked
    return {
        "UNACK": sa.and_(active, ~acked),
        "ACKED": sa.and_(active, acked),
        "RTN_UNACK": sa.and_(~active, ~acked),
        "LATCHED": sa.and_(~active, acked, occurrence.c.latched),
    }[state]
