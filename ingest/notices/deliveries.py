"""Deliveries: announcements become one message per channel, kept until it has been taken or has been given up.

A burst becomes one message that says how many and names the first: people read ten messages, not a thousand. Nothing is
left out of the alarm list by that.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from devices.site import Channel, Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.outbox import announcement
from ingest.alarms.tables import occurrence
from ingest.cases.records import CaseRules
from ingest.cases.tables import cases
from ingest.contacts import Directory
from ingest.notices.case_wording import case_wording
from ingest.notices.escalating import begin
from ingest.notices.ladder import rung
from ingest.notices.tables import delivery
from ingest.notices.wording import wording

RETRY_MS = (5_000, 15_000, 60_000, 300_000, 900_000)
GIVE_UP_MS = 24 * 3_600_000
# Due for longer than any pause between two tries: nobody tries it.
_UNTRIED_MS = 3_600_000
KEPT_DAYS = 90
_AT_ONCE = 2_000
_BURST = 10
_NAMED = 20

Row = dict[str, Any]
_STATES: dict[str, tuple[sa.ColumnElement[bool], ...]] = {
    "waiting": (delivery.c.sent_at.is_(None), delivery.c.dead_at.is_(None)),
    "dead": (delivery.c.dead_at.is_not(None),),
    "sent": (delivery.c.sent_at.is_not(None),),
    "all": (),
}
STATES = tuple(_STATES)


def take_out(database: AlarmDatabase, site: Site, now_ms: int) -> int:
    """Turn announcements into deliveries and start their ladders; return how many announcements that were.

    Raises:
        AlarmError: nothing was changed.
    """
    waiting = announcement.c.taken_at.is_(None)
    with database.read() as connection:
        if connection.execute(sa.select(announcement.c.id).where(waiting).limit(1)).first() is None:
            return 0
    with database.write() as connection:
        query = sa.select(announcement).where(waiting).order_by(announcement.c.at, announcement.c.id).limit(_AT_ONCE)
        found = [dict(row) for row in connection.execute(query.with_for_update()).mappings()]
        alarms = _alarms(connection, found)
        late = _cases(connection, [each["occurrence"] for each in found if each["occurrence"] not in alarms])
        known = [each for each in found if each["occurrence"] in alarms or each["occurrence"] in late]
        for each in known:
            if each["step"] == 0 and each["occurrence"] in alarms:
                begin(connection, each)
        desk = _Desk(site, alarms, late, now_ms)
        rows = [row for channel in site.channels for row in desk.deliveries(channel, known)]
        if rows:
            connection.execute(delivery.insert(), rows)
        taken = announcement.update().where(announcement.c.id == sa.bindparam("which")).values(taken_at=now_ms)
        if found:
            connection.execute(taken, [{"which": each["id"]} for each in found])
    return len(found)


def due(database: AlarmDatabase, channel: str, now_ms: int, limit: int) -> list[Row]:
    """Return what a channel has to try now, the most urgent first."""
    query = (
        sa.select(delivery)
        .where(delivery.c.sent_at.is_(None), delivery.c.dead_at.is_(None))
        .where(delivery.c.channel == channel, delivery.c.due_at <= now_ms)
        .order_by(delivery.c.priority, delivery.c.made_at, delivery.c.key)
        .limit(limit)
    )
    with database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def taken(database: AlarmDatabase, key: str, now_ms: int) -> None:
    """Note that a message was taken by its receiver."""
    with database.write() as connection:
        changes = {"sent_at": now_ms, "attempts": delivery.c.attempts + 1, "trouble": ""}
        connection.execute(delivery.update().where(delivery.c.key == key).values(**changes))


def refused(database: AlarmDatabase, row: Mapping[str, Any], trouble: str, now_ms: int) -> None:
    """Note that a message was not taken: it is tried again later and later, and given up after a day."""
    pause_ms = RETRY_MS[min(row["attempts"], len(RETRY_MS) - 1)]
    dead = now_ms - row["made_at"] >= GIVE_UP_MS
    changes: Row = {"attempts": row["attempts"] + 1, "trouble": trouble[:500], "due_at": now_ms + pause_ms}
    with database.write() as connection:
        connection.execute(
            delivery.update().where(delivery.c.key == row["key"]).values(**changes, dead_at=now_ms if dead else None)
        )


def give_up(database: AlarmDatabase, now_ms: int) -> int:
    """Give up what has waited for a day without being tried: its channel has no address, or is none of the site's.

    Returns:
        How many messages that were.
    """
    old = (*_STATES["waiting"], delivery.c.made_at <= now_ms - GIVE_UP_MS, delivery.c.due_at <= now_ms - _UNTRIED_MS)
    with database.read() as connection:
        if connection.execute(sa.select(delivery.c.key).where(*old).limit(1)).first() is None:
            return 0
    with database.write() as connection:
        ended = {"dead_at": now_ms, "trouble": "nobody tried it for a day: the channel has no address that can be used"}
        return int(connection.execute(delivery.update().where(*old).values(**ended)).rowcount)


def forget(database: AlarmDatabase, now_ms: int) -> None:
    """Remove what was sent or given up, and the announcements behind it, once they are older than they are kept."""
    before = now_ms - KEPT_DAYS * 86_400_000
    with database.write() as connection:
        connection.execute(delivery.delete().where(sa.or_(delivery.c.sent_at < before, delivery.c.dead_at < before)))
        connection.execute(announcement.delete().where(announcement.c.taken_at < before))


def listed(
    connection: sa.Connection,
    state: str,
    limit: int,
    offset: int,
    channel: str | None = None,
    priorities: Sequence[str] = (),
) -> list[Row]:
    """Return deliveries ``waiting``, ``dead``, ``sent`` or ``all``, the newest first."""
    query = sa.select(delivery).where(*_STATES[state]).order_by(delivery.c.made_at.desc(), delivery.c.key)
    if channel is not None:
        query = query.where(delivery.c.channel == channel)
    if priorities:
        query = query.where(delivery.c.priority.in_(priorities))
    return [dict(row) for row in connection.execute(query.limit(limit).offset(offset)).mappings()]


def counts(connection: sa.Connection, dead_since_ms: int = 0) -> dict[str, dict[str, int]]:
    """Return how many messages wait and how many were given up since an instant, by channel."""
    found: dict[str, dict[str, int]] = {}
    for state in ("waiting", "dead"):
        counted = sa.select(delivery.c.channel, sa.func.count()).group_by(delivery.c.channel)
        query = counted.where(*_STATES[state], sa.func.coalesce(delivery.c.dead_at, dead_since_ms) >= dead_since_ms)
        for channel, count in connection.execute(query):
            found.setdefault(str(channel), {"waiting": 0, "dead": 0})[state] = int(count)
    return found


def _alarms(connection: sa.Connection, found: Sequence[Row]) -> dict[str, Row]:
    names = sorted({each["occurrence"] for each in found})
    alarms: dict[str, Row] = {}
    for start in range(0, len(names), 500):
        query = sa.select(occurrence).where(occurrence.c.id.in_(names[start : start + 500]))
        alarms.update((row["id"], dict(row)) for row in connection.execute(query).mappings())
    return alarms


def _cases(connection: sa.Connection, names: Sequence[str]) -> dict[str, Row]:
    if not names:
        return {}
    query = sa.select(cases).where(cases.c.id.in_(sorted(set(names))))
    return {row["id"]: dict(row) for row in connection.execute(query).mappings()}


def _concerns(channel: Channel, each: Row) -> bool:
    called = rung(each["priority"], each["step"])
    return called is not None and called.role in channel.roles


class _Desk:
    """Writes the messages of one round."""

    def __init__(self, site: Site, alarms: Mapping[str, Row], late: Mapping[str, Row], now_ms: int) -> None:
        self._site = site
        self._alarms = alarms
        self._cases = late
        self._rules = CaseRules(site) if late else None
        self._now_ms = now_ms
        self._directory = Directory(site)

    def deliveries(self, channel: Channel, found: Sequence[Row]) -> list[Row]:
        """Return the deliveries of one channel."""
        wanted = [each for each in found if each["priority"] in channel.priorities and _concerns(channel, each)]
        rows = []
        alike = sorted(wanted, key=lambda each: (each["priority"], each["step"], each["at"], each["id"]))
        for (priority, step), group in groupby(alike, key=lambda each: (each["priority"], each["step"])):
            several = list(group)
            burst = len(several) > _BURST
            for each in several[:1] if burst else several:
                key = f"{each['id']}{f'+{len(several) - 1}' if burst else ''}:{channel.name}"[:160]
                title, body = self._words(each, step, key)
                if burst:
                    title, body = self._burst(title, key, several)
                rows.append(
                    {
                        "key": key, "announcement": each["id"], "channel": channel.name, "priority": priority,
                        "title": title, "body": body, "made_at": self._now_ms, "due_at": self._now_ms, "attempts": 0,
                        "sent_at": None, "dead_at": None, "trouble": "",
                    }
                )  # fmt: skip
        return rows

    def _words(self, each: Row, step: int, key: str) -> tuple[str, str]:
        alarm = self._alarms.get(each["occurrence"])
        if alarm is not None:
            return wording(alarm, step, key, self._site, self._directory)
        assert self._rules is not None
        return case_wording(self._cases[each["occurrence"]], each["why"], key, self._site, self._rules)

    def _burst(self, title: str, key: str, several: Sequence[Row]) -> tuple[str, str]:
        count = len(several)
        first = [self._words(each, 0, key)[0] for each in several[:_NAMED]]
        rest = [f"… 另有 {count - _NAMED} 条 / and {count - _NAMED} more"] if count > _NAMED else []
        return f"{title} 等 {count} 条 / {count} alarms", "\n".join([*first, *rest, f"编号 {key}"])
