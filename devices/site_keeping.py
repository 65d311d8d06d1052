"""How long a site keeps what: ``[store]``, ``[journal]`` and ``[alarms]`` of a site file.

A time is days or years of 365 days, such as ``"90d"`` or ``"2y"``.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from devices.catalog import Catalog
from devices.decode import STATUS
from devices.errors import Fault, shown
from devices.site import Keep, StoreSettings

FOREVER = "forever"
# 等级保护: audit and alarm records are kept for at least six months.
_RECORDS_DAYS = 180
_YEAR_DAYS = 365
_KEEP = frozenset({"raw", "minute"})


def read_store(table: Mapping[str, Any], catalog: Catalog, faults: list[Fault]) -> StoreSettings:
    """Return where readings go and how long they stay; everything wrong is added to ``faults``."""
    url = table.get("url", "embedded")
    if not isinstance(url, str) or not url:
        faults.append(Fault("store.url", f"expected a text, found {shown(url)}"))
        url = "embedded"
    if url != "embedded":
        _check_address(url, faults)
    raw_days = _days(table.get("retention", "90d"), "store.retention", faults)
    given = table.get("retention_1m")
    minute_days = max(2 * _YEAR_DAYS, raw_days) if given is None else _days(given, "store.retention_1m", faults)
    if 0 < minute_days < raw_days:
        faults.append(Fault("store.retention_1m", f"{shown(given)} is shorter than store.retention"))
    keep: dict[str, Keep] = {}
    tables = table.get("keep", {})
    if not isinstance(tables, dict):
        faults.append(Fault("store.keep", f"expected tables [store.keep.MEASUREMENT], found {shown(tables)}"))
        tables = {}
    for measurement, own in tables.items():
        keep[measurement] = _own_keep(measurement, own, Keep(raw_days, minute_days), catalog, faults)
    return StoreSettings(url, raw_days, minute_days, keep)


def read_journal_days(table: Mapping[str, Any], faults: list[Fault]) -> int:
    """Return how long journal files stay as the recording."""
    return _days(table.get("keep", "7d"), "journal.keep", faults)


def check_alarm_keep(found: object, faults: list[Fault]) -> None:
    """Refuse a time for alarms and audit: this version never deletes them, and a file must not say otherwise."""
    if found == FOREVER:
        return
    own: list[Fault] = []
    days = _days(found, "alarms.keep", own)
    if own:
        faults.extend(own)
    elif days < _RECORDS_DAYS:
        sentence = (
            f"{shown(found)} is too short: 等级保护 asks for audit and alarm records of at least {_RECORDS_DAYS}d"
        )
        faults.append(Fault("alarms.keep", sentence))
    else:
        sentence = f'alarms and audit are never deleted, so {shown(found)} would not come true; expected "{FOREVER}"'
        faults.append(Fault("alarms.keep", sentence))


def split_address(url: str) -> SplitResult:
    """Split an address; one that has a broken host or port comes back empty, so that every later check refuses it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def _check_address(url: str, faults: list[Fault]) -> None:
    parts = split_address(url)
    query = parse_qs(parts.query)
    if parts.scheme not in ("http", "https") or not parts.hostname or "bucket" not in query:
        expected = "expected embedded or http://host:8086?org=…&bucket=…"
        faults.append(Fault("store.url", f"{expected}, found {shown(url)}"))
    if "token" in query or parts.password is not None:
        faults.append(Fault("store.url", "the token belongs into CITYDECK_INFLUX_TOKEN"))


def _own_keep(measurement: str, own: object, usual: Keep, catalog: Catalog, faults: list[Fault]) -> Keep:
    path = f"store.keep.{measurement}"
    known = {*catalog.measurements, STATUS}
    if measurement not in known:
        close = get_close_matches(measurement, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(sorted(known))}"
        faults.append(Fault(path, f"is not a measurement{hint}"))
    if not isinstance(own, dict):
        faults.append(Fault(path, f'expected raw = "…" and minute = "…", found {shown(own)}'))
        return usual
    for key in own:
        if key not in _KEEP:
            faults.append(Fault(f"{path}.{key}", "is not a setting; known are minute, raw"))
    raw = _days(own["raw"], f"{path}.raw", faults) if "raw" in own else None
    minute = _days(own["minute"], f"{path}.minute", faults) if "minute" in own else None
    if minute and minute < (usual.raw_days if raw is None else raw):
        faults.append(Fault(f"{path}.minute", f"{shown(own['minute'])} is shorter than the raw readings are kept"))
    found = catalog.measurements.get(measurement)
    if measurement == STATUS or (found is not None and not found[1].sampled):
        # A record has no minutes: what the table says of it counts, and of two times the longer.
        days = minute or raw or usual.minute_days
        return Keep(days, days)
    raw_days = usual.raw_days if raw is None else raw
    return Keep(raw_days, max(usual.minute_days, raw_days) if minute is None else minute)


def _days(found: object, path: str, faults: list[Fault]) -> int:
    match = re.fullmatch("([0-9]{1,5})([dy])", found) if isinstance(found, str) else None
    days = int(match[1]) * (_YEAR_DAYS if match[2] == "y" else 1) if match else 0
    # A century is enough, and nanoseconds of more than two do not fit into a database.
    if not 1 <= days <= 100 * _YEAR_DAYS:
        faults.append(Fault(path, f'expected a time such as "90d" or "2y", up to "100y", found {shown(found)}'))
        return 0
    return days
