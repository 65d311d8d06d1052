"""Reckoning the report from the alarm database of the city that was played, before that city is cleared away."""

from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.outbox import announcement
from ingest.alarms.own_kind import WATCHDOG
from ingest.alarms.tables import audit, occurrence
from ingest.cases.tables import cases
from ingest.drills.records import About, Row
from ingest.drills.report import Report
from ingest.drills.scoring import report
from ingest.places import Places

_DAY_HOURS = range(6, 18)


def reckon(site: Site, folder: Path, about: About, at_ms: int, cut_off: bool = False) -> Report | None:
    """Return the report on an exercise whose city lies in a folder, None where it never came to be.

    Args:
        site: for its time zone.
        folder: of the city that was played.
        about: the scenario.
        at_ms: how far the city's clock had come, 0 where nobody knows any more.
        cut_off: it was neither over nor ended by anybody.

    Raises:
        AlarmError: its alarm database cannot be read.
    """
    path = Places(folder).alarms
    if not path.is_file():
        return None
    database = AlarmDatabase(f"sqlite:///{path}")
    try:
        with database.read() as connection:
            alarms = _rows(connection, sa.select(occurrence).where(occurrence.c.rule != WATCHDOG))
            acts = _rows(connection, sa.select(audit).order_by(audit.c.seq))
            announced = _rows(connection, sa.select(announcement).order_by(announcement.c.at))
            opened = _rows(connection, sa.select(cases).order_by(cases.c.reported_at, cases.c.id))
    finally:
        database.close()
    begun = datetime.fromtimestamp(about.played_from / 1000, site.timezone)
    light = "day" if begun.hour in _DAY_HOURS else "night"
    last_ms = max([at_ms, about.played_from, *(row["at"] for row in acts)])
    return report(about.expects, light, alarms, acts, announced, opened, about.played_from, last_ms, cut_off)


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]
