"""The back-test of a draft: asked for at a desk, run in a process of its own, its result kept with the draft."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
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
from ingest.alarms.revisions.recordings import Recording, Tell
from ingest.alarms.revisions.revision import Revision
from ingest.alarms.revisions.tables import rule_backtest
from ingest.backtest.material import Material, Origin, Recorded, compare
from ingest.backtest.recorded import occurrences
from ingest.errors import IngestError, Refused, StoreError, plain

TESTERS = ("engineer", "leader")
_TELL_MS = 1_000


@dataclass(frozen=True, slots=True)
class Wish:
    """Test a draft on what is recorded of [from, to) (epoch ms); without an end until now, else over a day."""

    number: int
    from_ms: int | None
    to_ms: int | None
    idempotency_key: str
    source: Origin = "journal"


@dataclass(frozen=True, slots=True)
class Asked:
    """The back-test that was begun."""

    id: str
    by: str
    at_ms: int


def ask(
    database: AlarmDatabase, wish: Wish, site: Site, found: Material | list[Recording], person: Person, now_ms: int
) -> Asked:
    """Begin a back-test on recorded data; it has to be run by :func:`run` on the same.

    Raises:
        Refused: ``unfit`` when nothing was recorded in the span or history cannot judge it, pending, state, not_found,
            role.
        AlarmError: the database could not be written; nothing happened.
        IngestError: what was recorded cannot be read.
    """

    def revisions() -> tuple[Revision, Revision]:
        with database.read() as connection:
            return records.drafted(connection, _draft(connection, wish.number), site)

    from_ms, to_ms = _material(site, found).part((wish.from_ms, wish.to_ms), now_ms, revisions)

    def work(acts: Acts) -> Asked:
        row = _draft(acts.connection, wish.number)
        if any(records.running(each, now_ms) for each in records.backtests(acts.connection, wish.number)):
            raise Refused(
                "pending",
                f"A back-test of revision {wish.number} is running; wait until it has ended.",
                code="backtest_running",
                values={"revision": wish.number},
            )
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
    found: Material | list[Recording],
    clock_ms: Callable[[], int],
    tell: Tell = lambda _done, _total: None,
    readings: Callable[[dict[str, Any]], None] = lambda _result: None,
) -> None:
    """Run a back-test that was asked for, once, and keep its result, or the sentence that says why there is none.

    ``readings`` adds to the alarms of the result what their devices measured; where the store is away it is kept
    without.

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
            raise Refused("state", "The rules have changed since it was asked for; ask again.", code="rules_changed")
        document = _tested(database, row, site, _material(site, found), (base, made), clock_ms, tell)
        with suppress(StoreError):
            readings(document)
    except (IngestError, DeviceError) as error:
        why = why_failed(error.code, error.values) if isinstance(error, Refused) else None
        said = {"sentence": str(error), "result": why}
        _note(database, identifier, state="failed", **said, finished_at=clock_ms(), told_at=clock_ms())
        return
    text = msgspec.json.encode(document).decode()
    _note(database, identifier, state="done", result=text, finished_at=clock_ms(), told_at=clock_ms())


def why_failed(code: str, values: Mapping[str, object] | None = None) -> str:
    """Return what a failed back-test keeps in the place of a result: its sentence's code and what that tells."""
    return msgspec.json.encode({"code": code, "values": plain(values)}).decode()


def end(database: AlarmDatabase, identifier: str, sentence: str, now_ms: int, why: str | None = None) -> None:
    """Say of a back-test that is still running why it is not."""
    with database.write() as connection:
        connection.execute(
            rule_backtest.update()
            .where(rule_backtest.c.id == identifier, rule_backtest.c.state.in_(("waiting", "running")))
            .values(state="failed", sentence=sentence, result=why, finished_at=now_ms, told_at=now_ms)
        )


def _tested(
    database: AlarmDatabase,
    row: dict[str, Any],
    site: Site,
    material: Material,
    revisions: tuple[Revision, Revision],
    clock_ms: Callable[[], int],
    tell: Tell,
) -> dict[str, Any]:
    told_ms = 0

    def told(done: int, total: int) -> None:
        nonlocal told_ms
        now_ms = clock_ms()
        if now_ms - told_ms >= _TELL_MS:
            told_ms = now_ms
            _note(database, row["id"], done=done, total=total, told_at=now_ms)
            tell(done, total)

    found = compare(database, material, site, revisions, (row["from_ms"], row["to_ms"]), told)
    _note(database, row["id"], done=found["records"], total=found["records"], told_at=clock_ms())
    return found


def recorded(connection: sa.Connection, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """Return the alarms noticed in [from, to), with what people have found of them."""
    return occurrences(connection, from_ms, to_ms)


def _material(site: Site, found: Material | list[Recording]) -> Material:
    return Recorded(site, found) if isinstance(found, list) else found


def _draft(connection: sa.Connection, number: int) -> records.Row:
    row = records.row_of(connection, number)
    if row["sequence"] is not None or row["discarded_at"] is not None:
        raise Refused(
            "state",
            f"Revision {number} is no draft any more; only drafts are tested.",
            code="no_draft",
            values={"revision": number},
        )
    return row


def _note(database: AlarmDatabase, identifier: str, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(rule_backtest.update().where(rule_backtest.c.id == identifier).values(**values))
