"""What people want of lamps: one lamp switched by one person, a circuit asked for by one and approved by another.

Nothing leaves the machine here. An order that stands has a command to each of its lamps; the dispatcher sends them.
"""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from ingest.alarms.acts import Acts
from ingest.alarms.audit import Person
from ingest.alarms.commands.carrying import OFFICERS, Command, carry_out
from ingest.alarms.commands.joint import WITHIN_MS
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import occurrence
from ingest.commands.tables import lamp_command, lamp_order
from ingest.errors import Refused

Row = dict[str, Any]
KIND = "light_pole"
LONGEST_S = 12 * 3600
SHORTEST_S = 60
# A lamp that was away for longer must not switch by surprise when it comes back.
GOOD_FOR_MS = 120_000
OPEN = ("waiting", "sending", "sent")
_FEEDER_LEAKAGE = f"{KIND}.feeder_leakage"
_LEAKAGE = f"{KIND}.leak_ma."


@dataclass(frozen=True, slots=True)
class Lamp:
    """A lamp that can be commanded, and the circuit that feeds it."""

    device: str
    district: str
    circuit: str = ""


@dataclass(frozen=True, slots=True)
class Switching:
    """A lamp, or all lamps of a circuit, at so many percent for so long; without ``dim_pct`` by its own schedule.

    Without ``for_s`` it holds until the schedule of the pole next changes.
    """

    scope: Literal["lamp", "circuit"]
    subject: str
    dim_pct: int | None
    reason: str
    idempotency_key: str
    for_s: int | None = None

    @property
    def may_light(self) -> bool:
        """Tell whether a lamp may come on by it."""
        return self.dim_pct is None or self.dim_pct > 0


@dataclass(frozen=True, slots=True)
class Settling:
    """Yes or no to what somebody asked for."""

    order: str
    approve: bool
    idempotency_key: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What came of it: ``ordered``, ``asked`` or ``declined``, and the order's columns."""

    result: str
    by: str
    at_ms: int
    order: Row


def switch(database: AlarmDatabase, wish: Switching, lamps: Sequence[Lamp], person: Person, now_ms: int) -> Ordered:
    """Order it for one lamp; for a circuit ask a second person (``asked``).

    Raises:
        Refused: with ``why`` one of role, area, not_found, not_allowed, alarm_active, pending, key_reused.
        AlarmError: the database could not be written; nothing happened.
    """

    def work(acts: Acts) -> Ordered:
        _check(wish)
        _refuse_elsewhere(acts, lamps)
        refuse_leaking(acts.connection, wish, lamps)
        if wish.scope == "circuit":
            _refuse_second_wish(acts, wish.subject)
        row = _written(acts, wish, len(lamps))
        if row["state"] == "asked":
            return Ordered("asked", person.user, now_ms, row)
        return Ordered("ordered", person.user, now_ms, _commanded(acts, row, lamps))

    command = Command(f"{wish.scope}_switch", wish, wish.idempotency_key, OFFICERS)
    return carry_out(database, command, person, now_ms, work, Ordered)


def settle(
    database: AlarmDatabase,
    wish: Settling,
    lamps_of: Callable[[str], Sequence[Lamp]],
    person: Person,
    now_ms: int,
) -> Ordered:
    """Approve, as a second person, what another one asked for within the last ten minutes; or decline it.

    Raises:
        Refused: with ``why`` one of role, area, same_person, not_found, expired, state, alarm_active, key_reused.
        AlarmError: the database could not be written; nothing happened.
    """

    def work(acts: Acts) -> Ordered:
        row = _locked(acts, wish.order)
        if row["state"] != "asked":
            raise Refused(
                "state",
                f"This order is settled already: {row['state']}, by {row['settled_by']}.",
                code="order_settled",
                values={"by": row["settled_by"]},
            )
        if row["expires_at"] <= now_ms:
            raise Refused(
                "expired",
                f"The request of {row['asked_by']} is older than ten minutes; ask again.",
                code="request_expired",
                values={"by": row["asked_by"]},
            )
        if not wish.approve:
            acts.note_other("lamp_declined", _subject(row), about(row))
            settled = {"state": "declined", "settled_by": person.user, "settled_at": now_ms, "expires_at": None}
            return Ordered("declined", person.user, now_ms, _changed(acts, row, settled))
        if row["asked_by"] == person.user:
            raise Refused(
                "same_person",
                "A whole circuit takes two persons: whoever asked cannot approve.",
                code="two_persons_circuit",
            )
        lamps = lamps_of(row["subject"])
        if not lamps:
            raise Refused(
                "not_found",
                f"The site has no lamps on circuit {row['subject']} any more.",
                code="circuit_empty",
                values={"circuit": row["subject"]},
            )
        _refuse_elsewhere(acts, lamps)
        refuse_leaking(acts.connection, _wish(row), lamps)
        acts.note_other("lamp_approved", _subject(row), about(row))
        return Ordered("ordered", person.user, now_ms, _commanded(acts, row, lamps))

    name = "lamp_approve" if wish.approve else "lamp_decline"
    command = Command(name, wish, wish.idempotency_key, OFFICERS, comment=wish.comment)
    return carry_out(database, command, person, now_ms, work, Ordered)


def about(row: Row) -> str:
    """Return an order or a command in the words of the audit."""
    wanted = "own schedule" if row["dim_pct"] is None else f"{row['dim_pct']} %"
    words = [f"{'command' if 'order' in row else 'order'} {row['id']}: {wanted}"]
    if row.get("for_s"):
        words.append(f"for {row['for_s']} s")
    if row.get("reason"):
        words.append(row["reason"])
    return "; ".join(words)


def refuse_leaking(connection: sa.Connection, wish: Switching, lamps: Sequence[Lamp]) -> None:
    """Refuse to light what leaks current.

    Raises:
        Refused: alarm_active.
    """
    if not wish.may_light:
        return
    found = leaking(connection, {lamp.device for lamp in lamps}, {lamp.circuit for lamp in lamps if lamp.circuit})
    if found:
        raise Refused(
            "alarm_active",
            f"The leakage alarm of {', '.join(found[:3])} is open: it may be switched off, not on.",
            code="lamp_leaks",
            values={"lamps": ", ".join(found[:3])},
        )


def leaking(connection: sa.Connection, lamps: Collection[str], circuits: Collection[str] = ()) -> list[str]:
    """Return which of these lamps have an open leakage alarm, and which of the circuits."""
    of_leakage = sa.or_(occurrence.c.rule.startswith(_LEAKAGE, autoescape=True), occurrence.c.rule == _FEEDER_LEAKAGE)
    query = sa.select(occurrence.c.device).where(occurrence.c.closed_at.is_(None), of_leakage).distinct()
    wanted = {*lamps, *(f"circuit:{name}" for name in circuits)}
    return sorted(wanted.intersection(connection.execute(query).scalars()))


def _check(wish: Switching) -> None:
    if not wish.reason.strip():
        raise Refused("not_allowed", "Say why: switching lamps needs a reason.", code="reason_missing")
    if wish.dim_pct is not None and not 0 <= wish.dim_pct <= 100:
        raise Refused(
            "not_allowed",
            f"A lamp shines at 0 to 100 %, not at {wish.dim_pct} %.",
            code="lamp_level",
            values={"pct": wish.dim_pct},
        )
    if wish.for_s is None:
        return
    if wish.dim_pct is None:
        raise Refused("not_allowed", "Giving a lamp back to its schedule has no duration.", code="lamp_auto_span")
    if not SHORTEST_S <= wish.for_s <= LONGEST_S:
        raise Refused(
            "not_allowed",
            f"A lamp is held for {SHORTEST_S} s to 12 h, not for {wish.for_s} s.",
            code="lamp_span",
            values={"least": SHORTEST_S, "given": wish.for_s},
        )


def _refuse_elsewhere(acts: Acts, lamps: Sequence[Lamp]) -> None:
    """Refuse what reaches a lamp outside the actor's area, as a circuit over two streets may."""
    for lamp in lamps:
        acts.require_within(lamp.device)


def _refuse_second_wish(acts: Acts, circuit: str) -> None:
    query = sa.select(lamp_order).where(
        lamp_order.c.scope == "circuit", lamp_order.c.subject == circuit, lamp_order.c.state == "asked"
    )
    found = acts.connection.execute(query.with_for_update()).mappings().one_or_none()
    if found is None:
        return
    if found["expires_at"] > acts.now_ms:
        raise Refused(
            "pending",
            f"{found['asked_by']} has asked for circuit {circuit} already; another person has to approve or decline.",
            code="circuit_asked",
            values={"by": found["asked_by"], "circuit": circuit},
        )
    expire(acts, dict(found))


def expire(acts: Acts, row: Row) -> None:
    """Settle a request that nobody answered in time."""
    _changed(acts, row, {"state": "expired", "settled_at": acts.now_ms})
    acts.note_other("lamp_request_expired", _subject(row), about(row))


def _written(acts: Acts, wish: Switching, lamps: int) -> Row:
    asked = wish.scope == "circuit"
    row: Row = {
        "id": secrets.token_hex(10),
        "scope": wish.scope,
        "subject": wish.subject,
        "dim_pct": wish.dim_pct,
        "for_s": wish.for_s,
        "until": None,
        "reason": wish.reason,
        "lamps": lamps,
        "asked_by": acts.actor.user,
        "asked_role": acts.actor.role,
        "asked_at": acts.now_ms,
        "expires_at": acts.now_ms + WITHIN_MS if asked else None,
        "settled_by": None,
        "settled_at": None,
        "state": "asked" if asked else "ordered",
    }
    acts.connection.execute(lamp_order.insert().values(**row))
    acts.note_other("lamp_asked" if asked else "lamp_ordered", _subject(row), about(row))
    return row


def _commanded(acts: Acts, row: Row, lamps: Sequence[Lamp]) -> Row:
    """Make the command to each lamp; what was on its way to it before is overtaken."""
    now_ms = acts.now_ms
    until = None if row["for_s"] is None else now_ms + row["for_s"] * 1000
    stands = sa.and_(lamp_command.c.device.in_([lamp.device for lamp in lamps]), lamp_command.c.state.in_(OPEN))
    for old in acts.connection.execute(sa.select(lamp_command).where(stands).with_for_update()).mappings().all():
        acts.note_other("lamp_overtaken", old["device"], about(dict(old)))
    overtaken = {"state": "overtaken", "settled_at": now_ms}
    acts.connection.execute(lamp_command.update().where(stands).values(**overtaken))
    fresh = {"order": row["id"], "dim_pct": row["dim_pct"], "until": until, "state": "waiting", "made_at": now_ms}
    fresh |= {"expires_at": min(now_ms + GOOD_FOR_MS, until or now_ms + GOOD_FOR_MS), "claimed_until": 0, "answer": ""}
    commands = [
        {**fresh, "id": secrets.token_hex(16), "device": lamp.device, "district": lamp.district} for lamp in lamps
    ]
    acts.connection.execute(lamp_command.insert(), commands)
    changes = {"state": "ordered", "settled_by": acts.actor.user, "settled_at": now_ms, "expires_at": None}
    return _changed(acts, row, {**changes, "until": until, "lamps": len(lamps)})


def _changed(acts: Acts, row: Row, changes: Row) -> Row:
    acts.connection.execute(lamp_order.update().where(lamp_order.c.id == row["id"]).values(**changes))
    return {**row, **changes}


def _locked(acts: Acts, identifier: str) -> Row:
    query = sa.select(lamp_order).where(lamp_order.c.id == identifier).with_for_update()
    found = acts.connection.execute(query).mappings().one_or_none()
    if found is None:
        raise Refused(
            "not_found",
            f"There is no lamp order {identifier}.",
            code="unknown_lamp_order",
            values={"order": identifier},
        )
    return dict(found)


def _wish(row: Row) -> Switching:
    return Switching(row["scope"], row["subject"], row["dim_pct"], row["reason"], "", row["for_s"])


def _subject(row: Row) -> str:
    return f"circuit:{row['subject']}" if row["scope"] == "circuit" else str(row["subject"])
