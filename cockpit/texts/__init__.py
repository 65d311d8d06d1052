"""The words of the pages, one TOML file per language; both files have the same keys."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES: tuple[str, ...] = ("zh", "en")
DEFAULT_LANGUAGE = "zh"
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Texts:
    """All words in one language, by dotted key such as ``duty.title``."""

    language: str
    words: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its ``{placeholders}`` filled.

        Raises:
            KeyError: no such text, or a placeholder without a value.
        """
        return self.words[key].format(**values) if values else self.words[key]


@cache
def texts(language: str | None) -> Texts:
    """Return the words of a language; an unknown or missing one gives the default, Chinese."""
    known = language if language in LANGUAGES else DEFAULT_LANGUAGE
    with (_FOLDER / f"{known}.toml").open("rb") as file:
        sections = tomllib.load(file)
    words = {f"{section}.{key}": text for section, keys in sections.items() for key, text in keys.items()}
    return Texts(str(known), words)
