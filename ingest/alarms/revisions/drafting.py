"""What people do about revisions: draft, discard, approve, publish an old one again. Each is one audited transaction.

Whoever wrote a draft cannot approve it, and nobody can without a back-test of exactly this draft on exactly the rules
it is laid on. What is published was agreed to by two persons, so publishing it again takes one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from devices.catalog import Catalog
from devices.site import Site
from devices.site_change import limited, plain_limit
from ingest.alarms.acts import Acts
from ingest.alarms.audit import Person
from ingest.alarms.commands.carrying import Command, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions import records
from ingest.alarms.revisions.revision import SITE_FILE, Change, Revision
from ingest.alarms.revisions.tables import rule_revision
from ingest.errors import Refused

Row = dict[str, Any]

AUTHORS = ("engineer",)
APPROVERS = ("leader", "engineer")
GRADES = ("A", "B", "C")
_AHEAD_MS = 366 * 86_400_000
_LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A wish for other rules: what shall differ, why, and by which source it is justified."""

    change: Change
    reason: str
    source: str
    edition: str
    grade: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Yes to a draft, from an instant on (epoch ms); at once where none is named."""

    number: int
    effective_at: int | None
    idempotency_key: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Rollback:
    """Publish an older revision again, 0 for the site file alone."""

    to: int
    reason: str
    effective_at: int | None
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Discard:
    """A draft that shall not be pursued."""

    number: int
    reason: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Revised:
    """What came of it: the revision's columns as they are now."""

    result: str
    by: str
    at_ms: int
    row: Row


def draft(database: AlarmDatabase, wish: Draft, site: Site, person: Person, now_ms: int) -> Revised:
    """Keep a draft (engineer); it changes nothing yet.

    Raises:
        Refused: ``unfit`` with a sentence for each fault; role, key_reused.
        AlarmError: the database could not be written; nothing happened.
    """

    def work(acts: Acts) -> Revised:
        _check_words(wish)
        change = _sourced(wish, site.kinds_as_they_come or site.catalog)
        text = msgspec.json.encode(change).decode()
        if len(text) > _LONGEST:
            raise Refused(
                "unfit",
                f"The draft is {len(text)} characters long; at most {_LONGEST} are kept.",
                code="draft_long",
                values={"count": len(text), "most": _LONGEST},
            )
        highest = acts.connection.execute(sa.select(sa.func.max(rule_revision.c.number))).scalar()
        number = int(highest or 0) + 1
        records.fitted(records.base_of(acts.connection), change, site, number)
        row: Row = {
            **dict.fromkeys(column.name for column in rule_revision.columns),
            "number": number,
            "author": acts.actor.user,
            "author_role": acts.actor.role,
            "created_at": now_ms,
            "reason": wish.reason,
            "source": wish.source,
            "edition": wish.edition,
            "grade": wish.grade,
            "changes": text,
        }
        acts.connection.execute(rule_revision.insert().values(**row))
        return _noted(acts, "rule_draft", row, wish.reason)

    return carry_out(database, _command("rule_draft", wish, AUTHORS), person, now_ms, work, Revised)


def approve(database: AlarmDatabase, wish: Approval, site: Site, person: Person, now_ms: int) -> Revised:
    """Approve a draft of another person; every collector judges by it from its instant on.

    Raises:
        Refused: same_person, role, not_found, state (published already, or not tested as it is), unfit.
        AlarmError: the database could not be written; nothing happened.
    """

    def work(acts: Acts) -> Revised:
        row = _open(acts, wish.number)
        if row["author"] == acts.actor.user:
            raise Refused(
                "same_person",
                "This takes two persons: whoever wrote the draft cannot approve it.",
                code="two_persons_draft",
            )
        base, made = records.drafted(acts.connection, row, site)
        done = [each for each in records.backtests(acts.connection, wish.number) if each["state"] == "done"]
        if not any((each["base"], each["digest"]) == (base.number, made.digest) for each in done):
            why = "it was tested against other rules than those in force" if done else "it has none"
            raise Refused(
                "state",
                f"Approving takes a back-test of exactly this draft; {why}. Run one first.",
                code="backtest_missing",
            )
        return _published(acts, row, made, wish.effective_at, "rule_approve", wish.comment)

    command = Command("rule_approve", wish, wish.idempotency_key, APPROVERS, comment=wish.comment)
    return carry_out(database, command, person, now_ms, work, Revised)


def roll_back(database: AlarmDatabase, wish: Rollback, person: Person, now_ms: int) -> Revised:
    """Publish again what an older revision said, as a new one.

    Raises:
        Refused: not_found, state (never in force, or says what is in force anyway), not_allowed, role.
        AlarmError: the database could not be written; nothing happened.
    """

    def work(acts: Acts) -> Revised:
        if not wish.reason.strip():
            raise Refused("unfit", "Say why: publishing an old revision again needs a reason.", code="reason_missing")
        old, columns = SITE_FILE, {"source": "site file", "edition": "", "grade": "C"}
        if wish.to:
            found = records.row_of(acts.connection, wish.to)
            if found["sequence"] is None:
                raise Refused(
                    "state",
                    f"Revision {wish.to} was never approved; only what was can be published again.",
                    code="never_approved",
                    values={"revision": wish.to},
                )
            old, columns = records.published(found), {key: found[key] for key in columns}
        base = records.base_of(acts.connection)
        if base.digest == old.digest:
            raise Refused(
                "state",
                f"Revision {base.number} says the same as {wish.to} already; nothing was done.",
                code="same_rules",
                values={"revision": base.number, "other": wish.to},
            )
        highest = acts.connection.execute(sa.select(sa.func.max(rule_revision.c.number))).scalar()
        row: Row = {
            **dict.fromkeys(column.name for column in rule_revision.columns),
            **columns,
            "number": int(highest or 0) + 1,
            "author": acts.actor.user,
            "author_role": acts.actor.role,
            "created_at": now_ms,
            "reason": wish.reason,
            "changes": msgspec.json.encode(Change(old.limits, old.limits_for)).decode(),
            "restores": wish.to,
        }
        acts.connection.execute(rule_revision.insert().values(**row))
        made = msgspec.structs.replace(old, number=row["number"])
        return _published(acts, row, made, wish.effective_at, "rule_rollback", wish.reason)

    return carry_out(database, _command("rule_rollback", wish, APPROVERS), person, now_ms, work, Revised)


def discard(database: AlarmDatabase, wish: Discard, person: Person, now_ms: int) -> Revised:
    """Give up a draft; it stays on record.

    Raises:
        Refused: not_found, state, role.
        AlarmError: the database could not be written; nothing happened.
    """

    def work(acts: Acts) -> Revised:
        row = _open(acts, wish.number)
        values = {"discarded_by": acts.actor.user, "discarded_at": now_ms}
        _update(acts, wish.number, values)
        return _noted(acts, "rule_discard", {**row, **values}, wish.reason)

    return carry_out(database, _command("rule_discard", wish, APPROVERS), person, now_ms, work, Revised)


def _command(name: str, wish: Any, roles: Sequence[str]) -> Command:
    return Command(name, wish, wish.idempotency_key, roles)


def _check_words(wish: Draft) -> None:
    if not wish.reason.strip():
        raise Refused("unfit", "Say why: a draft needs a reason.", code="reason_missing")
    if not wish.source.strip():
        raise Refused(
            "unfit",
            "Say by what it is justified: a draft needs a source, such as a standard or a contract.",
            code="source_missing",
        )
    if wish.grade not in GRADES:
        raise Refused(
            "unfit",
            f"grade: expected one of {', '.join(GRADES)}, found {wish.grade[:20]!r}.",
            code="bad_choice",
            values={"expected": ", ".join(GRADES), "value": wish.grade[:20], "name": "grade"},
        )


def _sourced(wish: Draft, catalog: Catalog) -> Change:
    """Return the change with the draft's source and grade in every limit that does not name its own.

    A table that may mean several limits is left as the author wrote it: it is refused by what stands in it.
    """
    said = {"source": f"{wish.source} {wish.edition}".strip(), "grade": wish.grade}

    def with_source(table: Any) -> Any:
        return {**said, **table} if isinstance(table, dict) else table

    def of_field(kind: str, key: str, table: Any) -> Any:
        field = limited(catalog.kinds.get(kind)).get(key)
        if field is None or not isinstance(table, dict):
            return with_source(table)
        if any(limit.key in table for limit in field.limits):
            return {name: with_source(each) for name, each in table.items()}
        return with_source(table) if plain_limit(catalog.kinds[kind], key) else table

    limits = {
        kind: {key: of_field(kind, key, table) for key, table in fields.items()} if isinstance(fields, dict) else fields
        for kind, fields in wish.change.limits.items()
    }
    scoped = [with_source(table) for table in wish.change.limits_for]
    return Change(limits, scoped, wish.change.withdraw)


def _open(acts: Acts, number: int) -> Row:
    row = records.row_of(acts.connection, number)
    if row["discarded_at"] is not None:
        raise Refused(
            "state",
            f"Revision {number} was discarded by {row['discarded_by']}.",
            code="discarded",
            values={"revision": number, "by": row["discarded_by"]},
        )
    if row["sequence"] is not None:
        raise Refused(
            "state",
            f"Revision {number} was approved already, by {row['approved_by']}.",
            code="approved_already",
            values={"revision": number, "by": row["approved_by"]},
        )
    return row


def _published(acts: Acts, row: Row, made: Revision, effective_at: int | None, action: str, reason: str) -> Revised:
    now_ms = acts.now_ms
    at_ms = now_ms if effective_at is None else effective_at
    if at_ms < now_ms:
        raise Refused(
            "unfit",
            "effective_at lies in the past; rules cannot take effect before they are approved.",
            code="effective_past",
        )
    if at_ms > now_ms + _AHEAD_MS:
        raise Refused(
            "unfit",
            "effective_at lies more than a year ahead; expected an instant within 366 days.",
            code="effective_far",
        )
    last = records.newest(acts.connection)
    if last is not None and at_ms < last["effective_at"]:
        raise Refused(
            "state",
            f"Revision {last['number']} is approved already and takes effect later; no other one can come before it.",
            code="later_approved",
            values={"revision": last["number"]},
        )
    values: Row = {
        "sequence": 1 if last is None else last["sequence"] + 1,
        "document": msgspec.json.encode(made).decode(),
        "approved_by": acts.actor.user,
        "approved_role": acts.actor.role,
        "approved_at": now_ms,
        "effective_at": at_ms,
    }
    _update(acts, row["number"], values)
    return _noted(acts, action, {**row, **values}, reason)


def _update(acts: Acts, number: int, values: Row) -> None:
    acts.connection.execute(rule_revision.update().where(rule_revision.c.number == number).values(**values))


def _noted(acts: Acts, action: str, row: Row, reason: str) -> Revised:
    acts.note_other(action, f"rules/{row['number']}", reason)
    return Revised(action.removeprefix("rule_"), acts.actor.user, acts.now_ms, row)
