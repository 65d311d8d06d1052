"""Silence behind a gateway folds under it; nothing else does, and never the cause."""

from pathlib import Path
from typing import Any

import pytest

from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.transitions import Transition
from tests.ingest.alarms.feeding import message, records, status, tick, ticks, transitions

CHILDREN = 200
SITE_TOML = """
[site]
name = {zh = "测试区", en = "Test District"}
[broker]
url = "embedded"
[store]
url = "embedded"
[[districts]]
key = "demo"
name = {zh = "示范区", en = "Demo"}
streets = [{key = "s01", name = {zh = "一街", en = "First"}}]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A gateway with 200 poles and a gas alarm behind it, and a pole that hangs on nothing."""
    rows = ['[[devices]]\nid = "gw"\nkind = "gateway"\nstreet = "s01"\n']
    rows += [
        f'[[devices]]\nid = "pole-{n}"\nkind = "light_pole"\nstreet = "s01"\nparent = "gw"\n' for n in range(CHILDREN)
    ]
    rows.append('[[devices]]\nid = "gas"\nkind = "gas_alarm"\nstreet = "s01"\nparent = "gw"\n')
    rows.append('[[devices]]\nid = "alone"\nkind = "light_pole"\nstreet = "s01"\n')
    path: Path = tmp_path_factory.mktemp("gateway") / "site.toml"
    path.write_text(SITE_TOML + "\n".join(rows), encoding="utf-8")
    return load_site(path)


def everybody(at_s: float) -> list[tuple[float, str, bytes]]:
    data = {"dim_pct": 80.0}
    return [
        message(at_s, "gateway", "gw", {"uptime_s": at_s}),
        *(message(at_s, "light_pole", f"pole-{n}", data) for n in range(CHILDREN)),
        message(at_s, "light_pole", "alone", data),
        message(at_s, "gas_alarm", "gas", {"conc_pct_lel": 1}),
    ]


def raised(found: list[Transition]) -> list[tuple[str, str]]:
    """Return (point, cause) of what was announced or folded."""
    return [(t.point, t.cause) for t in found if t.what == "raise"]


def gateway_down(*more: Any, until_s: int = 700) -> list[Any]:
    steady = [message(second, "light_pole", "alone", {"dim_pct": 80}) for second in range(60, until_s, 60)]
    return records([*everybody(0), status(5, "gateway", "gw", "offline"), *steady, *ticks(0, until_s), *more])


def test_two_hundred_children_behind_a_dead_gateway_are_one_cause_and_one_gas(site: Site) -> None:
    gas = message(300, "gas_alarm", "gas", {"conc_pct_lel": 60})
    found = transitions(site, gateway_down(gas))
    announced = [t.point for t in found if t.what == "raise" and t.suppression == "none"]
    assert announced == ["gw/no_data", "gas/conc_pct_lel.high"]
    folded = [t for t in found if t.what == "raise" and t.suppression == "by_design"]
    assert {t.device for t in folded} == {f"pole-{n}" for n in range(CHILDREN)}
    assert {t.cause for t in folded} == {"gw"}


def test_who_hangs_on_nothing_is_silent_by_itself(site: Site) -> None:
    found = transitions(site, records([*everybody(0), *ticks(0, 700)]))
    assert ("alone/no_data", "") in raised(found)


def test_children_that_were_silent_before_are_folded_afterwards(site: Site) -> None:
    gateway = [message(second, "gateway", "gw", {"uptime_s": 1}) for second in range(0, 700, 20)]
    found = transitions(
        site, records([*everybody(0), *gateway, *ticks(0, 800), status(700, "gateway", "gw", "offline")])
    )
    poles = [t for t in found if t.point == "pole-7/no_data"]
    assert [(t.what, t.suppression, t.cause) for t in poles] == [("raise", "none", ""), ("fold", "by_design", "gw")]


def test_after_the_gateway_is_back_a_child_has_its_whole_time_again(site: Site) -> None:
    back = [message(second, "gateway", "gw", {"uptime_s": 1}) for second in range(1000, 2000, 20)]
    heard = message(1100, "light_pole", "pole-1", {"dim_pct": 80})
    found = transitions(site, gateway_down(*back, *ticks(700, 2000), heard))
    one = [(t.what, (t.now_ms - found[0].now_ms) // 1000) for t in found if t.point == "pole-1/no_data"]
    two = [t.what for t in found if t.point == "pole-2/no_data"]
    assert [what for what, _ in one] == ["raise", "return", "unfold", "raise"]
    assert two == ["raise", "unfold"]
    unfolded = next(t for t in found if t.what == "unfold" and t.device == "pole-2")
    assert unfolded.now_ms == found[0].now_ms - 5_000 + (1000 + 300) * 1000


def test_a_restart_in_between_changes_nothing(site: Site) -> None:
    journal = gateway_down(tick(701))
    assert transitions(site, journal, [250, 400]) == transitions(site, journal)


def test_who_comes_back_hangs_on_nothing_any_more(site: Site) -> None:
    back = [message(650, "gateway", "gw", {"uptime_s": 1}), message(651, "light_pole", "pole-0", {"dim_pct": 80.0})]
    found = [t for t in transitions(site, gateway_down(*back)) if t.point == "pole-0/no_data"]
    assert [(t.what, t.suppression, t.cause) for t in found] == [
        ("raise", "by_design", "gw"),
        ("return", "none", ""),
        ("unfold", "none", ""),
    ]
