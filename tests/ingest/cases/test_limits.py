"""The shipped table of sub-classes, and tables that contradict themselves."""

from pathlib import Path

import pytest

from devices.site_file import load_site
from ingest.cases.limits import SHIPPED, Limits, load_limits
from ingest.errors import AlarmError

LIMITS = load_limits()


@pytest.mark.parametrize("key", LIMITS.classes)
def test_each_row_says_where_it_comes_from(key: str) -> None:
    row = LIMITS.classes[key]
    assert row.source and row.grade in "ABC" and row.version
    assert row.label.zh and row.label.en.isascii()
    assert row.severe_hours is None or row.severe_hours < row.hours


def test_the_limits_that_are_asked_for() -> None:
    """24 hours unless said otherwise; roads 48 and 24; manholes and leakage within 2 to 4."""
    hours = {key: (row.hours, row.severe_hours) for key, row in LIMITS.classes.items()}
    assert hours["other"] == (24, None)
    assert hours["road_damage"] == (48, 24)
    assert all(2 <= each <= 4 for key in ("manhole", "gas_leak", "pole_leakage") for each in hours[key] if each)


@pytest.mark.parametrize(
    ("rule", "sub_class"),
    [
        ("gas_alarm.conc_pct_lel.high", "gas_leak"),
        ("gas_alarm.state.state", "gas_leak"),
        ("gas_alarm.state.fault", "device_fault"),
        ("gas_alarm.no_data", "device_fault"),
        ("light_pole.leak_ma.leakage", "pole_leakage"),
        ("light_pole.lamp_fail.fault", "street_lighting"),
        ("light_pole.pm25_ugm3.high", "site_dust"),
        ("bridge_wim.over_pct.overload", "bridge_overload"),
        ("refuse_truck.over_pct.overload", "truck_overload"),
        ("refuse_truck.load_kg.tipping", "rubble"),
        ("light_pole.feeder_leakage", "pole_leakage"),
        ("light_pole.circuit_fault", "street_lighting"),
        ("bridge_wim.repeat_offender", "bridge_overload"),
        ("drone.batt_pct.low", "drone_incident"),
        ("drone_dock.rain.heavy", "drone_incident"),
        ("a_kind_of_your_own.fill_pct.full", "device_fault"),
    ],
)
def test_sub_class_of_a_rule(rule: str, sub_class: str) -> None:
    assert LIMITS.of_rule(rule).key == sub_class


def test_every_rule_that_is_named_exists() -> None:
    """An entry that no rule of the shipped kinds can meet would be a slip of the pen."""
    kinds = load_site(None).catalog.kinds
    for row in LIMITS.classes.values():
        for entry in row.rules:
            assert entry.partition(".")[0] in kinds, f"{row.key}: {entry}"


def test_codes() -> None:
    assert LIMITS.classes["exposed_refuse"].code == "E-01-02"
    assert LIMITS.classes["manhole"].code == "C-01"


def write(folder: Path, text: str) -> Limits:
    """Load a table from text."""
    path = folder / "limits.toml"
    path.write_text(text, encoding="utf-8")
    return load_limits(path)


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Every contradiction is told in one go, each with its row."""
    text = SHIPPED.read_text(encoding="utf-8")
    wrong = text.replace('default = "other"', 'default = "nothing"').replace(
        "hours = 48\nsevere_hours = 24", "hours = -1"
    )
    wrong = wrong.replace('big = "04"\nsmall = "03"', 'big = "77"').replace('key = "noise"', 'key = "other"')
    with pytest.raises(AlarmError) as found:
        write(tmp_path, wrong)
    for word in ("'nothing'", "hours -1", "'77'", "'other' stands twice"):
        assert word in str(found.value)


@pytest.mark.parametrize("text", ["default = ", "\x00", "[[classes]]\nkey = 'x'"])
def test_not_a_table(tmp_path: Path, text: str) -> None:
    with pytest.raises(AlarmError, match=r"limits\.toml"):
        write(tmp_path, text)
