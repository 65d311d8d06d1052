"""Every refusal has a code, and every code a text in both languages that tells only what the refusal brings along."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from cockpit.problem_words import problem_text
from cockpit.problems import Problem
from cockpit.texts import LANGUAGES, texts
from ingest.errors import RefusedWhy

ROOT = Path(__file__).parents[2]
CALLS = {"Refused", "Problem", "problem_response"}
# Words for a command line, not for a page; and where codes are handed on.
ELSEWHERE = ("cockpit/accounts/", "cockpit/problems.py", "cockpit/api/refusals.py", "ingest/errors.py")
CHINESE = range(0x3400, 0xA000)


def refusals() -> Iterator[tuple[str, ast.Call]]:
    """Yield every place at which something is refused."""
    for path in sorted([*ROOT.glob("cockpit/**/*.py"), *ROOT.glob("ingest/**/*.py")]):
        where = path.relative_to(ROOT).as_posix()
        if where.startswith(ELSEWHERE):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            name = called.id if isinstance(called, ast.Name) else ""
            ours = isinstance(called, ast.Attribute) and called.attr == "refuse" and ast.unparse(called.value) == "at"
            if (name in CALLS or ours) and len(node.args) >= 2:
                yield f"{where}:{node.lineno}", node


def told(node: ast.Call) -> tuple[str | None, set[str] | None]:
    """Return the code of a refusal and the names of its values; None where they are handed on from another one."""
    words = {each.arg: each.value for each in node.keywords}
    code, values = words.get("code"), words.get("values")
    names: set[str] | None = set()
    if isinstance(values, ast.Dict):
        names = {str(key.value) for key in values.keys if isinstance(key, ast.Constant)}
    elif values is not None:
        names = None
    if isinstance(code, ast.Constant):
        return str(code.value), names
    return (None, None) if code is not None else ("", set())


REFUSALS = [(where, *told(node)) for where, node in refusals()]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_there_are_refusals() -> None:
    assert len(REFUSALS) > 150


@pytest.mark.parametrize(("where", "code", "names"), REFUSALS, ids=[where for where, _, _ in REFUSALS])
def test_every_refusal_can_be_said_in_both_languages(where: str, code: str | None, names: set[str] | None) -> None:
    assert code != "", f"{where}: a refusal without a code; pages could say it in English only"
    if code is None:
        return
    for language in LANGUAGES:
        words = texts(language).words
        assert f"problem.{code}" in words, f"{where}: no text problem.{code} in {language}.toml"
        if names is not None:
            assert placeholders(words[f"problem.{code}"]) <= names, where


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("why", get_args(RefusedWhy))
def test_every_reason_has_a_sentence_of_its_own(why: str, language: str) -> None:
    """What is refused without a code is told by its reason."""
    assert texts(language).words[f"problem.{why}"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503, 504, 418])
def test_every_status_has_a_sentence(status: int) -> None:
    zh, en = (problem_text(Problem(status, "x"), texts(language)) for language in LANGUAGES)
    assert zh != en
    assert any(ord(letter) in CHINESE for letter in zh) and not any(ord(letter) in CHINESE for letter in en)


def test_no_text_is_left_over() -> None:
    """A code that nobody uses any more is taken out of the texts."""
    sources = "".join(
        path.read_text(encoding="utf-8") for root in ("cockpit", "ingest") for path in ROOT.glob(f"{root}/**/*.py")
    )
    known = [key.removeprefix("problem.") for key in texts("zh").words if key.startswith("problem.")]
    assert [key for key in known if not key.startswith("status_") and f'"{key}"' not in sources] == []


def test_roles_and_states_are_named() -> None:
    refused = Problem(403, "x", code="role_missing", values={"roles": ["leader", "officer"]})
    assert problem_text(refused, texts("zh")) == "需要以下角色之一：带班长、值班员"
    assert problem_text(refused, texts("en")) == "This takes one of the roles shift leader, officer."
    state = Problem(409, "x", code="case_state", values={"state": "CLOSED", "states": ["HANDLING"]})
    assert "HANDLING" not in problem_text(state, texts("zh"))
