"""The words of the pages: both languages complete, every used key known, no words anywhere but in the text files."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from cockpit import pages, texts
from cockpit.texts import LANGUAGES
from ingest.alarms.commands.joint import JointAct
from ingest.alarms.transitions import What

PAGES = Path(pages.__file__).parent
STATIC = PAGES.parent / "static"
ASSETS = PAGES.parent / "assets"
MODULES = sorted([*STATIC.glob("*.mjs"), *ASSETS.glob("*.js")])
PYTHON = sorted(
    [
        *PAGES.glob("*.py"),
        *PAGES.parent.glob("report*.py"),
        *PAGES.parent.glob("export*.py"),
        *PAGES.parent.glob("evidence*.py"),
        *PAGES.parent.glob("drill/*.py"),
    ]
)

CHINESE = re.compile(r"[\u3400-\u9fff\uff00-\uffef]")
# A JavaScript comment, or a string: whichever begins first.
TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`""",
    re.DOTALL,
)
# What a person would read: words that begin like a sentence. "noopener noreferrer" or a CSS font is none.
SENTENCE = re.compile(r"^[A-Z][a-z]+(?: [a-z]+)+|^[A-Z][a-z]{3,}[.…!?]$")
# Arguments of Dash components that end up before a reader's eyes.
VISIBLE = {"children", "title", "placeholder", "label", "aria-label", "headerName", "text", "name"}


def words(language: str) -> dict[str, str]:
    return dict(texts.texts(language).words)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def strings(source: str) -> Iterator[str]:
    """Yield the literals of a JavaScript source, comments left out."""
    for token in TOKEN.finditer(source):
        for literal in token.groups():
            if literal is not None:
                yield literal


def test_both_languages_have_the_same_keys() -> None:
    zh, en = words("zh"), words("en")
    assert zh.keys() == en.keys(), f"only in one language: {sorted(zh.keys() ^ en.keys())}"


@pytest.mark.parametrize("key", sorted(words("zh")))
def test_a_text_has_the_same_placeholders_in_both_languages(key: str) -> None:
    assert placeholders(words("zh")[key]) == placeholders(words("en")[key])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_written_in_its_language(language: str) -> None:
    foreign = {"shell.other_language"}
    for key, text in words(language).items():
        if key not in foreign and language == "en":
            assert not CHINESE.search(text), f"{key}: Chinese in the English file"


def test_an_unknown_language_is_chinese() -> None:
    assert texts.texts("fr").language == "zh"
    assert texts.texts(None).language == "zh"


def test_a_missing_placeholder_is_an_error() -> None:
    with pytest.raises(KeyError):
        texts.texts("zh")("shell.stale_since", at="12:00")


@pytest.mark.parametrize("path", [*MODULES, *PYTHON], ids=lambda path: path.name)
def test_no_page_holds_chinese_words(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        assert not CHINESE.search(line), f"{path.name}:{number}: words belong into cockpit/texts: {line.strip()}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_holds_english_sentences(path: Path) -> None:
    found = [literal for literal in strings(path.read_text(encoding="utf-8")) if SENTENCE.match(literal)]
    assert not found, f"{path.name}: words belong into cockpit/texts: {found}"


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.name)
def test_no_layout_holds_words(path: Path) -> None:
    """What a layout shows comes through ``say(…)``; a literal child or label would be in one language only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id in ("html", "dcc")):
            continue
        shown = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg in VISIBLE)]
        children = [child for value in shown for child in (value.elts if isinstance(value, ast.List) else [value])]
        literals = [child.value for child in children if isinstance(child, ast.Constant)]
        found = [text for text in literals if isinstance(text, str) and re.search(r"[A-Za-z]{3}", text)]
        assert not found, f"{path.name}:{node.lineno}: {found} belong into cockpit/texts"


def used_keys() -> Iterator[tuple[str, str]]:
    """Yield every key that is asked for by name, with where."""
    for path in [*MODULES, *PYTHON]:
        source = path.read_text(encoding="utf-8")
        for key in re.findall(r"""\b(?:say|has)\(\s*["']([a-z0-9_]+\.[A-Za-z0-9_]+)["']""", source):
            yield key, path.name


def test_every_key_that_is_used_exists() -> None:
    known = words("zh")
    assert not [f"{place}: {key}" for key, place in used_keys() if key not in known]


def test_every_text_is_used() -> None:
    """A key is used by name, or by a family such as ``state.${…}`` or ``device.window_{key}``."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in [*MODULES, *PYTHON])
    direct = {key for key, _ in used_keys()} | set(re.findall(r"""["']([a-z0-9_]+\.[A-Za-z0-9_]+)["']""", source))
    families = tuple(re.findall(r"""["'`]([a-z]+\.[a-z_]*)\$?\{""", source))
    bare = set(re.findall(r"""["']([a-z0-9_]+)["']""", source))
    idle = [
        key
        for key in words("zh")
        if key not in direct
        and not any(key.startswith(family) and (len(family) > key.index(".") + 1 or key.split(".", 1)[1] in bare)
                    for family in families)
        and not key.endswith(".title")
        and key.split(".")[0] not in {"priority", "state", "quality", "headline", "act", "problem", "fault"}
    ]  # fmt: skip
    assert not idle, f"nobody says these any more: {idle}"


def test_every_act_has_a_word() -> None:
    """What the engine and the second persons write into the record stands there in the reader's language."""
    joint = {f"{act}_{outcome}" for act in get_args(JointAct) for outcome in ("asked", "declined")}
    assert not {f"act.{act}" for act in {*get_args(What), *joint}} - words("zh").keys()
