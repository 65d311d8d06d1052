"""Cases for people: rows with names, unit, the clock as it stands now and what the reader may do; lists and figures."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cockpit.drill.mark import marked
from cockpit.sessions import User
from cockpit.times import rfc3339
from devices.kind import in_both
from devices.site import Site
from ingest.alarms.areas import streets_of
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit, occurrence
from ingest.cases.clock import RUNNING, colour, is_overdue, remaining_ms
from ingest.cases.indicators import Ratio, indicators, period_rows
from ingest.cases.lifecycle import FORCE_WINDOW_MS, OPEN_STATES, force_pending, open_acts
from ingest.cases.limits import BIG_CLASSES, SubClass
from ingest.cases.ranking import ranking
from ingest.cases.records import CaseRules, Row
from ingest.cases.tables import cases, evidence
from ingest.contacts import Directory

Document = dict[str, Any]
_TIMES = (
    "found_at", "reported_at", "registered_at", "dispatched_at", "accepted_at", "done_at", "verified_at", "closed_at",
    "suspended_at", "deadline_at", "amber_at", "overdue_at",
)  # fmt: skip
_PLAIN = (
    "id", "source", "reference", "sub_class", "severe", "description", "street", "grid", "place", "lat", "lon", "state",
    "device", "version", "reported_by", "registered_by", "dispatched_by", "handler", "done_by", "verified_by", "forced",
    "closed_by", "reworks", "returns", "recurrence_of", "limit_version",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sieve:
    """What a list is narrowed to; ``state`` is ``open``, ``all`` or one of the states."""

    state: str = "open"
    street: str | None = None
    colour: str | None = None
    sub_class: str | None = None
    overdue: bool | None = None
    mine: User | None = None


class CaseBoard:
    """Reads cases; every call blocks, so the event loop makes them in a thread. ``now_ms`` is the server's clock."""

    def __init__(self, database: AlarmDatabase, site: Site) -> None:
        self._database = database
        self._site = site
        self._directory = Directory(site)
        self.rules = CaseRules(site)

    def over(self, database: AlarmDatabase) -> "CaseBoard":
        """Return the same board over another database."""
        found = copy(self)
        found._database = database
        return found

    def document(self, row: Row, user: User | None, now_ms: int) -> Document:
        """Return a case with what a person needs to act on it."""
        left_ms = remaining_ms(row, now_ms)
        limit = self.rules.limits.classes.get(row["sub_class"])
        unit = self._site.units.get(row["unit"])
        device = self._site.devices.get(row["device"] or "")
        own_camera = device.camera if device is not None else ""
        contacts = self._directory.of_place(row["unit"], row["grid"], row["lat"], row["lon"], own_camera).document()
        street = self._site.streets.get(row["street"])
        names = _named(limit.label) if limit else {"zh": row["sub_class"], "en": row["sub_class"]}
        return {
            **{key: row[key] for key in _PLAIN},
            **{key: rfc3339(row[key], self._site.timezone) for key in _TIMES},
            "name": marked(self._site, names),
            "code": limit.code if limit else "",
            "street_name": _named(street.label) if street else None,
            "unit": {"key": unit.key, "name": _named(unit.label), "phone": unit.phone} if unit else None,
            "grid_officer": contacts["grid_officer"],
            "camera": contacts["camera"],
            "limit_s": (row["limit_ms"] + row["extended_ms"]) // 1000,
            "extended_s": row["extended_ms"] // 1000,
            "suspended_s": row["suspended_ms"] // 1000,
            "remaining_s": None if left_ms is None else left_ms // 1000,
            "colour": colour(row, now_ms),
            "overdue": is_overdue(row, now_ms),
            "suspended": row["suspended_at"] is not None,
            "force": self._force(row, now_ms),
            "acts": self._acts(row, user, now_ms),
        }

    def _acts(self, row: Row, user: User | None, now_ms: int) -> list[str]:
        if user is None or (user.areas and row["street"] not in streets_of(self._site, user.areas)):
            return []
        return open_acts(row, user.name, user.roles, now_ms)

    def one(self, case: str, user: User | None, now_ms: int) -> Document | None:
        """Return a case with its history, evidence, alarms and the cases that repeat it."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(cases).where(cases.c.id == case)).mappings().one_or_none()
            if row is None:
                return None
            again = sa.select(cases.c.id).where(cases.c.recurrence_of == case).order_by(cases.c.id)
            linked = sa.select(occurrence).where(occurrence.c.case == case).order_by(occurrence.c.raised_at)
            shown = sa.select(evidence).where(evidence.c.case == case).order_by(evidence.c.number)
            recurrences = list(connection.execute(again).scalars())
            alarms = connection.execute(linked).mappings().all()
            pictures = connection.execute(shown).mappings().all()
        names = ("id", "device", "rule", "level_now", "level_peak", "priority", "active", "value", "unit")
        return {
            **self.document(dict(row), user, now_ms),
            "limit": self._limit(row["sub_class"]),
            "history": self.history(case),
            "alarms": [
                {
                    **{key: alarm[key] for key in names},
                    "raised_at": self._time(alarm["raised_at"]),
                    "closed_at": self._time(alarm["closed_at"]),
                }
                for alarm in alarms
            ],
            "evidence": [
                {**{key: value for key, value in each.items() if key != "case"}, "at": self._time(each["at"])}
                for each in pictures
            ],
            "recurrences": recurrences,
        }

    def history(self, case: str) -> list[Document]:
        """Return what was done about a case and by whom, oldest first."""
        query = sa.select(audit).where(audit.c.case == case).order_by(audit.c.seq)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        names = ("seq", "actor", "role", "action", "occurrence", "reason", "comment", "state_before", "state_after")
        return [{**{key: row[key] for key in names}, "at": self._time(row["at"])} for row in rows]

    def listed(self, sieve: Sieve, user: User | None, limit: int, offset: int, now_ms: int) -> list[Document]:
        """Return cases: open ones by what is due first, others newest first."""
        query = sa.select(cases).where(*_conditions(sieve, now_ms))
        if sieve.mine is not None and sieve.mine.areas:
            query = query.where(cases.c.street.in_(streets_of(self._site, sieve.mine.areas)))
        newest = (cases.c.reported_at.desc(), cases.c.id.desc())
        urgent = (sa.func.coalesce(cases.c.deadline_at, cases.c.reported_at), cases.c.id)
        query = query.order_by(*(urgent if sieve.state in ("open", *OPEN_STATES) else newest))
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit).offset(offset)).mappings().all()
        return [self.document(dict(row), user, now_ms) for row in rows]

    def counts(self, now_ms: int) -> Document:
        """Return how many open cases there are: by state, by colour, and by colour in each street."""
        names = ("state", "street", "deadline_at", "amber_at", "overdue_at", "suspended_at")
        query = sa.select(*(cases.c[name] for name in names)).where(cases.c.state.in_(OPEN_STATES))
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        empty = ("green", "amber", "red", "reported")
        states: dict[str, int] = dict.fromkeys(OPEN_STATES, 0)
        colours = dict.fromkeys(empty, 0)
        streets = {street: dict.fromkeys(empty, 0) for street in self._site.streets}
        for row in rows:
            shade = colour(dict(row), now_ms) or "reported"
            states[row["state"]] += 1
            colours[shade] += 1
            streets.setdefault(row["street"], dict.fromkeys(empty, 0))[shade] += 1
        suspended = sum(row["suspended_at"] is not None for row in rows)
        return {"states": states, "colours": colours, "suspended": suspended, "streets": streets}

    def indicators(self, from_ms: int, to_ms: int, street: str | None, now_ms: int) -> Document:
        """Return the indicators of a period."""
        rows = period_rows(self._database, from_ms, to_ms, street)
        return _ratios(indicators(rows, from_ms, to_ms, now_ms))

    def ranking(self, month: datetime, next_month: datetime, now_ms: int) -> list[Document]:
        """Return the ranking of all streets in a month."""
        from_ms, to_ms = (round(each.timestamp() * 1000) for each in (month, next_month))
        rows = period_rows(self._database, from_ms, to_ms)
        streets = self._site.streets
        return [
            {
                "street": each.street,
                "name": _named(streets[each.street].label),
                "score": each.score,
                "rank": each.rank,
                "listed": each.listed,
                "indicators": _ratios(each.indicators),
            }
            for each in ranking(rows, streets, from_ms, to_ms, now_ms)
        ]

    def classes(self) -> list[Document]:
        """Return the table of sub-classes."""
        return [self._class(row) for row in self.rules.limits.classes.values()]

    def _class(self, row: SubClass) -> Document:
        return {
            "key": row.key,
            "name": _named(row.label),
            "code": row.code,
            "category": row.category,
            "big": {"code": row.big, "name": _named(BIG_CLASSES[row.category][row.big])},
            "small": row.small,
            "hours": row.hours,
            "severe_hours": row.severe_hours,
            "version": row.version,
            "source": _named(in_both(row.source)),
            "grade": row.grade,
        }

    def _limit(self, sub_class: str) -> Document | None:
        row = self.rules.limits.classes.get(sub_class)
        return self._class(row) if row is not None else None

    def _force(self, row: Row, now_ms: int) -> Document | None:
        if row["state"] not in RUNNING or not force_pending(row, now_ms):
            return None
        until = self._time(row["force_at"] + FORCE_WINDOW_MS)
        return {"by": row["force_by"], "at": self._time(row["force_at"]), "until": until, "reason": row["force_reason"]}

    def _time(self, at_ms: int | None) -> str | None:
        return rfc3339(at_ms, self._site.timezone)


def closed_cases(sieve: Sieve, now_ms: int, most: int) -> sa.Select[Any]:
    """Return how to find the newest cases that fit, for the past: a case that is closed changes no more."""
    newest = (cases.c.reported_at.desc(), cases.c.id.desc())
    return sa.select(cases).where(*_conditions(sieve, now_ms)).order_by(*newest).limit(most)


def _named(label: Any) -> Document:
    return {"zh": label.zh, "en": label.en}


def _ratios(found: Mapping[str, Ratio]) -> Document:
    return {
        key: {"numerator": ratio.numerator, "denominator": ratio.denominator, "value": ratio.value}
        for key, ratio in found.items()
    }


def _conditions(sieve: Sieve, now_ms: int) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if sieve.state == "open":
        found.append(cases.c.state.in_(OPEN_STATES))
    elif sieve.state != "all":
        found.append(cases.c.state == sieve.state)
    if sieve.street is not None:
        found.append(cases.c.street == sieve.street)
    if sieve.sub_class is not None:
        found.append(cases.c.sub_class == sieve.sub_class)
    running = cases.c.state.in_(RUNNING)
    # The clock of a suspended case stands where it stood.
    clock_ms = sa.func.coalesce(cases.c.suspended_at, now_ms)
    late = sa.and_(running, cases.c.deadline_at <= clock_ms)
    if sieve.colour == "red":
        found.append(late)
    elif sieve.colour == "amber":
        found.append(sa.and_(running, cases.c.amber_at <= clock_ms, cases.c.deadline_at > clock_ms))
    elif sieve.colour == "green":
        found.append(sa.and_(running, cases.c.amber_at > clock_ms))
    if sieve.overdue is not None:
        overdue = sa.or_(cases.c.overdue_at.is_not(None), late)
        found.append(overdue if sieve.overdue else sa.not_(sa.func.coalesce(overdue, sa.false())))
    if sieve.mine is not None:
        found.append(_next_step_of(sieve.mine, now_ms))
    return found


def _next_step_of(user: User, now_ms: int) -> sa.ColumnElement[bool]:
    """Return which cases wait for somebody: whose next step one of their roles takes."""
    name = user.name
    steps: Mapping[str, sa.ColumnElement[bool]] = {
        "officer": cases.c.state == "REPORTED",
        "leader": cases.c.state == "REPORTED",
        "dispatcher": cases.c.state == "REGISTERED",
        "handler": sa.or_(cases.c.state == "DISPATCHED", sa.and_(cases.c.state == "HANDLING", cases.c.handler == name)),
        "verifier": sa.and_(
            cases.c.state == "VERIFYING",
            sa.func.coalesce(cases.c.handler, "") != name,
            sa.func.coalesce(cases.c.done_by, "") != name,
        ),
        "director": sa.and_(
            cases.c.state.in_(RUNNING), cases.c.force_at >= now_ms - FORCE_WINDOW_MS, cases.c.force_by != name
        ),
    }
    return sa.or_(sa.false(), *(steps[role] for role in user.roles if role in steps))
