"""One rule in force for each device and signal: its own before its circuit's, its street's and its kind's."""

import pytest

from ingest.alarms.rules import rule_book
from tests.ingest.alarms.rule_city import city, samples, told

DEVICE = '[[limits_for]]\ndevice = "lamp-00"\nkind = "light_pole"\nfield = "leak_ma"\nlevels = [10]\n'
CIRCUIT = '[[limits_for]]\ncircuit = "F-0"\nkind = "light_pole"\nfield = "leak_ma"\nlevels = [15]\n'
STREET = '[[limits_for]]\nstreet = "s01"\nkind = "light_pole"\nfield = "leak_ma"\nlevels = [20]\n'
KIND = "[limits.light_pole.leak_ma]\nlevels = [25]\n"
ALL = DEVICE + CIRCUIT + STREET + KIND


@pytest.mark.parametrize(
    ("tail", "lamp", "raises_at", "scope"),
    [
        (ALL, "lamp-00", 10, "device"),
        (ALL, "lamp-01", 15, "circuit"),
        (ALL, "lamp-12", 20, "street"),
        (ALL, "pole", 25, ""),
        (CIRCUIT + STREET + KIND, "lamp-00", 15, "circuit"),
        (STREET + KIND, "lamp-00", 20, "street"),
        (KIND, "lamp-00", 25, ""),
        ("", "lamp-00", 30, ""),
    ],
)
def test_the_narrowest_scope_counts(tail: str, lamp: str, raises_at: float, scope: str) -> None:
    site = city(tail)
    assert [
        t for t in told(site, samples("light_pole", lamp, [(0, {"leak_ma": raises_at - 0.01})])) if "leak" in t.point
    ] == []
    (found,) = (t for t in told(site, samples("light_pole", lamp, [(0, {"leak_ma": raises_at})])) if "leak" in t.point)
    assert found.rule == "light_pole.leak_ma.leakage"
    # The version says which scope it came from.
    assert found.rule_version.partition("@")[2] == scope


def test_a_rule_of_a_device_stands_in_place_of_the_usual_and_not_beside_it() -> None:
    found = told(city(ALL), samples("light_pole", "lamp-00", [(0, {"leak_ma": 400.0})]))
    assert [t.what for t in found if t.point == "lamp-00/leak_ma.leakage"] == ["raise"]


def test_every_rule_of_a_device_has_one_version() -> None:
    book = rule_book(city(ALL))
    assert book.own is not None
    assert {rule.limit.levels[0].value for rules in book.own.values() for rule in rules.values()} == {10.0, 15.0, 20.0}
    assert len(book.own) == 60
