"""The load on an operating position (ALARMS §6, after ISA-18.2): what was announced, how fast it was answered.

Figures of an empty set are None, never 0 or 100 %. Hidden activations (shelved, by design, out of service) load nobody
and are counted beside.
"""

import bisect
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ingest.alarms.own_kind import WATCHDOG
from ingest.alarms.suppressions import HIDDEN
from ingest.alarms.tables import audit, occurrence, suppression

Row = dict[str, Any]

_TEN_MINUTES_MS = 600_000
_HOUR_MS = 3_600_000
_FLOOD_STARTS, _FLOOD_ENDS = 10, 5
_CHATTER, _CHATTER_MS = 3, 60_000
_BUSIEST = 10
_SOON_MS = 30 * 60_000


@dataclass(frozen=True, slots=True)
class Latency:
    """How long something took, over so many alarms."""

    count: int
    median_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class Load:
    """The figures of a window [from, to), epoch ms; shares are 0…1."""

    from_ms: int
    to_ms: int
    activations: int
    hidden: int
    per_10_min: float | None
    per_10_min_most: int | None
    per_hour: float | None
    flood_share: float | None
    floods: int
    busiest: list[tuple[str, int]]
    busiest_share: float | None
    active_over_24_h: int
    priorities: dict[str, float] | None
    chattering: list[str]
    raise_to_ack: Latency
    raise_to_case: Latency
    nuisance_rate: float | None
    shelved_now: int
    shelves_ending_soon: int
    shelves_renewed: int


@dataclass(frozen=True, slots=True)
class Burden:
    """What so many announced activations in a span mean for one position."""

    per_10_min: float | None
    per_10_min_most: int | None
    per_hour: float | None
    flood_share: float | None
    floods: int
    busiest: list[tuple[str, int]]
    busiest_share: float | None
    chattering: list[str]


def burden(announced: Sequence[tuple[int, str]], from_ms: int, to_ms: int) -> Burden:
    """Reckon what activations, (instant, point) in order of time, mean in [from, to)."""
    minutes = (to_ms - from_ms) / 60_000
    tens = _windows([at for at, _ in announced], from_ms, to_ms)
    busiest = Counter(point for _, point in announced).most_common(_BUSIEST)
    return Burden(
        per_10_min=_ratio(len(announced) * 10, minutes),
        per_10_min_most=max(tens, default=None),
        per_hour=_ratio(len(announced) * 60, minutes),
        flood_share=_ratio(sum(count > _FLOOD_STARTS for count in tens), len(tens)),
        floods=_floods(tens),
        busiest=busiest,
        busiest_share=_ratio(sum(count for _, count in busiest), len(announced)),
        chattering=_chattering(announced),
    )


def activations(from_ms: int, to_ms: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what tells the audit's rows of [from, to) by which an alarm was announced, hidden ones too."""
    born = sa.and_(audit.c.version_before.is_(None), audit.c.occurrence.is_not(None))
    again = sa.and_(audit.c.action == "raise", audit.c.state_before != audit.c.state_after)
    return (
        audit.c.at >= from_ms,
        audit.c.at < to_ms,
        audit.c.actor == "system",
        audit.c.rule != WATCHDOG,
        sa.or_(born, again),
    )


def load(connection: sa.Connection, from_ms: int, to_ms: int, now_ms: int, known: Sequence[Row] | None = None) -> Load:
    """Reckon the figures of a window from audit and occurrences; what stands is of ``now_ms``.

    ``known`` are the occurrences of the window as they stood at ``now_ms``, where that is an instant of the past.
    """
    until_ms = to_ms if known is None else min(to_ms, now_ms + 1)
    query = sa.select(audit.c.at, audit.c.point, audit.c.reason).where(*activations(from_ms, until_ms))
    found = [(int(row.at), str(row.point), row.reason in HIDDEN) for row in connection.execute(query)]
    announced = sorted((at, point) for at, point, hidden in found if not hidden)
    weight = burden(announced, from_ms, min(to_ms, now_ms))
    rows = noticed(connection, from_ms, to_ms) if known is None else known
    acked = [row for row in rows if row["acked_at"] is not None]
    shelves = _shelves(connection)
    return Load(
        from_ms,
        to_ms,
        activations=len(announced),
        hidden=len(found) - len(announced),
        per_10_min=weight.per_10_min,
        per_10_min_most=weight.per_10_min_most,
        per_hour=weight.per_hour,
        flood_share=weight.flood_share,
        floods=weight.floods,
        busiest=weight.busiest,
        busiest_share=weight.busiest_share,
        active_over_24_h=_count(
            connection, occurrence.c.active.is_(True), occurrence.c.raised_at < now_ms - 24 * _HOUR_MS
        ),
        priorities=_mix(row["priority"] for row in rows if row["priority"] != "health"),
        chattering=weight.chattering,
        raise_to_ack=latency([row["acked_at"] - row["noticed_at"] for row in acked]),
        raise_to_case=latency([row["decided_at"] - row["noticed_at"] for row in rows if _cased(row)]),
        nuisance_rate=_ratio(sum(row["verdict"] == "false_alarm" for row in acked), len(acked)),
        shelved_now=len(shelves),
        shelves_ending_soon=sum(until <= now_ms + _SOON_MS for until, _ in shelves),
        shelves_renewed=sum(renewals > 0 for _, renewals in shelves),
    )


def noticed(connection: sa.Connection, from_ms: int, to_ms: int) -> list[Row]:
    """Return what the load needs of the occurrences that were noticed in a window."""
    columns = [
        occurrence.c[name]
        for name in ("priority", "noticed_at", "acked_at", "decided_at", "decision", "case", "verdict")
    ]
    query = sa.select(*columns).where(*within(from_ms, to_ms), occurrence.c.rule != WATCHDOG)
    return [dict(row) for row in connection.execute(query).mappings()]


def within(from_ms: int, to_ms: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what tells the occurrences that were noticed in a window."""
    return occurrence.c.noticed_at >= from_ms, occurrence.c.noticed_at < to_ms


def _cased(row: Row) -> bool:
    return row["case"] is not None and row["decided_at"] is not None


def _shelves(connection: sa.Connection) -> list[tuple[int, int]]:
    query = sa.select(suppression.c.until, suppression.c.renewals).where(
        suppression.c.kind == "shelved", suppression.c.ended_at.is_(None), suppression.c.until.is_not(None)
    )
    return [(int(row.until), int(row.renewals)) for row in connection.execute(query)]


def _count(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(occurrence).where(occurrence.c.closed_at.is_(None), *conditions)
    return int(connection.execute(query).scalar_one())


def _windows(instants: Sequence[int], from_ms: int, to_ms: int) -> list[int]:
    # Whole windows only: a piece at the end would look calm.
    edges = range(from_ms, to_ms - _TEN_MINUTES_MS + 1, _TEN_MINUTES_MS)
    return [bisect.bisect_left(instants, edge + _TEN_MINUTES_MS) - bisect.bisect_left(instants, edge) for edge in edges]


def _floods(tens: Iterable[int]) -> int:
    count, flooded = 0, False
    for activations in tens:
        if not flooded and activations > _FLOOD_STARTS:
            count, flooded = count + 1, True
        elif flooded and activations < _FLOOD_ENDS:
            flooded = False
    return count


def _chattering(announced: Iterable[tuple[int, str]]) -> list[str]:
    instants: dict[str, list[int]] = {}
    for at, point in announced:
        instants.setdefault(point, []).append(at)
    return sorted(
        point
        for point, times in instants.items()
        if any(last - first <= _CHATTER_MS for first, last in zip(times, times[_CHATTER - 1 :], strict=False))
    )


def _mix(priorities: Iterable[str]) -> dict[str, float] | None:
    counts = Counter(priorities)
    total = sum(counts.values())
    return {priority: counts[priority] / total for priority in ("P1", "P2", "P3", "P4")} if total else None


def latency(took_ms: Sequence[int]) -> Latency:
    """Return the middle and the 95th percentile of how long something took."""
    if not took_ms:
        return Latency(0, None, None)
    ordered = sorted(took_ms)
    # The nearest rank: a figure that was really measured.
    p95 = ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
    return Latency(len(ordered), statistics.median(ordered) / 1000, p95 / 1000)


def _ratio(count: float, of: float) -> float | None:
    return count / of if of > 0 else None
