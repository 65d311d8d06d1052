"""Gathering the evidence of one alarm from alarm database, store and journal."""

from collections.abc import Iterable

from devices.site import Site
from ingest.alarms.books import rule_of
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.rules import GroupRule
from ingest.errors import StoreError
from ingest.evidence.curves import OWN, Wanted, members_of, read, wanted
from ingest.evidence.gathered import Curve, Evidence, Gone, Row, RuleVersion
from ingest.evidence.messages import raw_messages
from ingest.evidence.records import records_of
from ingest.evidence.rulings import Rulings, limit_lines
from ingest.evidence.span import Span, span_of
from ingest.notices.deliveries import KEPT_DAYS
from ingest.places import Places
from ingest.store import Store

# Of a street with more devices than this the messages are left out: they are the day of a whole street.
_MOST_DEVICES = 40
_DAY_MS = 86_400_000


def gather(
    site: Site,
    places: Places,
    database: AlarmDatabase,
    store: Store,
    alarm: str,
    around_ms: tuple[int, int],
    now_ms: int,
) -> Evidence:
    """Return the evidence of an alarm, from so long before it to so long after it; what is gone is told in it.

    Raises:
        Refused: not_found.
        AlarmError: the alarm database cannot be read.
    """
    with database.read() as connection:
        rows = records_of(connection, alarm)
        rulings = Rulings(connection, site)
    span = span_of(rows.alarm, *around_ms, now_ms)
    book = rulings.in_force(rows.alarm["raised_at"])
    judge = rule_of(book, rows.alarm["device"], rows.alarm["rule"])
    curves, gone = _readings(store, wanted(site, rows.alarm, judge if isinstance(judge, GroupRule) else None), span)
    if span.cut:
        gone.insert(0, Gone("cut"))
    devices = _devices(site, rows.alarm)
    raw, missing = raw_messages(site, places, devices[:_MOST_DEVICES], span)
    if not rows.announcements and rows.alarm["raised_at"] < now_ms - KEPT_DAYS * _DAY_MS:
        gone.append(Gone("notices", {"days": KEPT_DAYS}))
    if len(devices) > _MOST_DEVICES:
        gone.append(Gone("members", {"count": _MOST_DEVICES, "all": len(devices)}))
    return Evidence(
        now_ms,
        span,
        rows.alarm,
        rows.acts,
        rows.head,
        rows.case,
        rows.case_acts,
        rows.case_pictures,
        rows.announcements,
        rows.deliveries,
        tuple(_versions(rulings, rows.alarm, rows.acts)),
        tuple(curves),
        tuple(limit_lines(book, [(curve.device, curve.field) for curve in curves])),
        raw,
        (*gone, *missing),
    )


def _readings(store: Store, curves: list[Wanted], span: Span) -> tuple[list[Curve], list[Gone]]:
    if not curves:
        return [], [Gone("no_field")]
    try:
        found = list(read(store, curves, span))
    except StoreError as error:
        return [], [Gone("store_away", {"detail": str(error)})]
    own = [curve for curve in found if curve.of == OWN] or found
    if not any(curve.series.points for curve in own):
        return found, [Gone("readings_gone")]
    if any(curve.of == OWN and curve.series.step_s for curve in found):
        return found, [Gone("readings_minutes")]
    return found, []


def _devices(site: Site, alarm: Row) -> list[str]:
    if ":" in alarm["device"]:
        return [device.id for device in members_of(site, alarm["device"], alarm["kind"])]
    return [alarm["device"]]


def _versions(rulings: Rulings, alarm: Row, acts: Iterable[Row]) -> Iterable[RuleVersion]:
    found = [alarm["rule_version"]]
    found += [row["rule_version"] for row in acts if row["occurrence"] == alarm["id"] and row["rule"] == alarm["rule"]]
    for version in dict.fromkeys(found):
        yield rulings.version(alarm["device"], alarm["rule"], version)
