"""What is wrong with a draft of rules, as it is really told, is known by its form and has words in both languages."""

import string
from pathlib import Path
from typing import Any

import pytest

from cockpit.fault_words import parted
from cockpit.texts import LANGUAGES, texts
from devices.errors import Fault
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.revisions.revision import SITE_FILE, Change, laid

GAS = ("gas_alarm", "conc_pct_lel", "high")


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site()


def on(kind: str, field: str, limit: str, **change: Any) -> Change:
    return Change(limits={kind: {field: {limit: change}}})


def gas(**change: Any) -> Change:
    return on(*GAS, **change)


def scoped(**table: Any) -> Change:
    return Change(limits_for=[{"kind": "gas_alarm", "field": "conc_pct_lel", **table}])


CASES = {
    "not_a_kind": Change(limits={"gas_alarn": {"conc_pct_lel": {}}, "bridge_wim": {}}),
    "no_such_kind": Change(limits={"zzzzzzzz": {"x": {}}}),
    "field_meant": Change(limits={"gas_alarm": {"conc_pct_le": {"levels": [1]}}}),
    "field_of": Change(limits={"gas_alarm": {"zzzzzzzz": {"levels": [1]}}}),
    "field_missing": Change(limits_for=[{"device": "gas-0001", "kind": "gas_alarm", "levels": [1, 2]}]),
    "group_scope": Change(limits_for=[{"device": "pole-0001", "kind": "light_pole", "field": "lit_rate_main"}]),
    "no_such_limit": scoped(device="gas-0001", limit="zzz", levels=[1]),
    "scope_missing": scoped(levels=[1, 2]),
    "scope_empty": scoped(device="gas-nowhere", limit="high", levels=[1, 2]),
    "count_of_numbers": gas(levels=[5]),
    "priorities": gas(priorities=["P9", "P1"]),
    "no_number": gas(on_s="soon"),
    "wrong_unit": gas(unit="km"),
    "no_setting": gas(level=5),
    "grade": gas(grade="Z"),
    "hours": gas(hours="night"),
    "days": gas(days="someday"),
    "true_or_false": gas(holidays="sometimes"),
    "source_text": gas(source={"zh": "甲"}),
    "source_none": gas(source=""),
    "no_table": Change(limits={"gas_alarm": {"conc_pct_lel": 5}}),
    "empty": Change(),
    "withdrawal_word": Change(withdraw=[{"kind": "gas_alarm", "field": "conc_pct_lel", "levels": [1]}]),
    "nothing_to_withdraw": Change(withdraw=[{"kind": "gas_alarm", "field": "conc_pct_lel"}]),
    "negative": gas(off_s=-1),
    "never_fires": gas(on_s=1e9),
    "order": gas(levels=[20, 10]),
    "never_left": gas(levels=[5, 50], deadband=5),
    "over_cap": gas(levels=[60, 70]),
    "looser": gas(levels=[10, 90]),
    "milder": gas(priorities=["P4", "P4"]),
    "capped_state": on("gas_alarm", "state", "state", levels=[2, 1]),
    "capped_more": gas(on_s=600),
    "capped_armed": gas(hours="22:00-06:00"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "change"), CASES.items(), ids=list(CASES))
def test_a_real_fault_is_known(code: str, change: Change, site: Site) -> None:
    faults: list[Fault] = []
    laid(SITE_FILE, change, site, faults)
    told = parted(map(str, faults))
    assert code in [each["code"] for each in told], faults
    for each in told:
        assert f"{each['where']}: {each['sentence']}" in map(str, faults)
        for language in LANGUAGES:
            text = texts(language).words[f"fault.{each['code']}"]
            assert {name for _, name, _, _ in string.Formatter().parse(text) if name} <= each["values"].keys()


def test_every_text_belongs_to_a_form() -> None:
    """A text that no form leads to is taken out."""
    source = Path("cockpit/fault_words.py").read_text(encoding="utf-8")
    known = [key.removeprefix("fault.") for key in texts("zh").words if key.startswith("fault.") and key != "fault.at"]
    assert len(known) > 30
    assert [key for key in known if f'("{key}",' not in source] == []


def test_what_is_not_known_stays_a_sentence() -> None:
    (told,) = parted(["limits.x: something else: quite new"])
    assert told == {"where": "limits.x", "sentence": "something else: quite new", "code": "", "values": {}}
