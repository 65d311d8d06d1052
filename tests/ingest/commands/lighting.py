"""What the tests of lamp switching share: people, lamps, wishes, and what the record says."""

import itertools
from typing import Any

import sqlalchemy as sa

from ingest.alarms.audit import Person, first_broken
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit, occurrence
from ingest.commands.orders import Lamp, Ordered, Settling, Switching, settle, switch
from ingest.commands.tables import lamp_command, lamp_order

OFFICER = Person("officer", ("officer",), "10.0.0.1")
LEADER = Person("leader", ("leader", "director"))
VIEWER = Person("viewer", ("viewer",))
LAMPS = [Lamp(f"pole-{n}", "demo", "F-1") for n in (1, 2, 3)]
NOON = 1_800_000_000_000
_KEYS = itertools.count()


def key() -> str:
    return f"lamps-{next(_KEYS)}"


def wish(dim_pct: int | None = 0, scope: str = "lamp", **more: Any) -> Switching:
    subject = "F-1" if scope == "circuit" else "pole-1"
    return Switching(scope, more.pop("subject", subject), dim_pct, more.pop("reason", "tests"), key(), **more)  # type: ignore[arg-type]


def order(database: AlarmDatabase, dim_pct: int | None = 0, now_ms: int = NOON, **more: Any) -> Ordered:
    """An officer switches one lamp."""
    wanted = wish(dim_pct, **more)
    lamps = [lamp for lamp in LAMPS if lamp.device == wanted.subject]
    return switch(database, wanted, lamps, OFFICER, now_ms)


def ask(database: AlarmDatabase, dim_pct: int | None = 0, now_ms: int = NOON, **more: Any) -> Ordered:
    """An officer asks for a circuit."""
    return switch(database, wish(dim_pct, "circuit", **more), LAMPS, OFFICER, now_ms)


def answer(
    database: AlarmDatabase, asked: Ordered, person: Person = LEADER, approve: bool = True, now_ms: int = NOON + 1
) -> Ordered:
    return settle(database, Settling(asked.order["id"], approve, key()), lambda _name: LAMPS, person, now_ms)


def commands(database: AlarmDatabase, asked: Ordered | None = None) -> list[dict[str, Any]]:
    """Return the commands, of all orders or of one, the oldest first."""
    query = sa.select(lamp_command).order_by(lamp_command.c.made_at, lamp_command.c.device)
    if asked is not None:
        query = query.where(lamp_command.c.order == asked.order["id"])
    with database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def states(database: AlarmDatabase, asked: Ordered | None = None) -> list[str]:
    return [row["state"] for row in commands(database, asked)]


def order_state(database: AlarmDatabase, asked: Ordered) -> str:
    with database.read() as connection:
        query = sa.select(lamp_order.c.state).where(lamp_order.c.id == asked.order["id"])
        return str(connection.execute(query).scalar_one())


def record(database: AlarmDatabase) -> list[tuple[str, str, str]]:
    """Return (actor, action, subject) of everything on record, which has to be whole."""
    with database.read() as connection:
        assert first_broken(connection) is None
        rows = connection.execute(sa.select(audit).order_by(audit.c.seq)).mappings().all()
    return [(row["actor"], row["action"], row["point"]) for row in rows]


def leak(
    database: AlarmDatabase, device: str, rule: str = "light_pole.leak_ma.leakage", *, closed: bool = False
) -> None:
    """Let an alarm stand (or be over) at a lamp or circuit."""
    row = {
        "id": key(), "point": f"{device}/{rule}", "device": device, "kind": "light_pole", "rule": rule,
        "rule_version": "1", "field": "leak_ma", "unit": "mA", "level_now": 1, "level_peak": 1, "level_acked": 0,
        "priority": "P1", "active": True, "acked": False, "latched": True, "suppression": "none", "quality": "good",
        "activations": 1, "raised_at": NOON, "noticed_at": NOON, "version": 1, "closed_at": NOON if closed else None,
    }  # fmt: skip
    with database.write() as connection:
        connection.execute(occurrence.insert().values(**row))
