"""``[[notify]]`` of a site file: by which channels people are told, and of what."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from devices.errors import Fault, shown
from devices.kind import PRIORITIES
from devices.site import Channel

# What reaches people in different ways; two channels of one kind fail together.
KINDS = ("app", "dingtalk", "feishu", "mail", "sms", "voice", "webhook", "wecom")
ROLES = ("officer", "leader", "director", "maintenance", "engineer")
_KEYS = frozenset({"name", "kind", "env", "roles", "priorities"})
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ENV = re.compile(r"CITYDECK_NOTIFY_[A-Z0-9_]{1,64}")


def read_channels(tables: Sequence[Mapping[str, Any]], faults: list[Fault]) -> tuple[Channel, ...]:
    """Return the channels; everything wrong is added to ``faults``. Addresses are secrets: the environment has them."""
    found: dict[str, Channel] = {}
    for index, table in enumerate(tables):
        path = f"notify[{index}]"
        for key in sorted(set(table) - _KEYS):
            close = get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(_KEYS))}"
            faults.append(Fault(f"{path}.{key}", f"is not a setting; {hint}"))
        name = _fitting(table.get("name"), _NAME, "1 to 64 of A–Z a–z 0–9 . _ -", f"{path}.name", faults)
        env = _fitting(table.get("env"), _ENV, "the name of a variable CITYDECK_NOTIFY_…", f"{path}.env", faults)
        kind = table.get("kind")
        if kind not in KINDS:
            faults.append(Fault(f"{path}.kind", f"expected one of {', '.join(KINDS)}, found {shown(kind)}"))
        if name and name in found:
            faults.append(Fault(f"{path}.name", f"{name!r} is the name of another channel already"))
        found[name] = Channel(
            name,
            str(kind),
            env,
            _some(table.get("roles", ["officer"]), ROLES, f"{path}.roles", faults),
            _some(table.get("priorities", ["P1", "P2"]), PRIORITIES, f"{path}.priorities", faults),
        )
    return tuple(found.values())


def _fitting(found: object, pattern: re.Pattern[str], expected: str, path: str, faults: list[Fault]) -> str:
    if isinstance(found, str) and pattern.fullmatch(found):
        return found
    faults.append(Fault(path, f"expected {expected}, found {shown(found)}"))
    return ""


def _some(found: object, known: Sequence[str], path: str, faults: list[Fault]) -> tuple[str, ...]:
    if isinstance(found, list) and found and all(word in known for word in found):
        return tuple(found)
    faults.append(Fault(path, f"expected a list of {', '.join(known)}, found {shown(found)}"))
    return ()
