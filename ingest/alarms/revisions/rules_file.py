"""A file of rules (TOML): what shall differ in the words of the site file, and why, by which source and grade."""

import tomllib
from typing import Any

from ingest.errors import Refused

_WORDS = frozenset({"reason", "source", "edition", "grade", "limits", "limits_for", "withdraw"})
_SHAPES: dict[str, type] = {"limits": dict, "limits_for": list, "withdraw": list}


def read_rules(text: str, name: str) -> dict[str, Any]:
    """Return what a file says.

    Raises:
        Refused: unfit, it is not TOML or says something that is no word of a draft.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(
            "unfit", f"{name} is not TOML: {error}", code="not_toml", values={"name": name, "detail": error}
        ) from error
    for key in sorted(found.keys() - _WORDS):
        raise Refused(
            "unfit",
            f"{name}: {key} is not a word of a draft; known are {', '.join(sorted(_WORDS))}",
            code="draft_word",
            values={"name": name, "key": key, "known": ", ".join(sorted(_WORDS))},
        )
    for key, shape in _SHAPES.items():
        if not isinstance(found.get(key, shape()), shape):
            raise Refused(
                "unfit",
                f"{name}: {key} is no table; expected [limits…], [[limits_for]], [[withdraw]]",
                code="draft_table",
                values={"name": name, "key": key},
            )
    return found
