"""``[[notify]]`` of a site file: by which channels people are told, and of what."""

from collections.abc import Mapping, Sequence
from typing import Any

from devices.errors import Fault, shown
from devices.kind import PRIORITIES
from devices.site import Channel

_KEYS = frozenset({"name", "kind", "env", "roles", "priorities"})
_ROLES = ("officer", "leader", "director", "maintenance", "engineer")


def read_channels(tables: Sequence[Mapping[str, Any]], faults: list[Fault]) -> tuple[Channel, ...]:
    """Return the channels; everything wrong is added to ``faults``. Addresses are secrets: the environment has them."""
    found: dict[str, Channel] = {}
    for index, table in enumerate(tables):
        path = f"notify[{index}]"
        for key in sorted(set(table) - _KEYS):
            faults.append(Fault(f"{path}.{key}", f"is not a setting; known are {', '.join(sorted(_KEYS))}"))
        words = {key: table.get(key) for key in ("name", "kind", "env")}
        for key, value in words.items():
            if not isinstance(value, str) or not value:
                faults.append(Fault(f"{path}.{key}", f"expected a text, found {shown(value)}"))
        env = str(words["env"] or "")
        if env and not env.startswith("CITYDECK_"):
            faults.append(Fault(f"{path}.env", f"expected the name of a variable CITYDECK_…, found {shown(env)}"))
        if str(words["name"]) in found:
            faults.append(Fault(f"{path}.name", f"{words['name']!r} is the name of another channel already"))
        channel = Channel(
            str(words["name"]),
            str(words["kind"]),
            env,
            _some(table.get("roles", ["officer"]), _ROLES, f"{path}.roles", faults),
            _some(table.get("priorities", ["P1", "P2"]), PRIORITIES, f"{path}.priorities", faults),
        )
        found[channel.name] = channel
    return tuple(found.values())


def _some(found: object, known: Sequence[str], path: str, faults: list[Fault]) -> tuple[str, ...]:
    if isinstance(found, list) and found and all(word in known for word in found):
        return tuple(found)
    faults.append(Fault(path, f"expected a list of {', '.join(known)}, found {shown(found)}"))
    return ()
