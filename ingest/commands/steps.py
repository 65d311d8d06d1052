"""What becomes of commands: claimed, taken by the broker, answered, timed out. Each step is one transaction.

Several cockpits may work at once: every step looks at the row as it is under the lock of the audit's head, so that it
is done once, whoever comes first.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from ingest.alarms.acts import Acts, newest_position
from ingest.alarms.audit import SYSTEM, Actor, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.commands.orders import OPEN, about, expire, leaking
from ingest.commands.tables import lamp_command, lamp_order
from ingest.commands.wire import Answer

Row = dict[str, Any]
# How long a pole may take to answer.
ANSWER_WITHIN_MS = 30_000
# A command that is not answered is published again under the same id: its first answer may have been lost.
AGAIN_MS = 10_000
_AT_ONCE = 200


def claim(database: AlarmDatabase, now_ms: int) -> list[Row]:
    """Return the commands to be published now by whoever called, until :data:`AGAIN_MS` have passed.

    A lamp whose leakage alarm opened meanwhile is not lit: such a command is refused here.
    """
    due = sa.and_(
        lamp_command.c.state.in_(OPEN), lamp_command.c.claimed_until <= now_ms, lamp_command.c.expires_at > now_ms
    )

    def work(acts: Acts) -> list[Row]:
        rows = _rows(acts.connection, due)
        lit = {row["device"] for row in rows if row["dim_pct"] is None or row["dim_pct"] > 0}
        leaks = set(leaking(acts.connection, lit)) if lit else set()
        claimed = []
        for row in rows:
            if row["device"] in leaks and row["device"] in lit and row["state"] == "waiting":
                _settle(acts, row, "refused", "lamp_refused", {"answer": "leakage alarm open"})
                continue
            state = "sending" if row["state"] == "waiting" else row["state"]
            claimed.append(_changed(acts, row, {"state": state, "claimed_until": now_ms + AGAIN_MS}))
        return claimed

    return _where_any(database, due, now_ms, work) or []


def taken(database: AlarmDatabase, commands: Sequence[str], now_ms: int) -> None:
    """Note that the broker has these commands."""
    fresh = sa.and_(lamp_command.c.id.in_(commands), lamp_command.c.state == "sending")

    def work(acts: Acts) -> None:
        for row in _rows(acts.connection, fresh):
            _sent(acts, row)

    _where_any(database, fresh, now_ms, work)


def turned_away(database: AlarmDatabase, command: str, why: str, now_ms: int) -> None:
    """Note that the broker does not take a command."""
    fresh = sa.and_(lamp_command.c.id == command, lamp_command.c.state == "sending")

    def work(acts: Acts) -> None:
        for row in _rows(acts.connection, fresh):
            _settle(acts, row, "refused", "lamp_refused", {"answer": f"the broker: {why}"})

    _where_any(database, fresh, now_ms, work)


def answered(database: AlarmDatabase, answer: Answer, now_ms: int) -> bool:
    """Note what a pole answers; return False when no such command was sent to it.

    An answer that comes after the time-out, or after a newer order, is kept as a late one.
    """
    published = sa.and_(
        lamp_command.c.id == answer.command,
        lamp_command.c.device == answer.device,
        lamp_command.c.claimed_until > 0,
    )

    def work(acts: Acts) -> bool:
        for row in _rows(acts.connection, published):
            if row["answered_at"] is None:
                _answered(acts, row, answer)
        return True

    return _where_any(database, published, now_ms, work) or False


def time_out(database: AlarmDatabase, now_ms: int, answer_within_ms: int = ANSWER_WITHIN_MS) -> None:
    """Give up what nobody answered in time: commands, and requests that wait for a second person."""
    state, expired = lamp_command.c.state, lamp_command.c.expires_at <= now_ms
    silent = sa.and_(state == "sent", lamp_command.c.sent_at <= now_ms - answer_within_ms)
    late = sa.or_(silent, sa.and_(state.in_(("waiting", "sending")), expired))
    forgotten = sa.and_(lamp_order.c.state == "asked", lamp_order.c.expires_at <= now_ms)

    def commands(acts: Acts) -> None:
        for row in _rows(acts.connection, late):
            if row["state"] == "waiting":
                _settle(acts, row, "expired", "lamp_expired", {})
            else:
                _settle(acts, row, "timed_out", "lamp_timed_out", {})

    def requests(acts: Acts) -> None:
        query = sa.select(lamp_order).where(forgotten).with_for_update()
        for row in acts.connection.execute(query).mappings().all():
            expire(acts, dict(row))

    _where_any(database, late, now_ms, commands)
    _where_any(database, forgotten, now_ms, requests, lamp_order)


def unseen(database: AlarmDatabase, since_ms: int) -> list[Row]:
    """Return the commands accepted since an instant whose effect no reading has shown yet."""
    query = sa.select(lamp_command).where(
        lamp_command.c.answered_at >= since_ms,
        lamp_command.c.accepted.is_(True),
        lamp_command.c.obeyed_at.is_(None),
        lamp_command.c.dim_pct.is_not(None),
    )
    with database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def obeyed(database: AlarmDatabase, commands: Sequence[str], now_ms: int) -> None:
    """Note that readings show what was wanted."""
    first = sa.and_(lamp_command.c.id.in_(commands), lamp_command.c.obeyed_at.is_(None))
    with database.write() as connection:
        connection.execute(lamp_command.update().where(first).values(obeyed_at=now_ms))


def _answered(acts: Acts, row: Row, answer: Answer) -> None:
    told = {"answered_at": acts.now_ms, "accepted": answer.accepted, "answer": answer.reason}
    by_device = Acts(acts.connection, acts.chain, Actor(answer.device, "device"), acts.now_ms, acts.position)
    if row["state"] == "sending":
        # The pole was faster than the broker's word about it.
        row = _sent(acts, row)
    if row["state"] != "sent":
        _changed(acts, row, told)
        by_device.note_other("lamp_answered_late", row["device"], _said(row, answer))
        return
    state = "acked" if answer.accepted else "refused"
    _changed(acts, row, {**told, "state": state, "settled_at": acts.now_ms})
    by_device.note_other(f"lamp_{state}", row["device"], _said(row, answer))


def _said(row: Row, answer: Answer) -> str:
    word = "accepted" if answer.accepted else f"refused: {answer.reason or 'no reason given'}"
    return f"{about(row)}; {word}"


def _sent(acts: Acts, row: Row) -> Row:
    acts.note_other("lamp_sent", row["device"], about(row))
    return _changed(acts, row, {"state": "sent", "sent_at": acts.now_ms})


def _settle(acts: Acts, row: Row, state: str, action: str, changes: Row) -> None:
    _changed(acts, row, {**changes, "state": state, "settled_at": acts.now_ms})
    acts.note_other(action, row["device"], "; ".join(filter(None, (about(row), str(changes.get("answer", ""))))))


def _changed(acts: Acts, row: Row, changes: Row) -> Row:
    acts.connection.execute(lamp_command.update().where(lamp_command.c.id == row["id"]).values(**changes))
    return {**row, **changes}


def _rows(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Row]:
    query = sa.select(lamp_command).where(condition).order_by(lamp_command.c.made_at, lamp_command.c.device)
    return [dict(row) for row in connection.execute(query.limit(_AT_ONCE).with_for_update()).mappings()]


def _where_any(
    database: AlarmDatabase,
    condition: sa.ColumnElement[bool],
    now_ms: int,
    work: Callable[[Acts], Any],
    table: sa.Table = lamp_command,
) -> Any:
    """Do a step where there is something to do; looking takes no lock from the writers of alarms."""
    with database.read() as connection:
        if connection.execute(sa.select(table.c.id).where(condition).limit(1)).first() is None:
            return None
    with database.write() as connection:
        chain = AuditWriter(connection)
        found = work(Acts(connection, chain, SYSTEM, now_ms, newest_position(connection)))
        chain.finish()
    return found
