"""Acts on a case: checked against the table, done in one transaction with their audit row, never twice."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from ingest.alarms.audit import Actor, Person
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.states import row_state
from ingest.alarms.tables import audit, collector, occurrence
from ingest.cases.clock import is_overdue, marks
from ingest.cases.lifecycle import ACTS, FORCE_WINDOW_MS, force_pending, role_for
from ingest.cases.opening import check_linkable, registered
from ingest.cases.records import CaseRules, Ledger, Picture, Row, fingerprint, ledger
from ingest.cases.recurrence import repeated
from ingest.errors import Refused

_HOUR_MS = 3_600_000
_MOST_HOURS = 24 * 30


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done about a case; ``seen_version`` guards against acting on an old picture of it."""

    case: str
    act: str
    idempotency_key: str
    seen_version: int | None = None
    reason: str = ""
    comment: str = ""
    unit: str = ""
    hours: float | None = None
    sub_class: str = ""
    severe: bool | None = None
    occurrence: str = ""
    pictures: tuple[str, ...] = ()


def perform(database: AlarmDatabase, rules: CaseRules, wish: Wish, person: Person, now_ms: int) -> Row:
    """Do one act of the table on a case and return the case as it then is.

    Raises:
        Refused: with ``why`` one of not_found, role, area, state, changed, overdue, same_person, expired, alarm_active,
            closed, not_allowed, key_reused.
        AlarmError: the database could not be written; nothing happened.
    """
    with ledger(database) as book:
        row = book.locked(wish.case)
        request = fingerprint(f"{wish.act} {wish.case}", person.user, {**asdict(wish), "idempotency_key": ""})
        earlier = book.earlier_reply(wish.idempotency_key, request)
        if earlier is not None:
            return earlier
        row, _ = book.settle(row, now_ms)
        actor = _authorised(book, row, wish, person, now_ms)
        _check_area(book, row, wish, person, actor, now_ms)
        _check(row, wish)
        changes = _CHANGES[wish.act](_Doing(book, rules, row, wish, actor, now_ms))
        after = book.change(
            row,
            changes,
            wish.act,
            actor,
            now_ms,
            key=wish.idempotency_key,
            reason=wish.reason or wish.occurrence or (row["force_reason"] if wish.act == "force_close" else ""),
            comment=wish.comment,
        )
        book.attach(row["id"], [Picture(each) for each in wish.pictures], wish.act, actor.user, now_ms)
        return book.remember(wish.idempotency_key, request, after, now_ms)
    raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True)
class _Doing:
    book: Ledger
    rules: CaseRules
    row: Row
    wish: Wish
    actor: Actor
    now_ms: int

    def refuse(self, why: Any, sentence: str, *, code: str, values: Mapping[str, object] | None = None) -> Refused:
        return Refused(why, sentence, case=self.row["id"], code=code, values=values)


def _authorised(book: Ledger, row: Row, wish: Wish, person: Person, now_ms: int) -> Actor:
    if wish.act not in ACTS:
        raise Refused(
            "not_allowed",
            f"There is no act {wish.act!r}; there are {', '.join(ACTS)}.",
            code="unknown_act",
            values={"act": wish.act},
        )
    role = role_for(wish.act, row["state"], person.roles)
    actor = person.acting(role)
    if role is None:
        book.change(
            row, {}, f"{wish.act}_refused", actor, now_ms, reason=f"role {actor.role}", key=wish.idempotency_key
        )
        moves = ACTS[wish.act].moves
        at = [moves[row["state"]]] if row["state"] in moves else list(moves.values())
        wanted = sorted({role for move in at for role in move.roles})
        raise Refused(
            "role",
            f"This takes one of the roles {', '.join(wanted)}.",
            case=row["id"],
            code="role_missing",
            values={"roles": sorted(wanted)},
        )
    return actor


def _check_area(book: Ledger, row: Row, wish: Wish, person: Person, actor: Actor, now_ms: int) -> None:
    if person.area is None:
        return
    try:
        person.area.require_street(row["street"], row["id"])
        query = sa.select(occurrence.c.device).where(occurrence.c.id == wish.occurrence)
        device = book.connection.execute(query).scalar() if wish.occurrence else None
        if device is not None:
            person.area.require_device(device)
    except Refused as error:
        book.change(row, {}, f"{wish.act}_refused", actor, now_ms, reason=str(error), key=wish.idempotency_key)
        raise Refused("area", str(error), case=row["id"], code=error.code, values=error.values) from None


def _check(row: Row, wish: Wish) -> None:
    act = ACTS[wish.act]
    if wish.seen_version is not None and wish.seen_version != row["version"]:
        raise Refused(
            "changed", "The case has changed since you saw it; look again.", case=row["id"], code="case_changed"
        )
    if row["state"] not in act.moves:
        wanted = ", ".join(act.moves)
        raise Refused(
            "state",
            f"The case is {row['state']}; this is done to one that is {wanted}.",
            case=row["id"],
            code="case_state",
            values={"state": row["state"], "states": list(act.moves)},
        )
    if row["suspended_at"] is not None and not act.while_suspended:
        raise Refused(
            "state", "The case is suspended; a leader has to resume it first.", case=row["id"], code="case_suspended"
        )
    if act.reason and not wish.reason.strip():
        raise Refused("not_allowed", "Say why: this needs a reason.", case=row["id"], code="reason_missing")


def _register(at: _Doing) -> Row:
    kind = at.rules.limits.classes.get(at.wish.sub_class or at.row["sub_class"])
    if kind is None:
        raise at.refuse(
            "not_allowed",
            f"There is no sub-class {at.wish.sub_class or at.row['sub_class']!r}.",
            code="unknown_class",
            values={"sub_class": at.wish.sub_class or at.row["sub_class"]},
        )
    severe = at.row["severe"] if at.wish.severe is None else at.wish.severe
    row = {**at.row, "severe": severe}
    again = repeated(at.book.connection, kind.key, row["lat"], row["lon"], row["device"], at.now_ms)
    return {**registered(kind, row, at.actor.user, at.now_ms), "severe": severe, "recurrence_of": again}


def _void(at: _Doing) -> Row:
    return {"state": "VOID", "closed_at": at.now_ms, "closed_by": at.actor.user}


def _dispatch(at: _Doing) -> Row:
    unit = at.wish.unit or at.row["unit"]
    if unit not in at.rules.site.units:
        if unit:
            found = f"{unit!r} is none of the site's"
            raise at.refuse("not_allowed", f"To which unit? {found}.", code="unknown_unit", values={"unit": unit})
        found = "none was named and the place has none of its own"
        raise at.refuse("not_allowed", f"To which unit? {found}.", code="unit_missing")
    return {"state": "DISPATCHED", "unit": unit, "dispatched_at": at.now_ms, "dispatched_by": at.actor.user}


def _accept(at: _Doing) -> Row:
    return {"state": "HANDLING", "handler": at.actor.user, "accepted_at": at.now_ms}


def _return(at: _Doing) -> Row:
    undone: dict[str, Row] = {
        "DISPATCHED": {"dispatched_at": None, "dispatched_by": None},
        "HANDLING": {"handler": None, "accepted_at": None},
        "VERIFYING": {"done_at": None, "done_by": None},
    }
    state = at.row["state"]
    return {**undone[state], "state": ACTS["return"].moves[state].to, "returns": at.row["returns"] + 1}


def _done(at: _Doing) -> Row:
    return {"state": "VERIFYING", "done_at": at.now_ms, "done_by": at.actor.user}


def _verify(at: _Doing) -> Row:
    _not_the_handler(at)
    _no_active_alarm(at)
    return {
        "state": "CLOSED",
        "verified_at": at.now_ms,
        "verified_by": at.actor.user,
        "closed_at": at.now_ms,
        "closed_by": at.actor.user,
    }


def _rework(at: _Doing) -> Row:
    _not_the_handler(at)
    return {
        "state": "HANDLING",
        "verified_at": at.now_ms,
        "verified_by": at.actor.user,
        "done_at": None,
        "done_by": None,
        "reworks": at.row["reworks"] + 1,
    }


def _suspend(at: _Doing) -> Row:
    _not_overdue(at)
    return {"suspended_at": at.now_ms}


def _resume(at: _Doing) -> Row:
    if at.row["suspended_at"] is None:
        raise at.refuse("state", "The case is not suspended.", code="not_suspended")
    return _resumed(at)


def _extend(at: _Doing) -> Row:
    _not_overdue(at)
    hours = at.wish.hours
    if hours is None or not 0 < hours <= _MOST_HOURS:
        raise at.refuse(
            "not_allowed",
            f"hours {hours}: expected a number above 0 and up to {_MOST_HOURS}.",
            code="extend_hours",
            values={"most": _MOST_HOURS},
        )
    longer = {"extended_ms": at.row["extended_ms"] + round(hours * _HOUR_MS)}
    return {**longer, **marks({**at.row, **longer})}


def _force_request(at: _Doing) -> Row:
    if force_pending(at.row, at.now_ms):
        raise at.refuse(
            "state",
            f"{at.row['force_by']} has asked for it already; a director has to approve.",
            code="force_asked",
            values={"by": at.row["force_by"]},
        )
    return {"force_by": at.actor.user, "force_at": at.now_ms, "force_reason": at.wish.reason}


def _force_close(at: _Doing) -> Row:
    if at.row["force_at"] is None:
        raise at.refuse("state", "Nobody has asked for a forced closing; it takes two persons.", code="force_unasked")
    if not force_pending(at.row, at.now_ms):
        minutes = FORCE_WINDOW_MS // 60_000
        raise at.refuse(
            "expired",
            f"The request of {at.row['force_by']} is older than {minutes} minutes; ask again.",
            code="request_older",
            values={"by": at.row["force_by"], "minutes": minutes},
        )
    if at.row["force_by"] == at.actor.user:
        raise at.refuse(
            "same_person", "A forced closing takes two persons: whoever asked cannot approve.", code="two_persons_force"
        )
    _no_active_alarm(at)
    resumed = _resumed(at) if at.row["suspended_at"] is not None else {}
    return {**resumed, "state": "CLOSED", "closed_at": at.now_ms, "closed_by": at.actor.user, "forced": True}


def _comment(at: _Doing) -> Row:
    if not at.wish.comment.strip() and not at.wish.pictures:
        raise at.refuse("not_allowed", "The comment is empty.", code="comment_empty")
    return {}


def _link(at: _Doing) -> Row:
    connection = at.book.connection
    query = sa.select(occurrence).where(occurrence.c.id == at.wish.occurrence).with_for_update()
    found = connection.execute(query).mappings().one_or_none()
    if found is None:
        raise at.refuse(
            "not_found",
            f"There is no alarm {at.wish.occurrence!r}.",
            code="unknown_alarm",
            values={"alarm": at.wish.occurrence},
        )
    alarm = dict(found)
    check_linkable(at.row, alarm)
    if alarm["closed_at"] is not None:
        raise at.refuse(
            "closed",
            f"Alarm {alarm['id']} is closed already; what is closed stays as it is.",
            code="alarm_closed_stays",
            values={"alarm": alarm["id"]},
        )
    changes: Row = {"case": at.row["id"], "version": alarm["version"] + 1}
    if alarm["decision"] is None:
        # Where somebody decided already, that stands; else this is the decision that the alarm was waiting for.
        changes.update(decision="merge", decided_at=at.now_ms, decided_by=at.actor.user, decision_due_at=None)
    connection.execute(occurrence.update().where(occurrence.c.id == alarm["id"]).values(**changes))
    state = row_state(alarm)
    at.book.chain.add(
        at_ms=at.now_ms,
        position=int(connection.execute(sa.select(sa.func.max(collector.c.position))).scalar() or 0),
        actor=at.actor,
        action="merge",
        before=alarm,
        after={**alarm, **changes},
        states=(state, state),
        comment=at.wish.comment,
        case=at.row["id"],
    )
    return {"state": at.row["state"]}


def _resumed(at: _Doing) -> Row:
    paused_ms = at.row["suspended_ms"] + at.now_ms - at.row["suspended_at"]
    ended = {"suspended_at": None, "suspended_ms": paused_ms}
    return {**ended, **marks({**at.row, **ended})}


def _not_overdue(at: _Doing) -> None:
    if is_overdue(at.row, at.now_ms):
        raise at.refuse(
            "overdue", "The deadline has passed; it is neither suspended nor extended any more.", code="case_overdue"
        )


def _not_the_handler(at: _Doing) -> None:
    # Everybody who ever handled it, not only the last: a return must not make a handler a verifier.
    query = sa.select(audit.c.seq).where(
        audit.c.case == at.row["id"], audit.c.actor == at.actor.user, audit.c.action.in_(("accept", "done"))
    )
    if at.book.connection.execute(query.limit(1)).first() is not None:
        raise at.refuse(
            "same_person",
            "Whoever handled the case cannot verify it; another person has to look.",
            code="two_persons_verify",
        )


def _no_active_alarm(at: _Doing) -> None:
    query = sa.select(occurrence.c.id).where(
        occurrence.c.case == at.row["id"], occurrence.c.active.is_(True), occurrence.c.closed_at.is_(None)
    )
    found = at.book.connection.execute(query.limit(1)).scalar()
    if found is not None:
        raise at.refuse(
            "alarm_active",
            f"Alarm {found} of this case is still active; it cannot be closed.",
            code="case_alarm_active",
            values={"alarm": found},
        )


_CHANGES: dict[str, Callable[[_Doing], Row]] = {
    "register": _register,
    "void": _void,
    "dispatch": _dispatch,
    "accept": _accept,
    "return": _return,
    "done": _done,
    "verify": _verify,
    "rework": _rework,
    "suspend": _suspend,
    "resume": _resume,
    "extend": _extend,
    "force_request": _force_request,
    "force_close": _force_close,
    "link": _link,
    "comment": _comment,
}
