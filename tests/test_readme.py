"""The README tells the truth about the tree, the commands and the files it names."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from devices.site_file import load_site
from devices.units import UNITS
from tests.sites import small_site_text

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_map_of_the_tree_is_whole() -> None:
    """Every top-level folder stands in the map, and nothing else does; inner places it names exist."""
    listed = set(re.findall(r"^\| `([a-z]+)/` \|", _section("The tree"), re.MULTILINE))
    folders = {path.partition("/")[0] for path in _tracked() if "/" in path}
    assert listed == {folder for folder in folders if not folder.startswith(".")}
    for line in _section("The tree").splitlines():
        place = re.match(r"\| `([a-z]+)/` \|", line)
        if place:
            for inner in re.findall(r"\(`([a-z_]+)/`\)|`([a-z_]+)/`\)|, `([a-z_]+)/`", line):
                name = next(filter(None, inner))
                assert (ROOT / place[1] / name).is_dir(), f"{place[1]}/{name}"


def test_named_files_exist() -> None:
    """Every relative link and picture leads somewhere."""
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    missing = [link for link in links if not (ROOT / link).exists()]
    assert missing == []


@pytest.mark.parametrize("command", re.findall(r"^\| `citydeck ([a-z]+)`", README, re.MULTILINE))
def test_named_commands_exist(command: str) -> None:
    """Every command of the table explains itself."""
    done = subprocess.run([sys.executable, "-m", "cockpit.cli", command, "--help"], capture_output=True, check=False)
    assert done.returncode == 0


def test_the_site_file_shown_is_the_one_shipped() -> None:
    """The site file in the README says what the shipped one says."""
    (shown,) = re.findall(r"```toml\n(base = .*?)```", README, re.DOTALL)
    shipped = (ROOT / "deploy" / "site.mosquitto-influxdb.toml").read_text(encoding="utf-8")
    assert tomllib.loads(shown) == tomllib.loads(shipped)


def test_the_recipe_works_as_written(tmp_path: Path) -> None:
    """The kind of the recipe, put into a folder, is known to the site."""
    (code,) = re.findall(r"```python\n(from devices.kind import .*?)```", README, re.DOTALL)
    (tmp_path / "my_kinds").mkdir()
    (tmp_path / "my_kinds" / "waste_point.py").write_text(code, encoding="utf-8")
    (tmp_path / "site.toml").write_text(small_site_text(head='kinds = "my_kinds"'), encoding="utf-8")
    kind = load_site(tmp_path / "site.toml").catalog.kinds["waste_point"]
    assert kind.zh == "垃圾投放点"
    assert kind.field("fill_pct").unit in UNITS


def test_every_dependency_is_explained() -> None:
    """Each package the project asks for stands in the table that says what it is for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[<>=\[]", entry)[0].lower() for entry in project["dependencies"]]
    table = _section("What each dependency is for").lower()
    unnamed = [name for name in names if name not in table and name not in ("starlette", "urllib3")]
    assert unnamed == []


def test_glossary_stands_in_both_languages() -> None:
    """Each term has an English and a Chinese word and a meaning."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", _section("Glossary 术语"), re.MULTILINE)[2:]
    assert len(rows) > 15
    for english, chinese, meaning in rows:
        assert english.isascii()
        assert re.search(r"[一-鿿]", chinese)
        assert meaning
