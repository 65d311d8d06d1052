"""People at the rules' desk, and a journal of their own to test on."""

import itertools
from typing import Any

from devices.site import Site
from ingest.alarms.audit import Person
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions import backtesting, drafting, records
from ingest.alarms.revisions.drafting import Approval, Discard, Draft, Revised, Rollback
from ingest.alarms.revisions.recordings import Recording
from ingest.alarms.revisions.revision import Change
from ingest.decoding import Unregistered
from ingest.journal import Journal
from tests.ingest.alarms.feeding import T0

ENGINEER, OTHER, LEADER, OFFICER = (
    Person(name, roles, "10.0.0.1")
    for name, roles in (
        ("engineer", ("engineer", "maintenance")),
        ("engineer2", ("engineer",)),
        ("leader", ("leader", "director")),
        ("officer", ("officer",)),
    )
)
TIGHTER = {"limits": {"gas_alarm": {"conc_pct_lel": {"levels": [10, 40]}}}}
Row = dict[str, Any]
_KEYS = itertools.count()


class Desk:
    """Acts at instants of the recording; ``now_s`` is in seconds after T0."""

    def __init__(self, database: AlarmDatabase, site: Site, journal: Journal) -> None:
        self.database = database
        self.site = site
        self.journal = journal
        self.recordings = [Recording("main", site, journal, Unregistered())]
        self.now_s = (journal.received_ms - T0) / 1000

    @property
    def now_ms(self) -> int:
        return T0 + round(self.now_s * 1000)

    def draft(self, person: Person = ENGINEER, key: str | None = None, **words: Any) -> Revised:
        words = {"reason": "too many", "source": "GB/T 50493", "edition": "2019", "grade": "B", **words}
        change = Change(words.pop("limits", {}), words.pop("limits_for", []), words.pop("withdraw", []))
        wish = Draft(change, **words, idempotency_key=key or fresh())
        return drafting.draft(self.database, wish, self.site, person, self.now_ms)

    def test(self, number: int, from_s: float | None = None, to_s: float | None = None) -> Row:
        """Back-test a draft and return the row."""
        spans = [None if each is None else T0 + round(each * 1000) for each in (from_s, to_s)]
        wish = backtesting.Wish(number, spans[0], spans[1], fresh())
        asked = backtesting.ask(self.database, wish, self.site, self.recordings, ENGINEER, self.now_ms)
        backtesting.run(self.database, asked.id, self.site, self.recordings, lambda: self.now_ms)
        with self.database.read() as connection:
            return next(row for row in records.backtests(connection, number) if row["id"] == asked.id)

    def approve(self, number: int, at_s: float | None = None, person: Person = LEADER, key: str = "") -> Revised:
        at_ms = None if at_s is None else T0 + round(at_s * 1000)
        wish = Approval(number, at_ms, key or fresh())
        return drafting.approve(self.database, wish, self.site, person, self.now_ms)

    def publish(self, **words: Any) -> int:
        """Draft, test and approve at once, and return the number."""
        number: int = self.draft(**words).row["number"]
        self.test(number)
        self.approve(number)
        return number

    def roll_back(
        self, to: int, person: Person = LEADER, at_s: float | None = None, reason: str = "a flood"
    ) -> Revised:
        at_ms = None if at_s is None else T0 + round(at_s * 1000)
        return drafting.roll_back(self.database, Rollback(to, reason, at_ms, fresh()), person, self.now_ms)

    def discard(self, number: int, person: Person = ENGINEER) -> Revised:
        return drafting.discard(self.database, Discard(number, "no", fresh()), person, self.now_ms)


def record(journal: Journal, messages: list[tuple[float, str, bytes]]) -> None:
    """Journal messages at their instants, those of one instant together."""
    for second, batch in itertools.groupby(sorted(messages, key=lambda each: each[0]), lambda each: each[0]):
        journal.append([each[1:] for each in batch], T0 + round(second * 1000))


def fresh() -> str:
    """Return a key that was not used before."""
    return f"key {next(_KEYS)}"
