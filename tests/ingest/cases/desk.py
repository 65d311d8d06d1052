"""Working on cases by hand: one person for each role, a clock that tests turn, and a look at what was kept."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import sqlalchemy as sa

from ingest.alarms.audit import Actor, AuditWriter, Person, first_broken
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit, occurrence
from ingest.cases.acting import Wish, perform
from ingest.cases.opening import Report, register_from_alarm, report
from ingest.cases.records import CaseRules, Row
from ingest.cases.tables import cases
from tests.ingest.alarms.keeping import keep, transition

HOUR_MS = 3_600_000
NOON_MS = 1_790_049_600_000  # 2026-09-22 12:00 +08:00
_KEYS = count()
# What it takes to bring a reported case to each state.
WAY: dict[str, tuple[tuple[str, str], ...]] = {
    "REPORTED": (),
    "VOID": (("void", "officer"),),
    "REGISTERED": (("register", "officer"),),
    "DISPATCHED": (("register", "officer"), ("dispatch", "dispatcher")),
    "HANDLING": (("register", "officer"), ("dispatch", "dispatcher"), ("accept", "handler")),
    "VERIFYING": (("register", "officer"), ("dispatch", "dispatcher"), ("accept", "handler"), ("done", "handler")),
}
WAY["CLOSED"] = (*WAY["VERIFYING"], ("verify", "verifier"))
WHAT_IT_TAKES: dict[str, dict[str, Any]] = {
    "void": {"reason": "not ours"},
    "dispatch": {"unit": "unit-gas"},
    "return": {"reason": "wrong unit"},
    "rework": {"reason": "still there"},
    "suspend": {"reason": "typhoon"},
    "extend": {"reason": "part on its way", "hours": 5},
    "force_request": {"reason": "demolished"},
    "comment": {"comment": "on the way"},
}


@dataclass
class Desk:
    """Everybody's hands; ``now_ms`` is what all clocks show."""

    database: AlarmDatabase
    rules: CaseRules
    now_ms: int = NOON_MS
    position: int = field(default=0)

    def report(self, sub_class: str = "other", **more: Any) -> Row:
        """Report a case as an officer."""
        wish = Report(**{"source": "officer", "sub_class": sub_class, "street": "s01", **more})
        return report(self.database, self.rules, wish, Person("officer", ("officer",)), None, self.now_ms)

    def act(self, case: str | Row, act: str, role: str, user: str | None = None, **more: Any) -> Row:
        """Do an act as the person named like the role."""
        name = case if isinstance(case, str) else case["id"]
        given = {"idempotency_key": f"k{next(_KEYS)}", **WHAT_IT_TAKES.get(act, {}), **more}
        return perform(self.database, self.rules, Wish(name, act, **given), Person(user or role, (role,)), self.now_ms)

    def case_in(self, state: str, sub_class: str = "other", **more: Any) -> Row:
        """Report a case and bring it to a state."""
        row = self.report(sub_class, **more)
        for act, role in WAY[state]:
            row = self.act(row, act, role)
        return row

    def wait(self, hours: float) -> None:
        """Turn the clock on."""
        self.now_ms += round(hours * HOUR_MS)

    def alarm(self, device: str = "gas-1", level: int = 2) -> str:
        """Raise an alarm and return its identifier."""
        self.position += 1
        at = {"at_ms": self.now_ms, "now_ms": self.now_ms}
        point = {"device": device, "point": f"{device}/conc_pct_lel.high"}
        ((identifier, _),) = keep(self.database, transition("raise", self.position, level, **at, **point))
        return identifier

    def alarm_returns(self, device: str = "gas-1") -> None:
        """Let the alarm of a device return to normal."""
        self.position += 1
        at = {"at_ms": self.now_ms, "now_ms": self.now_ms}
        point = {"device": device, "point": f"{device}/conc_pct_lel.high"}
        keep(self.database, transition("return", self.position, 0, **at, **point))

    def case_of_alarm(self, alarm: str, user: str = "officer") -> Row:
        """Register a case about an alarm, as an acknowledge with that decision does."""
        with self.database.write() as connection:
            chain = AuditWriter(connection)
            row = self._alarm_row(connection, alarm)
            case = register_from_alarm(connection, chain, self.rules, row, Actor(user, "officer"), self.now_ms)
            connection.execute(occurrence.update().where(occurrence.c.id == alarm).values(case=case))
            chain.finish()
        return self.case(case)

    def alarm_row(self, alarm: str) -> Row:
        """Return an occurrence."""
        with self.database.read() as connection:
            return self._alarm_row(connection, alarm)

    def case(self, case: str) -> Row:
        """Return a case as it is kept."""
        with self.database.read() as connection:
            return dict(connection.execute(sa.select(cases).where(cases.c.id == case)).mappings().one())

    def acts(self, case: str | Row) -> list[tuple[str, str, str, str]]:
        """Return (actor, action, state before, state after) of a case's audit; the chain must be whole."""
        name = case if isinstance(case, str) else case["id"]
        with self.database.read() as connection:
            assert first_broken(connection) is None
            query = sa.select(audit).where(audit.c.case == name, audit.c.occurrence.is_(None)).order_by(audit.c.seq)
            found = connection.execute(query).mappings().all()
        return [(row["actor"], row["action"], row["state_before"], row["state_after"]) for row in found]

    @staticmethod
    def _alarm_row(connection: sa.Connection, alarm: str) -> Row:
        return dict(connection.execute(sa.select(occurrence).where(occurrence.c.id == alarm)).mappings().one())
