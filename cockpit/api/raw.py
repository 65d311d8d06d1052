"""What a device sent, as it came: journals hold plates and household ids, so only engineers and auditors read it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cockpit.api.parts import Document, Parts, parts_of, require_user
from cockpit.api.refusals import problems
from cockpit.problems import Problem
from cockpit.times import parse_instant, rfc3339
from ingest.evidence.messages import raw_messages
from ingest.evidence.span import Span
from ingest.records import Record

router = APIRouter(prefix="/api/v1/devices", tags=["city"])
RAW_ROLES = frozenset({"engineer", "auditor"})
# How far back the newest messages are looked for, in steps: most devices speak within minutes.
_BACK_MS = (600_000, 3_600_000, 24 * 3_600_000)
_AROUND_MS = 60_000
_SHOWN_BYTES = 8_192


@router.get("/{device}/raw", responses=problems(401, 403, 404, 422, 503))
async def raw(
    parts: Annotated[Parts, Depends(parts_of)],
    device: str,
    at: Annotated[str | None, Query(description="what was received within a minute of this instant")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 5,
) -> Document:
    """The newest messages of a device within a day, newest first; or those around an instant (engineer, auditor).

    A payload is text, cut after 8 KiB; ``bytes`` is its length. ``gone`` says what the journal does not hold any more.
    """
    if not RAW_ROLES & set(require_user().roles):
        raise Problem(
            403, "Raw messages hold plates and household ids; they take the role engineer or auditor.", code="raw_role"
        )
    if device not in parts.live.city.devices:
        raise Problem(404, f"There is no device {device!r}.", code="unknown_device", values={"device": device})
    now_ms = parts.live.now_ms()
    around_ms = parse_instant(at, "at") if at else None

    def read() -> tuple[list[tuple[str, Record]], list[str]]:
        spans = (
            [Span(now_ms - back_ms, now_ms + 1) for back_ms in _BACK_MS]
            if around_ms is None
            else [Span(around_ms - _AROUND_MS, around_ms + _AROUND_MS)]
        )
        for span in spans:
            found, gone = raw_messages(parts.site, parts.places, [device], span)
            if found.records:
                break
        return list(found.records), [each.word for each in gone]

    records, gone = await asyncio.to_thread(read)
    newest = sorted(records, key=lambda each: (each[1].received_ms, each[1].position), reverse=True)[:limit]
    return {"items": [_document(parts, shard, record) for shard, record in newest], "next": None, "gone": gone}


def _document(parts: Parts, shard: str, record: Record) -> Document:
    return {
        "received_at": rfc3339(record.received_ms, parts.site.timezone),
        "shard": shard,
        "position": record.position,
        "topic": record.topic,
        "payload": record.payload[:_SHOWN_BYTES].decode("utf-8", "replace"),
        "bytes": len(record.payload),
    }
