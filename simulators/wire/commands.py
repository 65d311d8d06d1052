"""Commands to a lamp and its answers, as the cockpit and a light pole exchange them (docs/lamps.md)."""

import json
from dataclasses import dataclass

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class LampCommand:
    """So bright, without ``dim_pct`` by its own schedule; ``fault`` says what is wrong. Instants are epoch ms."""

    id: str
    issued_ms: int
    expires_ms: int
    dim_pct: float | None
    until_ms: int | None
    fault: str = ""


def read_command(payload: bytes) -> LampCommand | None:
    """Return a command, or None where nothing can be answered: it has no id."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("command"), str):
        return None
    issued, expires, until, dim = (found.get(key) for key in ("ts", "expires", "until", "dim_pct"))
    faults = [
        *(f"{key}: expected epoch ms" for key, at in (("ts", issued), ("expires", expires)) if not _whole(at)),
        *(["until: expected epoch ms"] if until is not None and not _whole(until) else []),
    ]
    auto = found.get("auto") is True
    shines = isinstance(dim, int | float) and not isinstance(dim, bool) and 0 <= dim <= 100
    if auto == shines:
        faults.append("expected dim_pct from 0 to 100, or auto")
    return LampCommand(
        found["command"],
        issued if isinstance(issued, int) else 0,
        expires if isinstance(expires, int) else 0,
        float(dim) if shines and dim is not None else None,
        until if isinstance(until, int) else None,
        "; ".join(faults),
    )


def answer(command: str, at_ms: int, refusal: str) -> bytes:
    """Return the answer to a command; an empty refusal accepts it."""
    document: dict[str, object] = {"v": 1, "command": command, "ts": at_ms, "accepted": not refusal}
    if refusal:
        document["reason"] = refusal
    return _dumps(document).encode()


def _whole(found: object) -> bool:
    return isinstance(found, int) and not isinstance(found, bool)
