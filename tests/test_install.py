"""What is installed: pinned by hash, complete, and free of any one machine's addresses and paths."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
PACKAGES = ("devices", "ingest", "cockpit", "simulators")

# Written with brackets so that this file does not find itself.
REGISTRY = re.compile(
    r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|registry[.]yarnpkg|deb[.]debian[.]org|"
    r"--(?:extra-)?index[-]url|--find[-]links|--trusted[-]host|index[-]url *=|find[-]links *=|^registry *="
)
MACHINE_PATH = re.compile(r"(?<![A-Za-z0-9_.])/(?:root|home|farm|work|Users)/[A-Za-z.]")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def pins(file: Path) -> list[str]:
    """Return the requirements of a file, each as one line with its hashes."""
    joined = file.read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def normal(requirement: str) -> str:
    """Return a requirement's name as indexes compare it."""
    found = NAME.match(requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def text_files() -> Iterator[tuple[str, str]]:
    """Yield the path and text of each file that is in the repository or about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield name, content.decode("utf-8", errors="replace")


def found_in_files(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in text_files()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.name)
def test_every_requirement_is_pinned_with_hashes(file: Path) -> None:
    lines = pins(file)
    assert lines
    assert [line for line in lines if not re.match(r"\S+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


def test_pinned_files_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime, test = (
        {normal(line) for line in pins(ROOT / "requirements" / f"{name}.txt")} for name in ("runtime", "test")
    )
    extras = project["optional-dependencies"]
    fuzz = {normal(line) for line in pins(ROOT / "requirements" / "fuzz.txt")}
    assert {normal(asked) for asked in [*project["dependencies"], "setuptools"]} <= runtime
    # What fuzzing needs has no wheel everywhere, so it stands by itself.
    assert {normal(asked) for extra in extras if extra != "fuzz" for asked in extras[extra]} <= test
    assert {normal(asked) for asked in extras["fuzz"]} <= fuzz


def test_tests_run_on_the_very_versions_that_users_get() -> None:
    runtime, test = (pins(ROOT / "requirements" / f"{name}.txt") for name in ("runtime", "test"))
    assert {line.split("--hash")[0] for line in runtime} <= {line.split("--hash")[0] for line in test}


def test_no_file_names_a_registry() -> None:
    assert found_in_files(REGISTRY) == []


def test_no_file_has_a_path_of_one_machine() -> None:
    assert found_in_files(MACHINE_PATH) == []


@pytest.mark.slow
def test_a_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=ignored)
    files = {
        path.relative_to(source).as_posix()
        for package in PACKAGES
        for path in (source / package).rglob("*")
        if path.is_file()
    }
    options = ["--no-build-isolation", "--no-deps", "--wheel-dir", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("citydeck-*.whl")
    assert files - set(zipfile.ZipFile(wheel).namelist()) == set()
