"""The columns of every table that can be exported."""

from collections.abc import Iterator
from typing import Any

from cockpit.exports import Cell, Column, Document
from cockpit.texts import Texts


def alarm_columns(say: Texts, streets: dict[str, str]) -> list[Column]:
    """Return the columns of alarms."""
    return [
        _own("export.alarm", "id"),
        _own("export.raised_at", "raised_at"),
        _own("export.priority", "priority"),
        Column("export.state", lambda row: say(f"state.{row['state']}")),
        Column("export.what", lambda row: _named(row["rule_name"], say)),
        _own("export.rule", "rule"),
        _own("export.kind", "kind"),
        _own("export.device", "device"),
        Column("export.device_name", lambda row: _named(row["device_name"], say)),
        Column("export.street", lambda row: streets.get(row["street"] or "", "")),
        _own("export.value", "value"),
        Column("export.unit", lambda row: "" if row["unit"] == "1" else row["unit"]),
        _own("export.activations", "activations"),
        _own("export.acked_at", "acked_at"),
        _own("export.acked_by", "acked_by"),
        _own("export.raise_to_ack_s", "raise_to_ack_s"),
        _own("export.closed_at", "closed_at"),
        _own("export.decision", "decision"),
        _own("export.verdict", "verdict"),
        _own("export.case", "case"),
        _own("export.suppression", "suppression"),
    ]


def case_columns(say: Texts, streets: dict[str, str]) -> list[Column]:
    """Return the columns of cases."""
    return [
        _own("export.case", "id"),
        Column("export.state", lambda row: say(f"cases.state_{row['state']}")),
        Column("export.sub_class", lambda row: _named(row["name"], say)),
        _own("export.code", "code"),
        Column("export.street", lambda row: streets.get(row["street"] or "", row["street"])),
        _own("export.grid", "grid"),
        _own("export.place", "place"),
        _own("export.description", "description"),
        _own("export.device", "device"),
        Column("export.unit_name", lambda row: _named((row["unit"] or {}).get("name"), say)),
        _own("export.source", "source"),
        *(
            _own(f"export.{key}", key)
            for key in ("reported_at", "registered_at", "dispatched_at", "done_at", "verified_at", "closed_at")
        ),
        _own("export.deadline_at", "deadline_at"),
        Column("export.overdue", lambda row: bool(row["overdue"])),
        _own("export.reworks", "reworks"),
        _own("export.recurrence_of", "recurrence_of"),
    ]


def ledger_columns() -> list[Column]:
    """Return the columns of the ledger of each device."""
    messages = ("decoded", "quarantined", "duplicate", "late", "skewed")
    readings = ("produced", "stored", "refused", "waiting")
    return [
        _own("export.shard", "shard"),
        _own("export.kind", "kind"),
        _own("export.device", "device"),
        *(_part("messages", key) for key in messages[:3]),
        *(_own(f"export.{key}", key) for key in messages[3:]),
        *(_part("readings", key) for key in readings),
        _own("export.at", "at"),
    ]


def kpi_columns() -> list[Column]:
    """Return the columns of indicators: one figure a row."""
    keys = ("kind", "from", "to", "scope", "key", "figure", "value", "numerator", "denominator")
    return [_own(f"export.{key}", key) for key in keys]


def kpi_rows(figures: Document) -> Iterator[dict[str, Any]]:
    """Yield every figure of a kind as a row of its own, with what it is about."""
    head = {key: figures[key] for key in ("kind", "from", "to")}
    scopes = {"days": "day", "streets": "street", "bridges": "device", "trucks": "device", "lamps": "device"}
    scopes |= {"routes": "route", "plates": "plate", "priorities": "priority"}
    for figure in _figures(figures["total"]):
        yield {**head, "scope": "total", "key": "", **figure}
    for part, scope in scopes.items():
        for row in figures.get(part, ()):
            for figure in _figures(row):
                yield {**head, "scope": scope, "key": row[scope], **figure}


def _figures(row: Document) -> Iterator[dict[str, Any]]:
    for key, value in row.items():
        if isinstance(value, dict) and "denominator" in value:
            yield {"figure": key, **value}
        elif isinstance(value, (int, float)) or (value is None and key not in ("listed", "rank")):
            yield {"figure": key, "value": value, "numerator": None, "denominator": None}


def _own(title: str, key: str) -> Column:
    return Column(title, lambda row: row[key])


def _part(part: str, key: str) -> Column:
    def cell(row: Document) -> Cell:
        found: Cell = row[part][key]
        return found

    return Column(f"export.{key}", cell)


def _named(label: Document | None, say: Texts) -> str:
    return str((label or {}).get(say.language, ""))
