"""How a case begins: an officer's report, a hotline call, a drone's finding, or an alarm that an officer decided on."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from ingest.alarms.areas import Area
from ingest.alarms.audit import Actor, AuditWriter, Person
from ingest.alarms.database import AlarmDatabase
from ingest.cases.clock import marks
from ingest.cases.lifecycle import REPORTERS
from ingest.cases.limits import SubClass
from ingest.cases.places import street_at
from ingest.cases.records import CaseRules, Ledger, Picture, Row, fingerprint, ledger
from ingest.cases.recurrence import repeated, still_open
from ingest.cases.tables import cases
from ingest.errors import Refused

Source = Literal["alarm", "officer", "drone", "hotline"]
SOURCES: tuple[Source, ...] = ("alarm", "officer", "drone", "hotline")
# Found by devices, not by people.
INTELLIGENT: frozenset[str] = frozenset({"alarm", "drone"})
# What the columns hold; a server database refuses longer texts, and that would look as if it were away.
_LONGEST = {"reference": 160, "grid": 64, "place": 200}
_LONGEST_OF_PICTURE = {"reference": 300, "route": 64, "finding": 64}


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody makes known. ``reference``: the call's or the finding's own number; the same one is one case."""

    source: Literal["officer", "drone", "hotline"]
    sub_class: str
    description: str = ""
    street: str = ""
    grid: str = ""
    place: str = ""
    lat: float | None = None
    lon: float | None = None
    device: str | None = None
    severe: bool = False
    reference: str = ""
    found_at_ms: int | None = None
    pictures: tuple[Picture, ...] = ()


def report(
    database: AlarmDatabase, rules: CaseRules, wish: Report, person: Person, key: str | None, now_ms: int
) -> Row:
    """Make a case known; it waits for an officer to register it.

    Returns:
        The case; the one there is already when its reference is known or the request is a repeat.

    Raises:
        Refused: with ``why`` one of role, not_allowed, key_reused.
        AlarmError: the database could not be written; nothing happened.
    """
    with ledger(database) as book:
        role = next((role for role in person.roles if role in REPORTERS), None)
        actor = person.acting(role)
        if role is None:
            reason = f"role {actor.role}"
            book.chain.add_case(
                at_ms=now_ms, actor=actor, action="report_refused", before=None, after=None, reason=reason
            )
            raise Refused(
                "role",
                f"Reporting a case takes one of the roles {', '.join(sorted(REPORTERS - {'system'}))}.",
                code="role_missing",
                values={"roles": sorted(REPORTERS - {"system"})},
            )
        request = fingerprint("report", person.user, asdict(wish))
        earlier = book.earlier_reply(key, request) if key is not None else None
        if earlier is not None:
            return earlier
        row = _reported(book, rules, wish, actor, key, now_ms)
        return row if key is None else book.remember(key, request, row, now_ms)
    raise AssertionError("unreachable")


def register_from_alarm(
    connection: sa.Connection,
    chain: AuditWriter,
    rules: CaseRules,
    alarm: Row,
    actor: Actor,
    now_ms: int,
    comment: str = "",
) -> str:
    """Register a case about an alarm, inside the caller's transaction, and return its identifier.

    The caller writes ``occurrence.case`` with its own change of the occurrence, and ends the chain.

    Args:
        connection: of the write transaction.
        chain: its audit writer.
        rules: places, units and sub-classes of the site.
        alarm: the occurrence's columns.
        actor: who decided; the system for a case that an escalation opens.
        now_ms: the instant.
        comment: of the officer.
    """
    if alarm["case"]:
        return str(alarm["case"])
    device = rules.site.devices.get(alarm["device"])
    kind = rules.limits.of_rule(alarm["rule"])
    row = {
        **_blank(rules, connection, kind, actor, now_ms),
        "source": "alarm",
        "severe": alarm["priority"] == "P1",
        "street": device.street if device else "",
        "grid": device.grid if device else "",
        "lat": device.lat if device else None,
        "lon": device.lon if device else None,
        "device": alarm["device"],
        "unit": device.responsible if device else "",
        "found_at": alarm["raised_at"],
    }
    row.update(registered(kind, row, actor.user, now_ms))
    row["recurrence_of"] = repeated(connection, kind.key, row["lat"], row["lon"], row["device"], now_ms)
    Ledger(connection, chain).born(row, "register", actor, now_ms, comment=comment)
    return str(row["id"])


def merge_alarm(
    connection: sa.Connection,
    chain: AuditWriter,
    rules: CaseRules,
    alarm: Row,
    actor: Actor,
    now_ms: int,
    case: str | None = None,
    comment: str = "",
    area: Area | None = None,
) -> str:
    """Link an alarm to an open case, inside the caller's transaction, and return the case's identifier.

    Without ``case`` it is the open one of the same sub-class at the same device or within 50 m. The caller writes
    ``occurrence.case`` with its own change of the occurrence, and ends the chain.

    Raises:
        Refused: not_found, there is no such case; area, it is outside the ``area`` of who merges; state, it is closed
            or the alarm belongs to another one.
    """
    if case is None:
        device = rules.site.devices.get(alarm["device"])
        lat, lon = (device.lat, device.lon) if device else (None, None)
        case = still_open(connection, rules.limits.of_rule(alarm["rule"]).key, lat, lon, alarm["device"])
        if case is None:
            raise Refused(
                "not_found",
                "There is no open case of this kind at this place to merge the alarm into.",
                code="no_case_to_merge",
            )
    book = Ledger(connection, chain)
    row, _ = book.settle(book.locked(case), now_ms)
    if area is not None:
        area.require_street(row["street"], case)
    check_linkable(row, alarm)
    book.change(row, {"state": row["state"]}, "link", actor, now_ms, reason=alarm["id"], comment=comment)
    return case


def check_linkable(row: Row, alarm: Row) -> None:
    """Refuse to link an alarm that belongs to another case, or to a case that is over.

    Raises:
        Refused: state.
    """
    if row["closed_at"] is not None:
        raise Refused(
            "state",
            f"Case {row['id']} is closed; a repeat is a new case.",
            case=row["id"],
            code="case_closed",
            values={"case": row["id"]},
        )
    if alarm["case"] is not None:
        raise Refused(
            "state",
            f"Alarm {alarm['id']} belongs to case {alarm['case']} already.",
            case=alarm["case"],
            code="alarm_of_case",
            values={"alarm": alarm["id"], "case": alarm["case"]},
        )


def registered(kind: SubClass, row: Row, user: str, now_ms: int) -> Row:
    """Return the columns that registering a case writes: its limit and the absolute instants of its clock."""
    started = {
        "state": "REGISTERED",
        "sub_class": kind.key,
        "limit_ms": kind.limit_ms(row["severe"]),
        "limit_version": kind.version,
        "registered_at": now_ms,
        "registered_by": user,
    }
    return {**started, **marks({**row, **started})}


def _reported(book: Ledger, rules: CaseRules, wish: Report, actor: Actor, key: str | None, now_ms: int) -> Row:
    if wish.reference:
        query = sa.select(cases).where(cases.c.source == wish.source, cases.c.reference == wish.reference)
        known = book.connection.execute(query).mappings().one_or_none()
        if known is not None:
            return dict(known)
    _check_lengths(wish)
    kind = rules.limits.classes.get(wish.sub_class)
    if kind is None:
        raise Refused(
            "not_allowed",
            f"There is no sub-class {wish.sub_class!r}.",
            code="unknown_class",
            values={"sub_class": wish.sub_class},
        )
    device = rules.site.devices.get(wish.device) if wish.device is not None else None
    if wish.device is not None and device is None:
        raise Refused(
            "not_allowed",
            f"There is no registered device {wish.device!r}.",
            code="unregistered_device",
            values={"device": wish.device},
        )
    lat, lon = (wish.lat, wish.lon) if wish.lat is not None or device is None else (device.lat, device.lon)
    street = wish.street or (device.street if device else "")
    if not street and lat is not None and lon is not None:
        street = street_at(rules.site, lat, lon) or ""
    if street not in rules.site.streets:
        if street:
            found = f"street {street!r} is none of the site's"
            raise Refused("not_allowed", f"Where is it? {found}.", code="unknown_street", values={"street": street})
        found = "no street was named and the position is in none"
        raise Refused("not_allowed", f"Where is it? {found}.", code="place_missing")
    row = {
        **_blank(rules, book.connection, kind, actor, now_ms),
        "source": wish.source,
        "reference": wish.reference,
        "severe": wish.severe,
        "description": wish.description,
        "street": street,
        "grid": wish.grid or (device.grid if device else ""),
        "place": wish.place,
        "lat": lat,
        "lon": lon,
        "device": wish.device,
        "unit": device.responsible if device else "",
        "found_at": min(now_ms if wish.found_at_ms is None else wish.found_at_ms, now_ms),
        "recurrence_of": repeated(book.connection, kind.key, lat, lon, wish.device, now_ms),
    }
    book.born(row, "report", actor, now_ms, key=key)
    book.attach(row["id"], wish.pictures, "report", actor.user, now_ms)
    return row


def _check_lengths(wish: Report) -> None:
    texts = [(name, getattr(wish, name), longest) for name, longest in _LONGEST.items()]
    for picture in wish.pictures:
        texts += [(f"{name} of a picture", getattr(picture, name), most) for name, most in _LONGEST_OF_PICTURE.items()]
    for name, text, longest in texts:
        if len(text) > longest:
            raise Refused(
                "not_allowed",
                f"The {name} has {len(text)} characters; there is room for {longest}.",
                code="text_long",
                values={"count": len(text), "most": longest},
            )


def _blank(rules: CaseRules, connection: sa.Connection, kind: SubClass, actor: Actor, now_ms: int) -> Row:
    row: dict[str, Any] = dict.fromkeys(column.name for column in cases.columns)
    row.update(dict.fromkeys(("limit_ms", "extended_ms", "suspended_ms", "reworks", "returns"), 0))
    row.update(
        dict.fromkeys(("reference", "description", "grid", "place", "unit", "force_reason", "limit_version"), "")
    )
    row.update(
        id=_number(rules, connection, now_ms),
        sub_class=kind.key,
        state="REPORTED",
        forced=False,
        reported_at=now_ms,
        reported_by=actor.user,
        version=1,
    )
    return row


def _number(rules: CaseRules, connection: sa.Connection, now_ms: int) -> str:
    # Counted by the city's day, for people to say over the telephone; the lock on the audit's head keeps it unique.
    day = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(rules.site.timezone).strftime("%Y%m%d")
    # A number of an exercise is none that anybody could look up among the real ones.
    begin = f"{'D' if rules.site.drill else 'C'}{day}-"
    newest = sa.select(sa.func.max(cases.c.id)).where(cases.c.id.like(f"{begin}%"))
    last = connection.execute(newest).scalar()
    return f"{begin}{int(last.rpartition('-')[2]) + 1 if last else 1:05d}"
