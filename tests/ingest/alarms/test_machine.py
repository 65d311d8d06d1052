"""Random walks of devices, officers and time against the reference of ALARMS §2, its invariants after each step."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ingest.alarms import occurrences
from ingest.alarms.audit import Person, first_broken
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.agreeing import Agreement, answer
from ingest.alarms.commands.deciding import Deciding, decide
from ingest.alarms.commands.remark import Remark, remark
from ingest.alarms.commands.resetting import Reset, reset
from ingest.alarms.commands.service import Ending, OutOfService, ask, end_early
from ingest.alarms.commands.shelving import Shelving, Unshelving, shelve, unshelve
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit, occurrence, suppression
from ingest.alarms.timers import due
from ingest.alarms.transitions import Transition, What
from ingest.errors import Refused
from tests.ingest.alarms.keeping import rows
from tests.ingest.alarms.reference import MINUTE, Point
from tests.servers.postgres import Postgres

PEOPLE = {
    "officer": Person("officer", ("officer",)),
    "second": Person("officer2", ("officer", "handler")),
    "leader": Person("leader", ("leader", "dispatcher")),
    "maintenance": Person("engineer", ("engineer", "maintenance")),
    "viewer": Person("viewer", ("viewer",)),
}
DEVICES = ("gas-1", "pole-1")
FACTS = {
    "level": "level_now", "peak": "level_peak", "priority": "priority", "latched": "latched", "active": "active",
    "acked": "acked", "level_acked": "level_acked", "quality": "quality", "decision": "decision",
}  # fmt: skip
devices = st.sampled_from(DEVICES)
officers = st.sampled_from(["officer", "second", "leader"])
levels = st.integers(1, 2)
# Of the devices that had an alarm: an act on any other would be no act.
raised = st.runner().flatmap(lambda walk: st.sampled_from(sorted(walk.newest)))


def where(fits: Callable[[Point], object]) -> dict[str, Any]:
    """Return how a rule chooses among the devices whose point fits; with none it waits."""

    def chosen(walk: "Duty") -> list[str]:
        return sorted(device for device, point in walk.points.items() if fits(point))

    return {"device": st.runner().flatmap(lambda walk: st.sampled_from(chosen(walk)))}


def any_point(fits: Callable[[Point], object]) -> Callable[["Duty"], bool]:
    return lambda walk: any(fits(point) for point in walk.points.values())


def is_acked(point: Point) -> bool:
    return point.alarm is not None and point.alarm.acked


def is_over(point: Point) -> bool:
    return is_acked(point) and point.alarm is not None and not point.alarm.active


def is_shelved(point: Point) -> bool:
    return point.shelf is not None


def is_out(point: Point) -> bool:
    return point.out_until is not None


def in_ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000


class Duty(RuleBasedStateMachine):
    """A night on duty with three alarm points. ``open_one`` gives a fresh, migrated database and how to end it."""

    open_one: Callable[[], tuple[str, Callable[[], None]]]

    def __init__(self) -> None:
        super().__init__()
        self.url, self.end = self.open_one()
        self.database = self.opened()
        self.points = {device: Point(device.startswith("gas")) for device in DEVICES}
        self.newest: dict[str, str] = {}
        self.now, self.position, self.keys = 1_000, 0, 0
        self.closed: dict[str, dict[str, Any]] = {}
        self.acts = 0
        self.last: tuple[Callable[[], Any], Any] | None = None

    def teardown(self) -> None:
        self.database.close()
        self.end()

    def opened(self) -> AlarmDatabase:
        database = AlarmDatabase(self.url)
        if self.url.startswith("sqlite"):
            # Nobody pulls the plug here: thousands of commits need not reach the disk.
            sa.event.listen(database.engine, "connect", lambda each, _: each.execute("PRAGMA synchronous=OFF"))
        return database

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def told(self, what: What, device: str, level: int = 0, quality: str = "good") -> None:
        """The engine says so."""
        self.position += 1
        self.now += 1
        point = self.points[device]
        concerns_all = what in ("stale", "fresh")
        transition = Transition(
            what, self.position, 1, device if concerns_all else f"{device}/x", device,
            "gas_alarm" if point.gas else "light_pole", "" if concerns_all else "rule", "v1", level,
            point.priority(max(level, 1)), self.now * 1000, self.now * 1000, latch=point.gas, quality=quality,
        )  # fmt: skip
        occurrences.apply(self.database, "main", [transition], self.position, self.now * 1000)

    def does(self, call: Callable[[], Any], expected: str) -> None:
        """Somebody acts; the result, or the word of the refusal, is what the reference says."""
        try:
            found = call()
            result = found.result
        except Refused as error:
            found, result = str(error), error.why
        assert result == expected
        if expected not in ("closed", "level_changed", "level_unknown", "state", "pending"):
            self.last = (call, found)

    def now_ms(self) -> int:
        return self.now * 1000

    @initialize(first=levels, second=levels)
    def both_raise(self, first: int, second: int) -> None:
        for device, level in zip(DEVICES, (first, second), strict=True):
            self.condition_holds(device, level)

    @rule(device=devices, level=levels)
    def condition_holds(self, device: str, level: int) -> None:
        alarm = self.points[device].alarm
        self.told("change" if alarm is not None and alarm.active else "raise", device, level)
        self.points[device].on(level)
        self.newest[device] = next(row["id"] for row in rows(self.database) if row["device"] == device
                                   and row["closed_at"] is None)  # fmt: skip

    @rule(device=devices)
    def condition_is_over(self, device: str) -> None:
        self.told("return", device)
        self.points[device].off()

    @rule(device=devices, silent=st.booleans())
    def device_falls_silent_or_is_back(self, device: str, silent: bool) -> None:
        self.told("stale" if silent else "fresh", device, quality="stale" if silent else "good")
        self.points[device].heard("stale" if silent else "good")

    @rule(minutes=st.sampled_from([1, 16, 31, 130]))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE
        due(self.database, self.now_ms())
        for point in self.points.values():
            point.passed(self.now)

    @rule()
    def nothing_is_due_twice(self) -> None:
        due(self.database, self.now_ms())
        before = self.audited()
        assert due(self.database, self.now_ms()) == []
        assert self.audited() == before
        for point in self.points.values():
            point.passed(self.now)

    @rule()
    def restart(self) -> None:
        self.database.close()
        self.database = self.opened()

    @precondition(lambda self: self.newest)
    @rule(device=raised, who=officers, beside=st.sampled_from([0, 0, 0, 0, 0, -1, 1, 2]))
    def officer_acknowledges(self, device: str, who: str, beside: int) -> None:
        alarm = self.points[device].alarm
        seen = max(0, (alarm.level if alarm is not None else 1) + beside)
        wish = Acknowledgement(self.newest[device], seen, self.key())
        at = self.now_ms()
        expected = self.points[device].ack(seen, self.now)
        self.does(lambda: acknowledge(self.database, wish, PEOPLE[who], at), expected)

    @precondition(any_point(is_acked))
    @rule(**where(is_acked), who=officers, decision=st.sampled_from(["observe", "device_fault"]))
    def officer_decides(self, device: str, who: str, decision: str) -> None:
        wish = Deciding(self.newest[device], decision, self.key())
        at = self.now_ms()
        expected = self.points[device].decide(decision, self.now)
        self.does(lambda: decide(self.database, wish, PEOPLE[who], at), expected)

    @precondition(lambda self: self.newest)
    @rule(device=raised, who=officers, minutes=st.integers(1, 120))
    def officer_shelves(self, device: str, who: str, minutes: int) -> None:
        wish = Shelving(self.newest[device], "works in the street", self.key(), minutes * MINUTE)
        at, end = self.now_ms(), self.now_ms() + 10_000_000
        expected = self.points[device].shelve(who == "leader", minutes, self.now)
        self.does(lambda: shelve(self.database, wish, PEOPLE[who], at, end), expected)

    @precondition(any_point(is_shelved))
    @rule(**where(is_shelved), who=officers)
    def officer_unshelves(self, device: str, who: str) -> None:
        wish = Unshelving(self.newest[device], self.key())
        at = self.now_ms()
        expected = self.points[device].unshelve()
        self.does(lambda: unshelve(self.database, wish, PEOPLE[who], at), expected)

    @precondition(any_point(is_over))
    @rule(**where(is_over), who=officers, other=officers)
    def officer_resets(self, device: str, who: str, other: str) -> None:
        point, at = self.points[device], self.now_ms()
        expected = point.reset(who == "leader")
        wish = Reset(self.newest[device], "looked at on the spot", self.key())
        try:
            done = reset(self.database, wish, PEOPLE[who], at)
        except Refused as error:
            assert error.why == ("pending" if expected == "asked" else expected)
            return
        assert done.result == expected
        if done.pending is None:
            return
        yes = Agreement(done.pending["id"], True, self.key())
        if who == other:
            expected = "same_person"
        elif "leader" not in (who, other):
            expected = "role"
        else:
            expected, point.alarm = "agreed", None
        self.does(lambda: answer(self.database, yes, PEOPLE[other], at), expected)

    @rule(
        device=devices,
        who=st.sampled_from(["leader", "leader", "officer", "maintenance"]),
        minutes=st.sampled_from([20, 200]),
    )
    def maintenance_takes_a_device_out_of_service(self, device: str, who: str, minutes: int) -> None:
        at, until = self.now_ms(), self.now + minutes * MINUTE
        wish = OutOfService("device", device, "permit 7", "calibration", until * 1000, self.key())
        try:
            done = ask(self.database, wish, PEOPLE["maintenance"], at)
        except Refused as error:
            assert error.why == "pending"
            return
        assert done.pending is not None
        yes = Agreement(done.pending["id"], True, self.key())
        self.does(lambda: answer(self.database, yes, PEOPLE[who], at), "agreed" if who == "leader" else "role")
        if who == "leader":
            self.points[device].out_until = until

    @precondition(any_point(is_out))
    @rule(**where(is_out))
    def maintenance_is_done(self, device: str) -> None:
        query = sa.select(suppression.c.id).where(
            suppression.c.subject == device, suppression.c.ended_at.is_(None), suppression.c.scope == "device"
        )
        with self.database.read() as connection:
            found = connection.execute(query).scalar()
        assert (found is not None) == (self.points[device].out_until is not None)
        if found is not None:
            wish = Ending(found, self.key(), "done")
            at = self.now_ms()
            self.does(lambda: end_early(self.database, wish, PEOPLE["maintenance"], at), "ended")
            self.points[device].back_in_service()

    @precondition(lambda self: self.newest)
    @rule(device=raised, who=officers)
    def officer_comments(self, device: str, who: str) -> None:
        wish = Remark(self.newest[device], "called the unit", self.key())
        at = self.now_ms()
        expected = "closed" if self.points[device].alarm is None else "commented"
        self.does(lambda: remark(self.database, wish, PEOPLE[who], at), expected)

    @precondition(lambda self: self.last)
    @rule()
    def the_last_request_comes_again(self) -> None:
        assert self.last is not None
        call, found = self.last
        before = rows(self.database), self.audited()
        try:
            again = call()
        except Refused as error:
            again = str(error)
        assert again == found
        assert (rows(self.database), self.audited()) == before

    @precondition(lambda self: self.newest)
    @rule(device=raised, what=st.integers(0, 5))
    def viewer_tries(self, device: str, what: int) -> None:
        """I10: a viewer causes nothing but the record of it."""
        name, viewer, at = self.newest[device], PEOPLE["viewer"], self.now_ms()
        tries: list[Callable[[], Any]] = [
            lambda: acknowledge(self.database, Acknowledgement(name, 1, self.key()), viewer, at),
            lambda: shelve(self.database, Shelving(name, "no", self.key(), 60), viewer, at, at + 10_000_000),
            lambda: unshelve(self.database, Unshelving(name, self.key()), viewer, at),
            lambda: reset(self.database, Reset(name, "no", self.key()), viewer, at),
            lambda: decide(self.database, Deciding(name, "observe", self.key()), viewer, at),
            lambda: remark(self.database, Remark(name, "no", self.key()), viewer, at),
        ]
        before, audited = rows(self.database), self.audited()
        with pytest.raises(Refused) as refused:
            tries[what]()
        assert refused.value.why == "role"
        assert rows(self.database) == before
        assert self.audited() == audited + 1

    def audited(self) -> int:
        with self.database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(audit)).scalar_one())

    @invariant()
    def as_the_reference_says(self) -> None:
        found = {row["device"]: row for row in rows(self.database) if row["closed_at"] is None}
        assert found.keys() == {device for device, point in self.points.items() if point.alarm is not None}
        for device, row in found.items():
            point = self.points[device]
            assert point.alarm is not None
            assert {key: row[column] for key, column in FACTS.items()} == {
                key: getattr(point.alarm, key) for key in FACTS
            }
            assert row["suppression"] == point.suppression
            assert row["decision_due_at"] == in_ms(point.alarm.due)
            assert row["observed_until"] == in_ms(point.alarm.observed)

    @invariant()
    def laws_hold(self) -> None:
        kept = rows(self.database)
        still_open = [row["point"] for row in kept if row["closed_at"] is None]
        assert len(still_open) == len(set(still_open)), "I1"
        for row in kept:
            if row["closed_at"] is not None:
                over = not row["active"] and row["acked"]
                assert over and (not row["latched"] or row["reset_at"] is not None), "I2"
                assert self.closed.setdefault(row["id"], row) == row, "I9"
            elif row["acked"] and row["active"]:
                assert row["level_acked"] >= row["level_now"], "I3"
        assert self.closed.keys() <= {row["id"] for row in kept}, "I4"
        with self.database.read() as connection:
            assert first_broken(connection) is None, "I7"
            query = sa.select(audit).where(audit.c.occurrence.is_not(None)).order_by(audit.c.seq)
            acts = connection.execute(query).mappings().all()
            total = connection.execute(sa.select(sa.func.count()).select_from(occurrence)).scalar_one()
        assert total == len(kept)
        assert len(acts) >= self.acts, "I4"
        self.acts = len(acts)
        versions: dict[str, int] = {}
        for act in acts:
            name = act["occurrence"]
            if act["version_before"] != act["version_after"]:
                assert act["version_before"] == versions.get(name), "I7"
                versions[name] = act["version_after"]
            if act["action"] in ("shelve", "out_of_service"):
                assert act["state_before"] == act["state_after"], "I5"
            if act["action"] in ("shelf_expired", "unshelve", "shelf_lifted", "out_of_service_ended", "undecided"):
                assert act["state_after"] in (act["state_before"], "UNACK"), "I5, I6"
        assert versions == {row["id"]: row["version"] for row in kept}, "I7"


class DutyOnSqlite(Duty):
    """The walk on SQLite."""

    empty: Path

    def open_one(self) -> tuple[str, Callable[[], None]]:  # type: ignore[override]
        folder = Path(tempfile.mkdtemp())
        shutil.copy(self.empty, folder / "alarms.db")
        return f"sqlite:///{folder / 'alarms.db'}", lambda: shutil.rmtree(folder)


class DutyOnPostgres(Duty):
    """The walk on PostgreSQL."""

    server: Postgres
    template: str

    def open_one(self) -> tuple[str, Callable[[], None]]:  # type: ignore[override]
        name = self.server.create(self.template)
        return self.server.url(name), lambda: self.server.drop(name)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_walk_on_sqlite(tmp_path: Path) -> None:
    """Whatever the order of events and acts, the database says what the reference says."""
    empty = tmp_path / "empty.db"
    opened = AlarmDatabase(f"sqlite:///{empty}")
    opened.migrate()
    opened.close()
    DutyOnSqlite.empty = empty
    run_state_machine_as_test(DutyOnSqlite, settings=settings(max_examples=150, stateful_step_count=50))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_walk_on_postgres(postgres_server: Postgres, migrated: str) -> None:
    """The same on PostgreSQL, over fewer steps."""
    DutyOnPostgres.server, DutyOnPostgres.template = postgres_server, migrated
    run_state_machine_as_test(DutyOnPostgres, settings=settings(max_examples=8, stateful_step_count=30))
