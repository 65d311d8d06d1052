"""The page of rules says what the tables of the kinds say, and what it tells to write can be read."""

import re
from pathlib import Path

from devices.catalog import load_catalog
from ingest.alarms.rule_table import table
from ingest.alarms.rules import BAD_DATA, CLOCK, EXPIRES, REPEAT_OFFENDER, VERIFY_DUE, kind_book, rule_label
from tests.ingest.alarms.rule_city import city

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")


def test_the_page_holds_the_table_of_now() -> None:
    assert table(load_catalog()) in PAGE, (
        "run `python -m ingest.alarms.rule_table` and put its table into docs/rules.md"
    )


def test_every_rule_is_in_the_table_with_source_and_grade() -> None:
    rows = [line.strip("| ").split(" | ") for line in table(load_catalog()).splitlines()[2:]]
    told = {row[0].strip("`") for row in rows}
    everywhere = {f"*.{key}" for key in (BAD_DATA, CLOCK, EXPIRES, VERIFY_DUE)}
    assert told == {*kind_book(load_catalog()).by_id, REPEAT_OFFENDER, *everywhere}
    assert all(len(row) == 10 and row[8] and row[9] in ("A", "B", "C") for row in rows)


def test_every_rule_has_a_name_for_people() -> None:
    for line in table(load_catalog()).splitlines()[2:]:
        rule, zh, en = line.strip("| ").split(" | ")[:3]
        label = rule_label(rule.strip("`").replace("*", "gas_alarm"), load_catalog())
        assert (label.zh, label.en) == (zh, en)


def test_the_examples_can_be_read() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    areas, kinds, some = blocks
    text = some.replace('"F-012"', '"F-1"').replace("pole-0007", "lamp-00")
    site = city(areas.replace('"station-1"', '"station-2"').replace('"airspace"', '"air-2"') + kinds + text)
    assert len(site.areas) == 5
    assert [scoped.scope for scoped in site.scoped] == ["circuit", "device"]
