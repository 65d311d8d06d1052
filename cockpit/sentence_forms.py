"""Sentences by their form: a stable code for each, and what it tells by name."""

import re


class Forms:
    """Pairs of a code and the form of its sentences, a regular expression for the whole; the first that fits counts."""

    def __init__(self, *forms: tuple[str, str]) -> None:
        self._forms = [(code, re.compile(form, re.DOTALL)) for code, form in forms]

    def of(self, sentence: str) -> tuple[str, dict[str, str]]:
        """Return code and values of a sentence; an empty code for one that has none of the forms."""
        for code, form in self._forms:
            found = form.fullmatch(sentence)
            if found is not None:
                return code, {name: value or "" for name, value in found.groupdict().items()}
        return "", {}
