"""The evidence as files that programs read: CSV and JSON, the same bytes for the same evidence."""

import csv
import io
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from ingest.evidence.gathered import Curve, Evidence, LimitLine
from ingest.records import Record

READINGS, LIMITS, MESSAGES, AUDIT = "readings.csv", "limits.csv", "messages.jsonl", "audit.jsonl"
ALARM, RULES, CASE, NOTICES, GONE = "alarm.json", "rules.json", "case.json", "notices.json", "missing.json"
_QUALITIES = ("good", "uncertain", "bad")
# A program for tables takes a text that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BOM = "\ufeff"
_INSTANTS = ("_at", "_since", "_until")


def data_files(evidence: Evidence, zone: ZoneInfo) -> dict[str, bytes]:
    """Return the files by name; one of which there is nothing is left out, but for what every alarm has."""
    found = {
        ALARM: _json(_timed(evidence.alarm, zone)),
        AUDIT: audit_lines(evidence.chain),
        RULES: _json([_timed(asdict(rule), zone) for rule in evidence.rules]),
        READINGS: _readings(evidence.curves, zone) if evidence.curves else b"",
        LIMITS: _limits(evidence.limits) if evidence.limits else b"",
        MESSAGES: b"".join(_message(shard, record, zone) for shard, record in evidence.raw.records),
        GONE: _json([asdict(each) for each in evidence.gone]) if evidence.gone else b"",
    }
    if evidence.case is not None:
        pictures = [_timed(each, zone) for each in evidence.case_pictures]
        acts = [row["seq"] for row in evidence.case_acts]
        found[CASE] = _json({"case": _timed(evidence.case, zone), "evidence": pictures, "acts": acts})
    if evidence.announcements:
        found[NOTICES] = _json(
            {
                "announcements": [_timed(each, zone) for each in evidence.announcements],
                "deliveries": [_timed(each, zone) for each in evidence.deliveries],
            }
        )
    return {name: data for name, data in found.items() if data}


def audit_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows of the audit, one a line, exactly as they are hashed and with their hashes."""
    return b"".join(msgspec.json.encode(dict(row)) + b"\n" for row in rows)


def instant(at_ms: int, zone: ZoneInfo) -> str:
    """Return an instant as people and programs read it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).isoformat(timespec="milliseconds")


def _timed(row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Return a row with its instants in words."""
    return {
        key: instant(value, zone) if isinstance(value, int) and f"_{key}".endswith(_INSTANTS) else value
        for key, value in row.items()
    }


def _json(document: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _readings(curves: Sequence[Curve], zone: ZoneInfo) -> bytes:
    head = ("at", "device", "field", "value", "unit", "quality", "step_s", "of", "away_m")
    rows = [
        (
            instant(at_ms, zone), curve.device, curve.field, _plain(value), curve.unit, _QUALITIES[min(quality, 2)],
            f"{curve.series.step_s:g}", curve.of, "" if curve.away_m is None else f"{curve.away_m:.0f}",
        )
        for curve in curves
        for at_ms, value, quality in curve.series.points
    ]  # fmt: skip
    return _csv(head, rows)


def _limits(lines: Sequence[LimitLine]) -> bytes:
    head = ("device", "field", "rule", "version", "level", "priority", "sense", "value", "unit", "deadband")
    rows = [
        (
            line.device, line.field, line.rule, line.version, line.level, line.priority, line.sense,
            _plain(line.value), line.unit, _plain(line.deadband),
        )
        for line in lines
    ]  # fmt: skip
    return _csv(head, rows)


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return (_BOM + text.getvalue()).encode()


def _plain(value: float | str | None) -> object:
    return "" if value is None else value


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA) else cell


def _message(shard: str, record: Record, zone: ZoneInfo) -> bytes:
    """Return a message as a line; bytes that are no UTF-8 are in base64."""
    try:
        payload = {"payload": record.payload.decode()}
    except UnicodeDecodeError:
        payload = {"payload_base64": b64encode(record.payload).decode()}
    line = {
        "shard": shard,
        "position": record.position,
        "received_at": instant(record.received_ms, zone),
        "received_ms": record.received_ms,
        "topic": record.topic,
        **payload,
    }
    return msgspec.json.encode(line) + b"\n"
