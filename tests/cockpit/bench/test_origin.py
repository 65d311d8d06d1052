"""Which recordings are of this city: what people found of alarms of that time speaks of no others."""

from pathlib import Path

import pytest

from cockpit.bench.job import Span
from cockpit.bench.origin import was_here
from devices.site import Site
from tests.cockpit.bench.recorded import messages, write


@pytest.mark.parametrize(
    ("header", "here"),
    [
        ({}, True),
        ({"shard": "north", "only": {"kind": ["light_pole"]}}, True),
        ({"site": {"zh": "别处", "en": "Elsewhere"}}, False),
        ({"district": "elsewhere"}, False),
        ({"pseudonymised": True}, False),
        ({"software": "citydeck 1.0, simulated"}, False),
    ],
)
def test_a_recording_is_of_this_city_or_not(tmp_path: Path, site: Site, header: dict[str, object], here: bool) -> None:
    own = {"site": {"zh": site.label.zh, "en": site.label.en}, "district": site.district}
    path = write(tmp_path / "one.cdrec", site, messages(), **{**own, **header})
    assert was_here(Span(str(path), is_file=True), site) is here


def test_the_own_journal_is_and_what_cannot_be_read_is_not(tmp_path: Path, site: Site) -> None:
    assert was_here(Span(str(tmp_path), is_file=False), site)
    (tmp_path / "text.cdrec").write_text("no recording")
    assert not was_here(Span(str(tmp_path / "text.cdrec"), is_file=True), site)
