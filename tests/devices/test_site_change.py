"""Limits changed in the words of the site file, on top of what the site file says itself."""

from pathlib import Path
from typing import Any

import pytest

from devices.errors import Fault
from devices.kind import Label, Limit
from devices.site import Site
from devices.site_change import changed_site
from tests.sites import small_site

FOR_GAS_1 = {"device": "gas-1", "kind": "gas_alarm", "field": "conc_pct_lel"}
STRICTER = """
[limits.gas_alarm.conc_pct_lel]
levels = [20, 40]
[[limits_for]]
device = "gas-1"
kind = "gas_alarm"
field = "conc_pct_lel"
levels = [15, 30]
deadband = 3
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Give a site that is stricter with gas than the kind, and stricter still with one detector."""
    return small_site(Path(tmp_path_factory.mktemp("site")), tail=STRICTER)


def changed(site: Site, limits: dict[str, Any] | None = None, *limits_for: dict[str, Any]) -> tuple[Site, list[str]]:
    faults: list[Fault] = []
    found = changed_site(site, limits or {}, limits_for, faults)
    return found, [str(fault) for fault in faults]


def gas(site: Site) -> Limit:
    (limit,) = (each for each in site.catalog.kinds["gas_alarm"].field("conc_pct_lel").limits if each.key == "high")
    return limit


def values(limit: Limit) -> list[float]:
    return [level.value for level in limit.levels]


def test_up_to_the_cap_of_the_kind(site: Site) -> None:
    """What the site file made stricter may be taken back, but not beyond what the kind allows."""
    back, faults = changed(site, {"gas_alarm": {"conc_pct_lel": {"levels": [25, 50]}}})
    assert (values(gas(back)), faults) == ([25, 50], [])
    same, faults = changed(site, {"gas_alarm": {"conc_pct_lel": {"levels": [25, 60]}}})
    assert values(gas(same)) == [20, 40]
    assert faults == ["limits.gas_alarm.conc_pct_lel.high: level 2: 60 is looser than the 50 of a capped limit"]


def test_what_is_not_said_stays(site: Site) -> None:
    """One number of a scope's limit changes; its others are those of the site file's table for it."""
    found, faults = changed(site, None, {**FOR_GAS_1, "levels": [10, 30]})
    (scoped,) = found.scoped
    assert (values(scoped.limit), scoped.limit.deadband, faults) == ([10, 30], 3, [])
    assert values(gas(found)) == [20, 40]


def test_priorities_source_and_grade(site: Site) -> None:
    """Which call goes out and by what it is justified are words, too."""
    words = {"priorities": ["P1", "P1"], "source": "contract", "grade": "C"}
    limit = gas(changed(site, {"gas_alarm": {"conc_pct_lel": words}})[0])
    assert ([level.priority for level in limit.levels], limit.source, limit.grade) == (["P1", "P1"], "contract", "C")


def test_a_source_in_both_languages(site: Site) -> None:
    """A source is plain words, or a text in each language; half of that is told."""
    told = {"source": {"zh": "合同", "en": "contract"}}
    assert gas(changed(site, {"gas_alarm": {"conc_pct_lel": told}})[0]).source == Label("合同", "contract")
    half = {"source": {"zh": "合同"}}
    assert changed(site, {"gas_alarm": {"conc_pct_lel": half}})[1] == [
        "limits.gas_alarm.conc_pct_lel.high.source: expected a text, or one in zh and one in en, found {'zh': '合同'}"
    ]


def test_what_protects_people_takes_no_change_that_loosens_it(site: Site) -> None:
    """Milder calls, a later raise, an earlier return and a circuit's leakage, for a device as for the kind."""
    looser = {"priorities": ["P2", "P2"], "deadband": 6, "on_s": 1, "off_s": 59}
    same, faults = changed(
        site,
        {"light_pole": {"feeder_leakage": {"levels": [100, 300, 501]}}, "gas_alarm": {"conc_ppm": {"levels": [1, 2]}}},
        {**FOR_GAS_1, **looser},
    )
    assert (same.scoped, same.catalog.kinds) == ((), site.catalog.kinds)
    assert faults == [
        "limits.light_pole.feeder_leakage: level 3: 501 is looser than the 500 of a capped limit",
        "limits.gas_alarm.conc_ppm.levels: expected one of the limits co, co_public",
        "limits_for[0]: level 2: P2 is milder than the P1 of a capped limit",
        "limits_for[0]: deadband 6 is larger than the 5 of a capped limit",
        "limits_for[0]: on_s 1 is longer than the 0 of a capped limit",
        "limits_for[0]: off_s 59 is shorter than the 60 of a capped limit",
    ]


def test_what_does_not_fit_is_left_out_and_the_rest_stands(site: Site) -> None:
    """A fault is told by the place of its table among the changes, not among the site file's."""
    found, faults = changed(
        site,
        {"gas_alarm": {"conc_pct_lel": {"deadband": 4}}},
        {**FOR_GAS_1, "device": "gas-9", "levels": [1, 2]},
        {**FOR_GAS_1, "device": "gas-2", "priorities": ["P1"]},
    )
    assert gas(found).deadband == 4
    assert [each.name for each in found.scoped] == ["gas-1"]
    assert faults == [
        "limits_for[0].device: 'gas-9' holds no gas_alarm; the limit would be for nobody",
        "limits_for[1].priorities: expected 2 of P1, P2, P3, P4, health, found ['P1']",
    ]
