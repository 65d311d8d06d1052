"""Whatever can be wrong with a fault is said in the reader's language, of the real simulators' own words."""

import re
from pathlib import Path

import pytest

from cockpit.bench.faults import Faults
from cockpit.problem_words import problem_text
from cockpit.problems import Problem
from cockpit.texts import LANGUAGES, texts
from devices.site import Site
from simulators import fault_words

# Of each code a fault, and the names and numbers that belong into any language.
CASES = {
    "fault_form": ("stuck", "NAME:WHERE[:key=value]…"),
    "fault_strange": ("zzz:gas-1", "zzz"),
    "fault_strange_meant": ("stuk:gas-1", "stuck"),
    "fault_nowhere": ("stuck:zzz", "zzz"),
    "fault_nowhere_meant": ("stuck:gas-11", "gas-1"),
    "fault_setting": ("stuck:gas-1:since=3", "since=3"),
    "fault_field": ("stuck:gas-1:fields=zzz", "conc_pct_lel"),
    "fault_field_meant": ("stuck:gas-1:fields=conc_pct_le", "conc_pct_lel"),
    "fault_number": ("late:gas-1:amount=soon", "soon"),
    "fault_amount_missing": ("drift:gas-1", "drift:gas-1"),
    "fault_amount_foreign": ("twice:gas-1:amount=3", "twice:gas-1"),
    "fault_early": ("late:gas-1:amount=-1.5", "-1.5"),
    "fault_share": ("garbled:gas-1:share=2", "2"),
    "fault_span": ("silent:gas-1:for=0", "silent:gas-1"),
}
# English that would be left over in a Chinese sentence.
PROSE = re.compile(r"[a-z]+ [a-z]+ [a-z]+")


def refused(site: Site, *faults: str) -> Problem:
    with pytest.raises(Problem) as caught:
        Faults(site).checked(faults)
    assert caught.value.status == 422
    return caught.value


def test_there_is_a_case_of_each() -> None:
    known = re.findall(r'"(fault_[a-z]+(?:_[a-z]+)*)"', Path(fault_words.__file__).read_text(encoding="utf-8"))
    assert {code.removesuffix("_meant") for code in CASES} == set(known)


@pytest.mark.parametrize(("code", "fault", "names"), [(code, *case) for code, case in CASES.items()], ids=list(CASES))
def test_what_is_wrong_with_a_fault(site: Site, code: str, fault: str, names: str) -> None:
    problem = refused(site, "silent:gas-2", fault)
    assert problem.code == code, problem.detail
    zh, en = (problem_text(problem, texts(language)) for language in LANGUAGES)
    assert all(f"“{fault}”" in said and names in said and "{" not in said for said in (zh, en)), (zh, en)
    assert (bool(PROSE.search(zh)), bool(PROSE.search(en))) == (False, True), (zh, en)


def test_a_site_that_cannot_be_read_is_told_as_it_is(site: Site) -> None:
    assert site.source is not None
    site.source.write_text("no TOML")
    problem = refused(site, "silent:gas-1")
    assert (problem.code, "is not TOML" in problem.values["detail"]) == ("bad_fault", True)
