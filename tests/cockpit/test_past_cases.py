"""Cases of the past: a seeded week at all desks, each instant of which reads as it read when it was now."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cockpit.board import Board
from cockpit.case_board import CaseBoard, Sieve
from cockpit.desk import Desk as CaseDesk
from cockpit.past_boards import PastBoards
from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.database import AlarmDatabase
from ingest.cases import timers
from ingest.cases.lifecycle import ACTS, roles_of
from ingest.cases.records import CaseRules
from ingest.errors import Refused
from tests.ingest.cases.desk import HOUR_MS, NOON_MS, Desk
from tests.sites import small_site

STEPS = 300
EVERY = 24
SHOWN = 3
SIEVES = (
    Sieve(),
    Sieve("all"),
    Sieve("CLOSED"),
    Sieve("HANDLING"),
    Sieve("all", street="s01"),
    Sieve("open", colour="red"),
    Sieve("all", overdue=True),
)
ONWARD = ("register", "dispatch", "accept", "done", "verify", "resume", "force_close")
SUB_CLASSES = ("other", "manhole", "street_trading")


class Week:
    """Everybody works as it comes; what the boards said is remembered."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.database = AlarmDatabase(f"sqlite:///{folder / 'alarms.db'}")
        # Nobody pulls the plug here: hundreds of commits need not reach the disk.
        sa.event.listen(self.database.engine, "connect", lambda each, _: each.execute("PRAGMA synchronous=OFF"))
        self.database.migrate()
        site = small_site(folder)
        self.rules = CaseRules(site)
        self.desk = Desk(self.database, self.rules)
        self.board = CaseBoard(self.database, site)
        self.past = PastBoards(self.database, Board(self.database, site), self.board)
        self.cases: list[str] = []
        self.alarms: list[str] = []
        self.said: dict[int, Any] = {}
        self.month = datetime.fromtimestamp(NOON_MS / 1000, site.timezone).replace(day=1, hour=0)

    def step(self) -> None:
        """Let somebody do something, some time later."""
        chance, desk = self.chance, self.desk
        desk.wait(chance.choice([0.01, 0.1, 0.5, 2.0]))
        timers.due(self.database, desk.now_ms)
        what = chance.random()
        try:
            if what < 0.12 or not self.cases:
                row = desk.report(chance.choice(SUB_CLASSES), street=chance.choice(["s01", "s02"]))
                self.cases.append(row["id"])
            elif what < 0.22:
                self.alarms.append(desk.alarm(chance.choice(["gas-1", "gas-2"]), chance.choice([1, 2])))
            elif what < 0.3 and self.alarms:
                self._decide()
            elif what < 0.38:
                desk.alarm_returns(chance.choice(["gas-1", "gas-2"]))
            else:
                self._act()
        except Refused:
            return

    def _decide(self) -> None:
        decision = self.chance.choice(["case", "case", "merge"])
        wish = Acknowledgement(self.chance.choice(self.alarms), 2, f"a{self.chance.random()}", decision)
        officer = Person("officer", ("officer",))
        done = acknowledge(self.database, wish, officer, self.desk.now_ms, CaseDesk(self.rules))
        if done.row is not None and done.row["case"] not in (None, *self.cases):
            self.cases.append(done.row["case"])

    def _act(self) -> None:
        case = self.chance.choice(self.cases[-8:])
        row = self.desk.case(case)
        acts = [name for name, act in ACTS.items() if row["state"] in act.moves and name not in ("link", "void")]
        # What brings a case on, twice out of three times.
        onward = [name for name in acts if name in ONWARD and (name != "resume" or row["suspended_at"] is not None)]
        act = self.chance.choice(onward if onward and self.chance.random() < 0.67 else acts)
        role = self.chance.choice(sorted(roles_of(act)))
        more: dict[str, Any] = {"pictures": ("p.jpg",)} if self.chance.random() < 0.3 else {}
        if act == "extend":
            more["hours"] = self.chance.choice([1.5, 5.0, 24.0])
        self.desk.act(case, act, role, f"{role}{self.chance.randint(1, 2)}", **more)

    def look(self) -> Any:
        """Return what the boards say now."""
        now_ms = self.desk.now_ms
        return {
            "lists": [self.board.listed(sieve, None, 5, offset, now_ms) for sieve in SIEVES for offset in (0, 5)],
            "counts": self.board.counts(now_ms),
            "ones": {case: self.board.one(case, None, now_ms) for case in self.cases[-SHOWN:]},
            "indicators": self.board.indicators(NOON_MS, now_ms, None, now_ms),
            "ranking": self.board.ranking(self.month, self.month + timedelta(days=30), now_ms),
        }

    def look_back(self, at_ms: int, names: list[str]) -> Any:
        """Return what is said of an instant."""
        past = self.past
        return {
            "lists": [past.cases(sieve, 5, offset, at_ms) for sieve in SIEVES for offset in (0, 5)],
            "counts": past.case_counts(at_ms),
            "ones": {case: past.case(case, at_ms) for case in names},
            "indicators": past.indicators(NOON_MS, at_ms, None, at_ms),
            "ranking": past.ranking(self.month, self.month + timedelta(days=30), at_ms),
        }


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [pytest.param(3, marks=pytest.mark.long), 11])
def test_every_instant_reads_as_it_read_then(tmp_path: Path, seed: int) -> None:
    week = Week(tmp_path, seed)
    for number in range(STEPS):
        week.step()
        if number % EVERY == 0:
            week.said[week.desk.now_ms] = week.look()
    assert week.desk.now_ms - NOON_MS > 72 * HOUR_MS
    states = {item["state"] for said in week.said.values() for page in said["lists"] for item in page}
    assert {"REPORTED", "HANDLING", "CLOSED"} <= states
    for at_ms, before in week.said.items():
        found = week.look_back(at_ms, list(before["ones"]))
        for key, value in before.items():
            assert found[key] == value, (key, (at_ms - NOON_MS) / HOUR_MS)
        later = week.cases[week.cases.index(max(before["ones"])) + 1 :][:SHOWN]
        assert all(week.past.case(name, at_ms) is None for name in later)
    week.database.close()
