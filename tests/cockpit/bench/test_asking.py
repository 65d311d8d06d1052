"""A part that is asked answers with all it said; one that does not answer is a refusal that tells no folder."""

import sys

import pytest

from cockpit.bench.asking import ask
from cockpit.problem_words import problem_text
from cockpit.problems import Problem
from cockpit.texts import LANGUAGES, texts

PATIENCE_S = 60


def test_what_it_says_and_how_it_ends() -> None:
    told = ask("simulators", "--list-scenarios", "--json", patience_s=PATIENCE_S)
    assert (told.returncode, told.stdout[:1], told.stderr) == (0, "[", "")
    told = ask("simulators", "--scenario", "meteor", patience_s=PATIENCE_S)
    assert (told.returncode, told.stdout, "no scenario 'meteor'" in told.stderr) == (2, "", True)


@pytest.mark.parametrize("without", ["time", "a program"])
def test_one_that_does_not_answer(without: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program starts within a millionth of a second."""
    if without == "a program":
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Problem) as caught:
        ask("simulators", patience_s=1e-6 if without == "time" else PATIENCE_S)
    assert (caught.value.status, caught.value.code) == (503, "part_silent")
    for said in (caught.value.detail, *(problem_text(caught.value, texts(language)) for language in LANGUAGES)):
        assert ("simulators" in said, "/" in said) == (True, False), said
