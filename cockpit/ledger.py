"""Ledger and quarantine for people: what the collectors tell live, and what they keep in the alarm database."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import sqlalchemy as sa

from cockpit.times import rfc3339
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.ledger import readings_document, row_document
from ingest.ledger_tables import ledger_device, ledger_minute, quarantine_group, quarantine_retry, quarantine_sample

Document = dict[str, Any]
Only = Literal["differing", "quarantined"]
_MESSAGES = ("decoded", "quarantined", "duplicate", "produced", "late", "skewed")
_STORED = ("stored", "refused")


def added_up(shards: Mapping[str, Mapping[str, Any]], site: Site) -> Document:
    """Return the ledgers of all collectors, added up, with those of each; lags are the worst."""
    total: Document = {
        "messages": dict.fromkeys(("received", "journaled", "decoded", "quarantined", "duplicate"), 0),
        "readings": dict.fromkeys(("produced", "stored", "refused", "waiting"), 0),
        "lag_s": {"store": 0.0, "alarms": 0.0},
        "unknown_keys": {},
        "kinds": {},
    }
    at_ms: int | None = None
    own: Document = {}
    for name, ledger in sorted(shards.items()):
        if not ledger:
            continue
        at_ms = max(at_ms or 0, ledger["at"])
        for part in ("messages", "readings", "unknown_keys"):
            _add(total[part], ledger[part])
        for kind, row in ledger.get("kinds", {}).items():
            into = total["kinds"].setdefault(kind, {"messages": {}, "readings": {}, "late": 0, "skewed": 0})
            for part in ("messages", "readings"):
                _add(into[part], row[part])
            into["late"] += row["late"]
            into["skewed"] += row["skewed"]
        for key, lag in ledger["lag_s"].items():
            total["lag_s"][key] = max(total["lag_s"][key], lag)
        own[name] = {part: ledger[part] for part in ("messages", "readings", "lag_s")}
        own[name]["at"] = rfc3339(ledger["at"], site.timezone)
    return {"at": rfc3339(at_ms, site.timezone), **total, "shards": own}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for key, count in more.items():
        total[key] = total.get(key, 0) + count


class LedgerBoard:
    """Reads what the collectors keep in the alarm database; every call blocks."""

    def __init__(self, database: AlarmDatabase, site: Site) -> None:
        self._database = database
        self._site = site

    def devices(self, where: Mapping[str, str], only: Only | None, limit: int, offset: int) -> list[Document]:
        """Return rows per device: all, those whose readings do not add up, or those with quarantined messages.

        ``where`` has values of ``kind``, ``device`` and ``shard`` that a row must have.
        """
        table = ledger_device
        query = sa.select(table).order_by(table.c.kind, table.c.device, table.c.shard)
        for column, value in where.items():
            query = query.where(table.c[column] == value)
        if only == "differing":
            query = query.where(table.c.produced != table.c.stored + table.c.refused)
        elif only == "quarantined":
            query = query.where(table.c.quarantined > 0)
        return [
            {
                "shard": row["shard"],
                "kind": row["kind"],
                "device": row["device"],
                **row_document([row[key] for key in _MESSAGES], [row[key] for key in _STORED]),
                "at": self._time(row["updated_at"]),
            }
            for row in self._rows(query.limit(limit).offset(offset))
        ]

    def history(self, start_ms: int, stop_ms: int, limit: int, offset: int, shard: str | None = None) -> list[Document]:
        """Return the ledgers at the minutes of a span, oldest first."""
        table = ledger_minute
        within = sa.and_(table.c.at >= start_ms, table.c.at < stop_ms)
        if shard is not None:
            within = sa.and_(within, table.c.shard == shard)
        query = sa.select(table).where(within).order_by(table.c.at, table.c.shard).limit(limit).offset(offset)
        return [self._minute(row) for row in self._rows(query)]

    def groups(self, whole: bool) -> list[Document]:
        """Return what is in quarantine, grouped, the largest first; sentences quote messages, so not for all."""
        table = quarantine_group
        query = sa.select(table).order_by(table.c.count.desc(), table.c.reason, table.c.device, table.c.shard)
        return [
            {
                "shard": row["shard"],
                "reason": row["reason"],
                "device": row["device"],
                "count": row["count"],
                "first_at": self._time(row["first_at"]),
                "last_at": self._time(row["last_at"]),
                "sentence": row["sentence"] if whole else None,
            }
            for row in self._rows(query)
        ]

    def samples(self, reason: str, device: str) -> list[Document]:
        """Return a few messages of a group with the beginning of their bytes, escaped."""
        table = quarantine_sample
        query = sa.select(table).where(table.c.reason == reason, table.c.device == device)
        rows = self._rows(query.order_by(table.c.shard, table.c.position))
        return [{**row, "at": self._time(row["at"])} for row in rows]

    def has_group(self, reason: str, device: str) -> bool:
        """Tell whether a group exists."""
        table = quarantine_group
        query = sa.select(table.c.shard).where(table.c.reason == reason, table.c.device == device).limit(1)
        return bool(self._rows(query))

    def retries(self, limit: int, offset: int) -> list[Document]:
        """Return requests to try groups again, the newest first."""
        table = quarantine_retry
        query = sa.select(table).order_by(table.c.asked_at.desc(), table.c.id).limit(limit).offset(offset)
        return [self.retry({**row, "why": json.loads(row["why"])}) for row in self._rows(query)]

    def retry(self, row: Mapping[str, Any]) -> Document:
        """Return one such request."""
        plain = ("id", "shard", "reason", "device", "asked_by", "role", "state", "total", "landed", "sentence")
        return {
            **{key: row[key] for key in plain},
            **{key: self._time(row[key]) for key in ("asked_at", "taken_at", "finished_at")},
            "remaining": row["why"],
        }

    def _minute(self, row: Mapping[str, Any]) -> Document:
        kinds = {kind: row_document(numbers[:6], numbers[6:]) for kind, numbers in json.loads(row["kinds"]).items()}
        names = ("received", "journaled", "decoded", "quarantined", "duplicate")
        return {
            "at": self._time(row["at"]),
            "shard": row["shard"],
            "messages": {name: row[name] for name in names},
            "readings": readings_document(row["produced"], row["stored"], row["refused"]),
            "lag_s": {"store": row["store_lag_s"], "alarms": row["alarms_lag_s"]},
            "kinds": kinds,
        }

    def _rows(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _time(self, at_ms: int | None) -> str | None:
        return rfc3339(at_ms, self._site.timezone)
