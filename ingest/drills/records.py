"""The record of exercises: begun, kept alive, ended; beginning and end stand in the audit, too.

At most one runs at a time, whatever cockpit plays it: the lock on the audit's head makes those who begin take turns.
"""

from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingest.alarms.audit import SYSTEM, Actor, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.drills.tables import drill
from ingest.errors import Refused

Row = dict[str, Any]
# ``over``: the scenario came to its end; ``ended``: a leader ended it; ``cut_off``: the cockpit did not go on.
Outcome = Literal["over", "ended", "cut_off", "failed"]
# A cockpit that has said nothing for so long plays it no more.
FORSAKEN_MS = 60_000


class Expected(msgspec.Struct, frozen=True):
    """An alarm that the scenario states; ``light`` is the time of day at which alone it can be, where there is one."""

    rule: str
    level: int
    device: str
    light: str = ""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the scenario said of itself, the instant of its own clock at which it began, and faults laid over it."""

    name: dict[str, str]
    description: dict[str, str]
    lasts_s: int
    played_from: int
    faults: list[str] = []
    expects: list[Expected] = []


def begin(
    database: AlarmDatabase, identifier: str, scenario: str, about: About, note: str, who: Actor, now_ms: int
) -> Row:
    """Write down that an exercise begins.

    Raises:
        Refused: state, another one is running.
        AlarmError: the database does not answer.
    """
    row = {
        "id": identifier, "scenario": scenario, "about": msgspec.json.encode(about).decode(), "note": note,
        "led_by": who.user, "started_at": now_ms, "beat_at": now_ms, "ended_at": None, "ended_by": None,
        "outcome": None, "sentence": "", "report": None,
    }  # fmt: skip
    with database.write() as connection:
        chain = AuditWriter(connection)
        require_none(connection)
        connection.execute(drill.insert().values(**row))
        chain.add_other(
            at_ms=now_ms, position=0, actor=who, action="drill_start", subject=f"drill:{identifier}",
            reason=scenario, comment=note,
        )  # fmt: skip
        chain.finish()
    return row


def end(
    database: AlarmDatabase,
    identifier: str,
    outcome: Outcome,
    sentence: str,
    report: str | None,
    who: Actor,
    now_ms: int,
) -> None:
    """Write down that an exercise has ended, and what came of it; one that has ended already stays as it is.

    Raises:
        AlarmError: the database does not answer; nothing happened.
    """
    with database.write() as connection:
        chain = AuditWriter(connection)
        changes = {
            "ended_at": now_ms, "ended_by": who.user, "outcome": outcome, "sentence": sentence, "report": report,
        }  # fmt: skip
        still = (drill.c.id == identifier, drill.c.ended_at.is_(None))
        if connection.execute(drill.update().where(*still).values(**changes)).rowcount == 1:
            chain.add_other(
                at_ms=now_ms, position=0, actor=who, action="drill_end", subject=f"drill:{identifier}", reason=outcome,
                comment=sentence,
            )  # fmt: skip
            chain.finish()


def beat(database: AlarmDatabase, playing: list[str], now_ms: int) -> None:
    """Say that some are being played here, and end those of which nobody has said so for a minute.

    Raises:
        AlarmError: the database does not answer.
    """
    with database.read() as connection:
        rows = [dict(row) for row in connection.execute(_running()).mappings()]
    if any(row["id"] in playing for row in rows):
        with database.write() as connection:
            connection.execute(drill.update().where(drill.c.id.in_(playing)).values(beat_at=now_ms))
    for row in rows:
        if row["id"] not in playing and row["beat_at"] < now_ms - FORSAKEN_MS:
            end(database, row["id"], "cut_off", "", None, SYSTEM, now_ms)


def require_none(connection: sa.Connection) -> None:
    """Refuse to go on while an exercise runs.

    Raises:
        Refused: state.
    """
    led_by = connection.execute(sa.select(drill.c.led_by).where(drill.c.ended_at.is_(None)).limit(1)).scalar()
    if led_by is not None:
        raise Refused(
            "state",
            f"An exercise is running already, led by {led_by}; end it first.",
            code="drill_running",
            values={"name": led_by},
        )


def one(connection: sa.Connection, identifier: str) -> Row | None:
    """Return an exercise."""
    found = connection.execute(sa.select(drill).where(drill.c.id == identifier)).mappings().one_or_none()
    return None if found is None else dict(found)


def newest(connection: sa.Connection, only_running: bool, most: int, offset: int) -> list[Row]:
    """Return exercises, the newest first."""
    query = _running() if only_running else sa.select(drill)
    query = query.order_by(drill.c.started_at.desc(), drill.c.id).limit(most).offset(offset)
    return [dict(row) for row in connection.execute(query).mappings()]


def about_of(row: Row) -> About:
    """Return what the scenario of an exercise said of itself."""
    return msgspec.json.decode(row["about"], type=About)


def _running() -> sa.Select[Any]:
    return sa.select(drill).where(drill.c.ended_at.is_(None))
