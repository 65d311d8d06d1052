"""One odd file in the folder of recordings hides no other, and nothing is played in which nobody spoke."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cockpit.bench.job import Job
from cockpit.bench.runs import Runs
from cockpit.bench.sources import Sources
from cockpit.problems import Problem
from devices.recording import TICK, Message
from devices.site import Site
from ingest.journal import Journal
from ingest.places import Places
from tests.cockpit.bench.recorded import MESSAGES, SECOND, messages, write
from tests.ingest.messages import T_MS, gas

ODD: dict[str, dict[str, Any]] = {
    "far": {"from_ms": 10**18, "to_ms": 10**18 + 1},
    "before": {"from_ms": -1},
    "turned": {"from_ms": T_MS, "to_ms": T_MS - 1},
    "nameless": {"site": {"en": "Test District"}},
    "zoneless": {"timezone": "Nowhere/City"},
    "newest": {"version": 2, "site": {}},
    "oldest": {"version": 0},
}


@pytest.fixture
def places(tmp_path: Path, site: Site) -> Places:
    """Return a data folder with a whole recording, one of ticks alone, and odd ones."""
    found = Places(tmp_path / "var")
    write(found.recordings / "leak.cdrec", site, messages())
    write(found.recordings / "ticks.cdrec", site, [Message(T_MS + n * SECOND, TICK, b"") for n in range(5)])
    for name, words in ODD.items():
        write(found.recordings / f"{name}.cdrec", site, messages()[:10], **words)
    (found.recordings / "nothing.cdrec").symlink_to(tmp_path / "nowhere")
    (found.recordings / "folder.cdrec").mkdir()
    return found


def test_one_odd_file_hides_no_other(site: Site, places: Places) -> None:
    found = {each["name"].removesuffix(".cdrec"): each for each in Sources(site, places).all()["recordings"]}
    assert found.keys() == {*ODD, "folder", "leak", "ticks"}
    assert (found["leak"]["messages"], found["leak"]["fault"]) == (MESSAGES, "")
    assert {name for name, each in found.items() if not each["fault"]} == {"leak", "ticks"}
    assert all(found[name]["fault"].startswith(f"{name}.cdrec ") for name in ODD)


@pytest.mark.parametrize(
    "wanted",
    [
        lambda sources: sources.recording("ticks.cdrec", None, None),
        lambda sources: sources.recording("leak.cdrec", T_MS + SECOND // 2, T_MS + SECOND - 1),
    ],
)
def test_where_nobody_spoke_nothing_is_played(site: Site, places: Places, wanted: Callable[[Sources], object]) -> None:
    with pytest.raises(Problem) as caught:
        wanted(Sources(site, places))
    assert (caught.value.status, str(caught.value)) == (422, "no message was recorded in that span.")
    assert caught.value.code == "span_silent"


def test_what_cannot_be_recorded_has_a_code(site: Site, tmp_path: Path) -> None:
    """No journal, a journal in which nobody spoke then, and a folder that cannot be one."""
    places = Places(tmp_path / "var")
    with pytest.raises(Problem) as caught:
        Sources(site, places).record(5, T_MS)
    assert (caught.value.code, caught.value.detail.startswith("Nothing was recorded: ")) == ("holds_nothing", True)
    journal = Journal(places.journal)
    journal.append([gas("gas-1", 1, ts=T_MS)], T_MS)
    journal.close()
    with pytest.raises(Problem) as caught:
        Sources(site, places).record(5, T_MS - SECOND)
    assert caught.value.code == "span_silent"
    places.recordings.rmdir()
    places.recordings.write_text("no folder")
    with pytest.raises(Problem) as caught:
        Sources(site, places).record(5, T_MS)
    assert (caught.value.status, caught.value.code, caught.value.values) == (
        503,
        "recordings_unwritable",
        {"why": "EEXIST"},
    )


def test_scenarios_that_cannot_be_read_have_a_code(site: Site, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends badly as it is asked."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Problem) as caught:
        Sources(site, places).scenarios()
    assert (caught.value.status, caught.value.code) == (503, "scenarios_unreadable")


def test_a_run_that_cannot_be_started_has_a_code(tmp_path: Path) -> None:
    (tmp_path / "bench").write_text("no folder")
    with pytest.raises(Problem) as caught:
        Runs(tmp_path / "bench").start(lambda *_: Job(site="", folder="", prefix="", token=""), "engineer", {})
    assert (caught.value.status, caught.value.code, caught.value.values) == (503, "run_unstartable", {"why": "ENOTDIR"})
