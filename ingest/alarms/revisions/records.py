"""Reading revisions back: which one is in force at an instant, and what has become of each."""

from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from devices.site import Site
from ingest.alarms.revisions.revision import SITE_FILE, Change, Revision, laid
from ingest.alarms.revisions.tables import rule_adoption, rule_backtest, rule_revision
from ingest.errors import Refused

Row = dict[str, Any]
State = Literal["draft", "tested", "approved", "in_force", "superseded", "discarded"]

# What the number's column holds.
_HIGHEST = 2**31 - 1
# A back-test that has said nothing for so long has ended without a word.
SILENT_MS = 60_000


def row_of(connection: sa.Connection, number: int) -> Row:
    """Return the columns of a revision.

    Raises:
        Refused: not_found.
    """
    query = sa.select(rule_revision).where(rule_revision.c.number == number)
    found = connection.execute(query).mappings().one_or_none() if 0 < number <= _HIGHEST else None
    if found is None:
        raise Refused(
            "not_found",
            f"There is no revision {number} of the rules.",
            code="unknown_revision",
            values={"revision": number},
        )
    return dict(found)


def rows(connection: sa.Connection) -> list[Row]:
    """Return all revisions, the newest first."""
    query = sa.select(rule_revision).order_by(rule_revision.c.number.desc())
    return [dict(row) for row in connection.execute(query).mappings()]


def published(row: Row) -> Revision:
    """Return what an approved revision says, whole."""
    document = msgspec.json.decode(row["document"], type=Revision)
    return msgspec.structs.replace(document, number=row["number"])


def change_of(row: Row) -> Change:
    """Return what the author of a revision wrote."""
    return msgspec.json.decode(row["changes"], type=Change)


def newest(connection: sa.Connection) -> Row | None:
    """Return the columns of the revision that takes effect last of all approved ones, None when there is none."""
    query = sa.select(rule_revision).where(rule_revision.c.sequence.is_not(None))
    found = connection.execute(query.order_by(rule_revision.c.sequence.desc()).limit(1)).mappings().one_or_none()
    return None if found is None else dict(found)


def due(connection: sa.Connection, now_ms: int) -> tuple[Revision, int | None]:
    """Return the revision in force at an instant, and when the next one takes effect, if one waits."""
    query = sa.select(rule_revision).where(rule_revision.c.sequence.is_not(None)).order_by(rule_revision.c.sequence)
    found = [dict(row) for row in connection.execute(query).mappings()]
    effective = [row for row in found if row["effective_at"] <= now_ms]
    waiting = [int(row["effective_at"]) for row in found if row["effective_at"] > now_ms]
    return published(effective[-1]) if effective else SITE_FILE, min(waiting, default=None)


def base_of(connection: sa.Connection) -> Revision:
    """Return what a draft is laid on: the newest approved revision, in force or about to be."""
    found = newest(connection)
    return SITE_FILE if found is None else published(found)


def drafted(connection: sa.Connection, row: Row, site: Site) -> tuple[Revision, Revision]:
    """Return what a draft is laid on and what it would make of it.

    Raises:
        Refused: unfit, it does not fit the rules or the site any more.
    """
    base = base_of(connection)
    return base, fitted(base, change_of(row), site, row["number"])


def fitted(base: Revision, change: Change, site: Site, number: int) -> Revision:
    """Return a change laid on a revision.

    Raises:
        Refused: unfit, with a sentence for each fault.
    """
    faults: list[Any] = []
    found = laid(base, change, site, faults, number)
    if faults:
        sentences = dict.fromkeys(map(str, faults))
        said = " ".join(each if each[-1] in ".?" else f"{each}." for each in sentences)
        raise Refused("unfit", said, code="draft_unfit", values={"detail": said, "faults": list(sentences)})
    return found


def backtests(connection: sa.Connection, number: int | None = None) -> list[Row]:
    """Return the back-tests of a revision, or of all, the newest first."""
    query = sa.select(rule_backtest).order_by(rule_backtest.c.asked_at.desc(), rule_backtest.c.id)
    if number is not None:
        query = query.where(rule_backtest.c.revision == number)
    return [dict(row) for row in connection.execute(query).mappings()]


def adoptions(connection: sa.Connection) -> dict[int, list[Row]]:
    """Return from which record on which collector judges by each revision."""
    found: dict[int, list[Row]] = {}
    query = sa.select(rule_adoption).order_by(rule_adoption.c.revision, rule_adoption.c.shard)
    for row in connection.execute(query).mappings():
        found.setdefault(row["revision"], []).append(dict(row))
    return found


def running(row: Row, now_ms: int) -> bool:
    """Tell whether a back-test is at work."""
    return bool(row["state"] in ("waiting", "running") and now_ms - row["told_at"] < SILENT_MS)


def state_of(row: Row, in_force: int, tested: bool, now_ms: int) -> State:
    """Return the state of a revision, from facts alone.

    Args:
        row: its columns.
        in_force: the number of the one in force.
        tested: whether it has a back-test against the rules as they are.
        now_ms: the instant.
    """
    if row["discarded_at"] is not None:
        return "discarded"
    if row["sequence"] is None:
        return "tested" if tested else "draft"
    if row["number"] == in_force:
        return "in_force"
    return "approved" if row["effective_at"] > now_ms else "superseded"
