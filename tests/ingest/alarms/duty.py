"""A night on duty as a random walk: devices, officers and time, each step told to the reference of ALARMS §2, too."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cockpit.alarm_list import Sieve, listed
from cockpit.board import Board
from devices.site import Site
from ingest.alarms import occurrences
from ingest.alarms.altered import compare
from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import (
    Acknowledgement,
    ListAcknowledgement,
    Seen,
    acknowledge,
    acknowledge_list,
)
from ingest.alarms.commands.agreeing import Agreement, answer
from ingest.alarms.commands.deciding import Deciding, decide
from ingest.alarms.commands.remark import Remark, remark
from ingest.alarms.commands.resetting import Reset, reset
from ingest.alarms.commands.service import Ending, OutOfService, ask, end_early
from ingest.alarms.commands.shelving import Shelving, Unshelving, shelve, unshelve
from ingest.alarms.commands.verdict import Verdict, judge_false
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.suppressions import HIDDEN
from ingest.alarms.tables import audit, suppression
from ingest.alarms.timers import due
from ingest.alarms.transitions import Transition, What
from ingest.errors import Refused
from tests.ingest.alarms.choosing import any_point, is_acked, is_open, is_out, is_over, is_shelved, where
from tests.ingest.alarms.keeping import rows
from tests.ingest.alarms.laws import Laws
from tests.ingest.alarms.reference import MINUTE, Point

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
    "cause": "cause", "verdict": "verdict", "version": "rule_version",
}  # fmt: skip
devices = st.sampled_from(DEVICES)
officers = st.sampled_from(["officer", "second", "leader"])
levels = st.integers(1, 2)
# Of the devices that had an alarm: an act on any other would be no act.
raised = st.runner().flatmap(lambda walk: st.sampled_from(sorted(walk.newest)))


def in_ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000


class Duty(RuleBasedStateMachine):
    """A night on duty with three alarm points. ``open_one`` gives a fresh, migrated database and how to end it."""

    open_one: Callable[[], tuple[str, Callable[[], None]]]
    site: Site

    def __init__(self) -> None:
        super().__init__()
        self.url, self.end = self.open_one()
        self.database = self.opened()
        self.points = {device: Point(device.startswith("gas")) for device in DEVICES}
        self.newest: dict[str, str] = {}
        self.now, self.position, self.keys = 1_000, 0, 0
        self.rule_version = "v1"
        self.laws = Laws()
        self.last: tuple[Callable[[], Any], Any] | None = None

    def teardown(self) -> None:
        with self.database.read() as connection:
            assert compare(connection, self.site).altered == [], "what stands is what the record says"
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

    def told(self, what: What, device: str, level: int = 0, quality: str = "good", cause: str = "") -> None:
        """The engine says so."""
        self.position += 1
        self.now += 1
        point = self.points[device]
        concerns_all = what in ("stale", "fresh")
        transition = Transition(
            what, self.position, 1, device if concerns_all else f"{device}/x", device,
            "gas_alarm" if point.gas else "light_pole", "" if concerns_all else "rule", self.rule_version, level,
            point.priority(max(level, 1)), self.now * 1000, self.now * 1000, latch=point.gas, quality=quality,
            field="" if concerns_all else "conc_pct_lel",
            suppression="by_design" if cause else "none", cause=cause,
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
        self.points[device].on(level, self.rule_version)
        self.name_newest(device)

    def name_newest(self, device: str) -> None:
        still_open = (row for row in rows(self.database) if row["device"] == device and row["closed_at"] is None)
        self.newest[device] = next(row["id"] for row in still_open)

    @rule(device=devices, level=levels)
    def it_becomes_known_late(self, device: str, level: int) -> None:
        self.told("late", device, level)
        self.points[device].was(level, self.rule_version)
        self.name_newest(device)

    @rule(version=st.sampled_from(["v1", "v2"]))
    def rules_are_edited(self, version: str) -> None:
        self.rule_version = version

    @precondition(any_point(is_open))
    @rule(**where(is_open), cause=st.sampled_from(["gw-1", ""]))
    def another_device_explains_it_or_no_longer(self, device: str, cause: str) -> None:
        self.told("fold" if cause else "unfold", device, cause=cause)
        self.points[device].folded(cause or None)

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

    @precondition(lambda self: self.newest)
    @rule(who=officers)
    def officer_acknowledges_all_that_is_in_sight(self, who: str) -> None:
        names = sorted(self.newest)
        seen = {name: getattr(self.points[name].alarm, "level", 1) for name in names}
        items = tuple(Seen(self.newest[name], seen[name]) for name in names)
        expected = []
        for name in names:
            alarm = self.points[name].alarm
            urgent = self.priority_of(self.newest[name]) == "P1"
            result = "not_allowed" if urgent else self.points[name].ack(seen[name], self.now)
            assert alarm is None or not urgent or alarm.priority == "P1"
            expected.append(result)
        done = acknowledge_list(self.database, ListAcknowledgement(items, self.key()), PEOPLE[who], self.now_ms())
        assert [each.why or each.result for each in done] == expected

    def priority_of(self, name: str) -> str:
        return next(str(row["priority"]) for row in rows(self.database) if row["id"] == name)

    @precondition(any_point(is_open))
    @rule(**where(is_open), who=officers, other=officers)
    def officer_calls_it_false(self, device: str, who: str, other: str) -> None:
        point, at = self.points[device], self.now_ms()
        wish = Verdict(self.newest[device], "nothing there", self.key())
        expected = point.judge_false()
        try:
            done = judge_false(self.database, wish, PEOPLE[who], at)
        except Refused as error:
            assert error.why == ("pending" if expected == "asked" else expected)
            return
        assert done.result == expected
        if done.pending is not None:
            yes = Agreement(done.pending["id"], True, self.key())
            agreed = "same_person" if who == other else "agreed"
            self.does(lambda: answer(self.database, yes, PEOPLE[other], at), agreed)
            if agreed == "agreed":
                point.judged_false()

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

    @rule(page=st.integers(1, 3))
    def somebody_reads_the_list(self, page: int) -> None:
        """I8: what is shown and what is hidden make up all that is open, on every page of any length."""
        board, cursor, names = Board(self.database, self.site), None, []
        for _ in range(4):
            found = listed(self.database, board, Sieve(), page, cursor)
            names += [item["id"] for item in found["items"]]
            counts, cursor = found["counts"], found["next"]
            if cursor is None:
                break
        still_open = {row["id"] for row in rows(self.database) if row["closed_at"] is None}
        assert len(names) == len(set(names))
        assert set(names) == still_open
        assert counts["shown"] + sum(counts[hidden] for hidden in HIDDEN) == counts["open"] == len(still_open)

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
        with self.database.read() as connection:
            self.laws.hold(connection, self.position)
