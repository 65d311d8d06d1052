"""A file of rules (TOML): what shall differ in the words of the site file, and why, by which source and grade."""

import re
import tomllib
from typing import Any

from ingest.errors import Refused

_WORDS = frozenset({"reason", "source", "edition", "grade", "limits", "limits_for", "withdraw"})
_AT = re.compile(r"line (\d+), column (\d+)")
_SHAPES: dict[str, type] = {"limits": dict, "limits_for": list, "withdraw": list}


def read_rules(text: str, name: str) -> dict[str, Any]:
    """Return what a file says.

    Raises:
        Refused: unfit, it is not TOML or says something that is no word of a draft.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, column = _place(str(error), text)
        raise Refused(
            "unfit",
            f"{name} is not TOML: {error}",
            code="not_toml",
            values={"name": name, "line": line, "column": column},
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


def _place(sentence: str, text: str) -> tuple[int, int]:
    """Return the line and the column of a fault; one that is told without them stands at the end."""
    told = _AT.search(sentence)
    if told is not None:
        return int(told[1]), int(told[2])
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1
