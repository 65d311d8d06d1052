"""The back-test of a draft: asked for at a desk, run in a process of its own, its result kept with the draft."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from devices.errors import DeviceError
from devices.site import Site
from ingest.alarms.acts import Acts
from ingest.alarms.audit import Person
from ingest.alarms.commands.carrying import Command, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions import records
from ingest.alarms.revisions.comparing import Comparison, result
from ingest.alarms.revisions.recordings import Recording, Tell
from ingest.alarms.revisions.revision import Revision
from ingest.alarms.revisions.tables import rule_backtest
from ingest.alarms.tables import occurrence
from ingest.errors import IngestError, Refused

TESTERS = ("engineer", "leader")
_TELL_MS = 1_000
_DAY_MS = 86_400_000
_RECORDED = (
    "id", "point", "rule", "device", "kind", "raised_at", "noticed_at", "returned_at", "closed_at", "level_peak",
    "priority", "value", "unit", "verdict", "case",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """Test a draft on what was received in [from, to) (epoch ms); without an end until now, else over a day."""

    number: int
    from_ms: int | None
    to_ms: int | None
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The back-test that was begun."""

    id: str
    by: str
    at_ms: int


def ask(database: AlarmDatabase, wish: Wish, site: Site, found: list[Recording], person: Person, now_ms: int) -> Asked:
    """Begin a back-test; it has to be run by :func:`run`.

    Raises:
        Refused: ``unfit`` when nothing was recorded in the span, pending, state, not_found, role.
        AlarmError: the database could not be written; nothing happened.
    """
    from_ms, to_ms = _span(wish, site, found, now_ms)

    def work(acts: Acts) -> Asked:
        row = records.row_of(acts.connection, wish.number)
        if row["sequence"] is not None or row["discarded_at"] is not None:
            raise Refused("state", f"Revision {wish.number} is no draft any more; only drafts are tested.")
        if any(records.running(each, now_ms) for each in records.backtests(acts.connection, wish.number)):
            raise Refused("pending", f"A back-test of revision {wish.number} is running; wait until it has ended.")
        base, made = records.drafted(acts.connection, row, site)
        identifier = secrets.token_hex(10)
        values = {
            "id": identifier, "revision": wish.number, "base": base.number, "digest": made.digest,
            "from_ms": from_ms, "to_ms": to_ms, "asked_by": acts.actor.user, "asked_at": now_ms,
            "state": "waiting", "done": 0, "total": 0, "told_at": now_ms, "finished_at": None, "sentence": "",
            "result": None,
        }  # fmt: skip
        acts.connection.execute(rule_backtest.insert().values(**values))
        acts.note_other("rule_backtest", f"rules/{wish.number}", f"back-test {identifier}")
        return Asked(identifier, acts.actor.user, now_ms)

    command = Command("rule_backtest", wish, wish.idempotency_key, TESTERS)
    return carry_out(database, command, person, now_ms, work, Asked)


def run(
    database: AlarmDatabase,
    identifier: str,
    site: Site,
    found: list[Recording],
    clock_ms: Callable[[], int],
    tell: Tell = lambda _done, _total: None,
) -> None:
    """Run a back-test that was asked for, once, and keep its result, or the sentence that says why there is none.

    Raises:
        AlarmError: the database could not be written; the back-test ends without a word.
    """
    mine = rule_backtest.update().where(rule_backtest.c.id == identifier, rule_backtest.c.state == "waiting")
    with database.write() as connection:
        if connection.execute(mine.values(state="running", told_at=clock_ms())).rowcount != 1:
            return
    try:
        with database.read() as connection:
            query = sa.select(rule_backtest).where(rule_backtest.c.id == identifier)
            row = dict(connection.execute(query).mappings().one())
            base, made = records.drafted(connection, records.row_of(connection, row["revision"]), site)
        if (base.number, made.digest) != (row["base"], row["digest"]):
            raise Refused("state", "The rules have changed since it was asked for; ask again.")
        document = _tested(database, row, site, found, (base, made), clock_ms, tell)
    except (IngestError, DeviceError) as error:
        _note(database, identifier, state="failed", sentence=str(error), finished_at=clock_ms(), told_at=clock_ms())
        return
    text = msgspec.json.encode(document).decode()
    _note(database, identifier, state="done", result=text, finished_at=clock_ms(), told_at=clock_ms())


def end(database: AlarmDatabase, identifier: str, sentence: str, now_ms: int) -> None:
    """Say of a back-test that is still running why it is not."""
    with database.write() as connection:
        connection.execute(
            rule_backtest.update()
            .where(rule_backtest.c.id == identifier, rule_backtest.c.state.in_(("waiting", "running")))
            .values(state="failed", sentence=sentence, finished_at=now_ms, told_at=now_ms)
        )


def _tested(
    database: AlarmDatabase,
    row: dict[str, Any],
    site: Site,
    found: list[Recording],
    revisions: tuple[Revision, Revision],
    clock_ms: Callable[[], int],
    tell: Tell,
) -> dict[str, Any]:
    from_ms, to_ms = row["from_ms"], row["to_ms"]
    total = sum(each.count(from_ms, to_ms) for each in found)
    behind, told_ms = 0, 0
    comparisons = []
    for recording in found:
        comparison = Comparison(recording.site, recording.shard, *revisions)
        size = recording.count(from_ms, to_ms)

        def told(done: int, of: int) -> None:
            nonlocal told_ms
            now_ms = clock_ms()
            if now_ms - told_ms >= _TELL_MS:
                told_ms = now_ms
                reached = behind + size * done // max(1, of)  # noqa: B023 (used up within the turn of the loop)
                _note(database, row["id"], done=reached, total=total, told_at=now_ms)
                tell(reached, total)

        for outcomes in recording.outcomes(from_ms, to_ms, told):
            comparison.feed(outcomes)
        comparison.finish()
        comparisons.append(comparison)
        behind += size
    _note(database, row["id"], done=total, total=total, told_at=clock_ms())
    with database.read() as connection:
        query = sa.select(*(occurrence.c[name] for name in _RECORDED)).where(
            occurrence.c.noticed_at >= from_ms, occurrence.c.noticed_at < to_ms
        )
        recorded = [dict(each) for each in connection.execute(query).mappings()]
    return {"records": total, **result(comparisons, recorded, from_ms, to_ms, site)}


def _span(wish: Wish, site: Site, found: list[Recording], now_ms: int) -> tuple[int, int]:
    """Return the part of a span in which something was recorded."""
    end_ms = now_ms if wish.to_ms is None else wish.to_ms
    begin_ms = end_ms - _DAY_MS if wish.from_ms is None else wish.from_ms
    if begin_ms >= end_ms:
        raise Refused("unfit", "The span is empty: from must lie before to.")
    reaches = [reach for reach in (each.reach() for each in found) if reach is not None]
    if not reaches:
        raise Refused("unfit", "Nothing has been recorded yet; there is nothing to test on.")
    first, last = min(each[0] for each in reaches), max(each[1] for each in reaches)
    from_ms, to_ms = max(begin_ms, first), min(end_ms, last + 1)
    if from_ms >= to_ms or not sum(each.count(from_ms, to_ms) for each in found):
        shown = (datetime.fromtimestamp(at / 1000, UTC).astimezone(site.timezone).isoformat() for at in (first, last))
        raise Refused("unfit", f"The span holds no records; the journal reaches from {' to '.join(shown)}.")
    return from_ms, to_ms


def _note(database: AlarmDatabase, identifier: str, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(rule_backtest.update().where(rule_backtest.c.id == identifier).values(**values))
