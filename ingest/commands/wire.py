"""A command and its answer as JSON on the topics of a light pole (docs/lamps.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from devices.errors import Undecodable
from devices.formats.native import parse_json
from devices.topics import parse_topic
from ingest.commands.orders import KIND

ANSWERS = f"city/v1/+/{KIND}/+/cmd_ack"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a pole says to a command; ``reason`` is why it refuses."""

    device: str
    command: str
    accepted: bool
    reason: str = ""


def topic_of(row: Mapping[str, Any]) -> str:
    """Return where a command is published."""
    return f"city/v1/{row['district']}/{KIND}/{row['device']}/cmd"


def payload_of(row: Mapping[str, Any]) -> bytes:
    """Return a command; ``ts`` is when it was made, so that a pole can tell the newer of two."""
    document: dict[str, Any] = {
        "v": 1,
        "command": row["id"],
        "ts": row["made_at"],
        "expires": row["expires_at"],
        **({"auto": True} if row["dim_pct"] is None else {"dim_pct": row["dim_pct"]}),
    }
    if row["until"] is not None:
        document["until"] = row["until"]
    return msgspec.json.encode(document)


def answer_of(topic: str, payload: bytes) -> Answer | None:
    """Return the answer in a message, or None when it is none."""
    try:
        where = parse_topic(topic)
        found = parse_json(payload)
    except Undecodable:
        return None
    if not isinstance(found, dict):
        return None
    command, accepted, reason = found.get("command"), found.get("accepted"), found.get("reason", "")
    if not isinstance(command, str) or not isinstance(accepted, bool) or not isinstance(reason, str):
        return None
    # A NUL is no text for PostgreSQL.
    return Answer(where.device, command[:40], accepted, reason.replace("\x00", "\ufffd")[:_LONGEST])
