"""Vehicles that are overloaded again and again, whichever bridges they take: three times within seven days.

One process of the site counts what the collectors noted: the bridges of a vehicle may belong to several of them.
"""

from typing import Any

import sqlalchemy as sa

from devices.kind import Label, Level, Limit
from ingest.alarms import occurrences
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.offences import offence
from ingest.alarms.rules import REPEAT_OFFENDER
from ingest.alarms.transitions import Transition

WITHIN_MS = 7 * 86_400_000
REPEATED = Limit(
    "repeat_offender",
    "多次超限车辆",
    "vehicle overloaded again and again",
    (Level(1, 3, "P3"),),
    source=Label("7 天内超限 ≥ 3 次：CityDeck 建议值", "overloaded ≥ 3 times within 7 days: CityDeck proposal"),
    grade="C",
    passage=True,
    unit="passes",
)
_VERSION = "1"
# Long enough to look at a vehicle twice, short enough not to be a record of where people drive.
_KEPT_MS = 30 * 86_400_000
_MOST_AT_ONCE = 2_000


def look(database: AlarmDatabase, now_ms: int) -> int:
    """Count what was not counted yet; each vehicle is told once for the seven days it is found in.

    Returns:
        How many vehicles were told.
    """
    fresh = sa.select(offence).where(sa.not_(offence.c.counted)).order_by(offence.c.at, offence.c.position)
    with database.read() as connection:
        if connection.execute(fresh.limit(1)).first() is None:
            return 0
    with database.write() as connection:
        rows = connection.execute(fresh.limit(_MOST_AT_ONCE)).mappings().all()
        told = [each for row in rows if (each := _counted(connection, row, now_ms)) is not None]
        occurrences.add(connection, told)
        connection.execute(offence.delete().where(offence.c.at < now_ms - _KEPT_MS))
    return len(told)


def _counted(connection: sa.Connection, row: sa.RowMapping, now_ms: int) -> Transition | None:
    """Count one overload in; an earlier one that comes late may complete three with those after it."""
    own = sa.and_(*(offence.c[key] == row[key] for key in ("shard", "position", "ordinal")))
    connection.execute(offence.update().where(own).values(counted=True))
    near = sa.select(offence).where(
        offence.c.vehicle == row["vehicle"],
        offence.c.counted,
        offence.c.at > row["at"] - WITHIN_MS,
        offence.c.at < row["at"] + WITHIN_MS,
    )
    found: list[dict[str, Any]] = [dict(each) for each in connection.execute(near.order_by(offence.c.at)).mappings()]
    if any(each["told"] for each in found):
        return None
    most = max(sum(0 <= last["at"] - each["at"] < WITHIN_MS for each in found) for last in found)
    if most < REPEATED.levels[0].value:
        return None
    connection.execute(offence.update().where(own).values(told=True))
    (level,) = REPEATED.levels
    return Transition(
        "passage", row["position"], row["ordinal"], f"{row['device']}/{REPEATED.key}/{row['vehicle']}/{row['at']}",
        row["device"], "bridge_wim", REPEAT_OFFENDER, _VERSION, level.level, level.priority, row["at"], now_ms,
        REPEATED.key, float(most), REPEATED.unit or "1",
    )  # fmt: skip
