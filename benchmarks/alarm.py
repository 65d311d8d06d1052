"""How long an alarm takes: from publishing to the alarm database, and to the sockets of wall pages."""

import sqlite3
import time
from collections.abc import Mapping
from typing import Final

from benchmarks.alarming import Cockpit, NotOpenError, publish_alarms, waits
from benchmarks.contestants import CityDeck, Contestant
from benchmarks.report import Column, Report
from benchmarks.rig import Publisher, Rig
from benchmarks.settings import Settings

COLUMNS: Final = (
    Column("p50_ms", "p50, ms", 1),
    Column("p99_ms", "p99, ms", 1),
    Column("worst_ms", "worst, ms", 1),
    Column("alarms", "alarms"),
    Column("missing", "missing"),
    Column("background", "background stored, msg/s"),
)
_WALLS: Final = (4, 50, 200)
_RUN_S = 20.0
_COMMIT_RATE, _WALL_RATE = 10_000, 5_000
_PER_S = 10
_WARM_S = 4.0


def run(settings: Settings) -> Report:
    """Measure the way into the database, then to more and more walls."""
    commit_rate, wall_rate = (500, 500) if settings.quick else (_COMMIT_RATE, _WALL_RATE)
    walls = _WALLS[:1] if settings.quick else _WALLS
    report = Report(
        "alarm",
        "From publishing an alarm to where people see it",
        f"{_PER_S} alarms a second for {settings.length_s(_RUN_S):g} s among quiet messages of {settings.devices:,} "
        "topics",
        COLUMNS,
    )
    for number in range(settings.runs):
        settings.say(f"alarm, run {number + 1} of {settings.runs}: committed, {commit_rate:,} msg/s")
        report.row(f"committed, {commit_rate:,} msg/s").add(_committed(settings, commit_rate))
        for count in walls:
            settings.say(f"alarm, run {number + 1} of {settings.runs}: {count} walls, {wall_rate:,} msg/s")
            row = report.row(f"on {count} walls, {wall_rate:,} msg/s")
            try:
                row.add(_on_walls(settings, wall_rate, count))
            except NotOpenError as error:
                # More of them will not open either.
                row.absent = str(error)
                break
    report.notes.append("Of several walls every arrival counts, so p99 is that of the sockets served last, too.")
    return report


def _committed(settings: Settings, rate: int) -> dict[str, float]:
    with _rig(settings) as rig:
        contestant, publisher = _background(rig, settings, rate)
        commits = _Commits(rig)
        try:
            before, before_s = rig.written(), time.perf_counter()
            published = publish_alarms(rig, settings.length_s(_RUN_S), _PER_S, commits.look)
            stored_per_s = (rig.written() - before) / (time.perf_counter() - before_s)
        finally:
            commits.close()
        return _figures(published, [*commits.seen.items()], len(published), stored_per_s, contestant, publisher)


def _on_walls(settings: Settings, rate: int, count: int) -> dict[str, float]:
    with _rig(settings) as rig:
        contestant, publisher = _background(rig, settings, rate)
        walls = Cockpit(rig).walls(count)
        before, before_s = rig.written(), time.perf_counter()
        published = publish_alarms(rig, settings.length_s(_RUN_S), _PER_S)
        stored_per_s = (rig.written() - before) / (time.perf_counter() - before_s)
        seen = walls.close()
        return _figures(published, seen, len(published) * count, stored_per_s, contestant, publisher)


def _rig(settings: Settings) -> Rig:
    return Rig(settings.devices, round(settings.length_s(_RUN_S) * _PER_S * 2))


def _background(rig: Rig, settings: Settings, rate: int) -> tuple[Contestant, Publisher]:
    contestant = CityDeck(rig, settings)
    contestant.ready()
    publisher = rig.publisher(rate)
    publisher.allow(10**12)
    until_s = time.perf_counter() + (1.0 if settings.quick else _WARM_S)
    while time.perf_counter() < until_s:
        publisher.check()
        time.sleep(0.1)
    return contestant, publisher


class _Commits:
    """Looks into the alarm database the way a reader does: what it sees is committed."""

    def __init__(self, rig: Rig) -> None:
        self._database = sqlite3.connect(f"file:{rig.folder / 'var' / 'alarms.db'}?mode=ro", uri=True)
        self._version = 0
        self._last = 0
        self.seen: dict[str, int] = {}

    def look(self) -> None:
        (version,) = self._database.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return
        self._version = version
        rows = self._database.execute(
            "SELECT rowid, device FROM occurrence WHERE rowid > ? ORDER BY rowid", [self._last]
        )
        found, at_ns = rows.fetchall(), time.monotonic_ns()
        for row, device in found:
            self._last = row
            self.seen[device] = at_ns

    def close(self) -> None:
        self._database.close()


def _figures(
    published: Mapping[str, int],
    seen: list[tuple[str, int]],
    wanted: int,
    stored_per_s: float,
    contestant: Contestant,
    publisher: Publisher,
) -> dict[str, float]:
    publisher.stop()
    if not contestant.running:
        raise RuntimeError(f"the collector ended:\n{contestant.log[-2000:]}")
    found = waits(published, seen)
    if not found:
        raise RuntimeError(f"none of {len(published)} alarms was seen:\n{contestant.log[-2000:]}")
    missing = wanted - found.pop("seen")
    return {**found, "alarms": len(published), "missing": missing, "background": stored_per_s}
