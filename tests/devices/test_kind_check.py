"""Kinds that contradict themselves: each mistake, and the sentence a kind's author reads."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from devices.catalog import load_catalog
from devices.kind import Field, GroupLimit, Kind, Level, Limit, number, text
from devices.kind_check import contradictions
from devices.signals import Deviation, Learned, Mean, Rate, Share, Together, Total, While
from tests.devices.small_city import TOYS

TOY = load_catalog([TOYS]).kinds["water_level"]
LEVEL = TOY.field("level_m")
(HIGH,) = LEVEL.limits
BY_RAIN = Learned("rain_mm", 10, 20, (), ())


def with_field(key: str, *fields: Field) -> Kind:
    """Return the toy with one field replaced by others."""
    measurements = (
        replace(m, fields=tuple(new for old in m.fields for new in (fields if old.key == key else (old,))))
        for m in TOY.measurements
    )
    return replace(TOY, measurements=tuple(measurements))


def level(**changes: Any) -> Kind:
    return with_field("level_m", replace(LEVEL, **changes))


def high(**changes: Any) -> Kind:
    return level(limits=(replace(HIGH, **changes),))


def measurement(index: int, **changes: Any) -> Kind:
    measurements = list(TOY.measurements)
    measurements[index] = replace(measurements[index], **changes)
    return replace(TOY, measurements=tuple(measurements))


def together(of: Share | Total | Together, unit: str = "mm", **changes: Any) -> Kind:
    return replace(TOY, groups=(GroupLimit("street", of, replace(HIGH, **changes), unit),))


def silence(**changes: Any) -> Kind:
    assert TOY.no_data is not None
    return replace(TOY, no_data=replace(TOY.no_data, **changes))


def steps(*values: float) -> tuple[Level, ...]:
    return tuple(Level(n, value, "P3") for n, value in enumerate(values, 1))


AT_LEVEL = "measurement water_level: field level_m: "
AT_HIGH = f"{AT_LEVEL}limit high: "
BROKEN: Mapping[str, tuple[Kind, str]] = {
    "key is no identifier": (replace(TOY, key="water-level"), "key 'water-level': expected a lower-case identifier"),
    "no Chinese label": (
        replace(TOY, zh=""),
        "label and source: expected Chinese, English and a source, found an empty text",
    ),
    "no source": (
        replace(TOY, source=""),
        "label and source: expected Chinese, English and a source, found an empty text",
    ),
    "stale before it is due": (
        replace(TOY, period_s=600),
        "stale_after_s 300: expected at least the period of 600 s",
    ),
    "no period": (replace(TOY, period_s=0), "stale_after_s 300: expected at least the period of 0 s"),
    "unknown headline": (replace(TOY, headline="levle_m"), "headline 'levle_m': expected one of the fields"),
    "moving without a position": (replace(TOY, moving=True), "moving: expected the fields lat and lon"),
    "silence while an unknown field": (
        silence(while_field="mode"),
        "no_data.while_field 'mode': expected one of the fields",
    ),
    "silence of an unknown priority": (
        silence(priority="P5"),
        "no_data.priority 'P5': expected one of P1, P2, P3, P4, health",
    ),
    "unknown channel": (
        measurement(1, channels=("events",)),
        "measurement lock_pass: channel 'events', expected one of event, telemetry",
    ),
    "duplicate field": (with_field("level_m", LEVEL, LEVEL), "measurement water_level: the field level_m stands twice"),
    "field in two measurements of a channel": (
        measurement(
            1, channels=("telemetry",), fields=(*TOY.measurements[1].fields, number("rain_mm", "雨", "r", "mm"))
        ),
        "channel telemetry: the field rain_mm stands in two measurements",
    ),
    "passage that is no field": (
        measurement(1, passage="ship"),
        "measurement lock_pass: passage 'ship', expected one of its fields",
    ),
    "passage limit without a passage": (
        measurement(1, passage=None),
        "measurement lock_pass: field width_m: a passage limit, but the measurement names no passage",
    ),
    "name taken by the store": (
        with_field("rain_mm", number("quality", "质量", "Quality", "1")),
        "measurement water_level: field quality: this name is taken by the store",
    ),
    "field without an English label": (level(en=""), f"{AT_LEVEL}expected a label in Chinese and in English"),
    "unknown unit": (
        with_field("rain_mm", number("rain", "雨量", "Rain", "inch")),
        "measurement water_level: field rain: unit 'inch', expected one of the list in devices/units.py",
    ),
    "wrong unit for the suffix": (level(unit="km"), f"{AT_LEVEL}unit 'km', but the name promises 'm'"),
    "low above high": (level(low=30), f"{AT_LEVEL}low 30 must be below high 20"),
    "low equals high": (level(low=20), f"{AT_LEVEL}low 20 must be below high 20"),
    "text with a limit": (
        with_field("rain_mm", replace(text("note", "备注", "Note"), limits=(HIGH,))),
        "measurement water_level: field note: a text cannot have limits",
    ),
    "two limits of one key": (level(limits=(HIGH, HIGH)), f"{AT_LEVEL}limit keys ['high', 'high'] must differ"),
    "no level": (high(levels=()), f"{AT_HIGH}expected at least one level"),
    "levels that do not count": (
        high(levels=(Level(2, 3.5, "P3"),)),
        f"{AT_HIGH}levels must count 1, 2, 3 … in this order",
    ),
    "levels in the wrong order": (
        high(levels=steps(4.2, 3.5)),
        f"{AT_HIGH}level 2: 3.5 must be worse than the level before it",
    ),
    "levels of one value": (
        high(levels=steps(3.5, 3.5)),
        f"{AT_HIGH}level 2: 3.5 must be worse than the level before it",
    ),
    "levels that fall the wrong way": (
        high(sense="below"),
        f"{AT_HIGH}level 2: 4.2 must be worse than the level before it",
    ),
    "limit without a source": (high(source=""), f"{AT_HIGH}expected a source"),
    "limit of an unknown priority": (
        high(levels=(Level(1, 3, "P0"),)),  # type: ignore[arg-type]
        f"{AT_HIGH}priority 'P0', expected one of P1, P2, P3, P4, health",
    ),
    "state that is no code": (
        with_field("gate", replace(TOY.field("gate"), limits=(replace(HIGH, sense="state", levels=steps(9)),))),
        "measurement water_level: field gate: limit high: state 9 is not among the codes",
    ),
    "negative deadband": (high(deadband=-0.1), f"{AT_HIGH}deadband and delays must not be negative"),
    "negative delay": (high(off_s=-1), f"{AT_HIGH}deadband and delays must not be negative"),
    "delay as long as staleness": (
        high(on_s=300),
        f"{AT_HIGH}on_s 300 must be shorter than stale_after_s 300, else it never fires",
    ),
    "limit in an unknown unit": (
        high(unit="inch"),
        f"{AT_HIGH}unit 'inch', expected one of the list in devices/units.py",
    ),
    "a rate that is a state": (
        high(sense="state", signal=Rate(60)),
        f"{AT_HIGH}a signal is judged by its size, neither as a passage nor as a state",
    ),
    "a rate over no time": (high(signal=Rate(0)), f"{AT_HIGH}window_s 0 must be above 0"),
    "a mean without steps": (
        high(signal=Mean(600, 0, 0.5)),
        f"{AT_HIGH}a mean has 1 to 120 steps, a share above 0 and up to 1, and 1 to 12 windows in a row",
    ),
    "a usual value of no samples": (
        high(signal=Learned("rain_mm", 10, 0, (), ())),
        f"{AT_HIGH}a learned value needs at least one sample and a step above 0",
    ),
    "a usual value for states without end": (
        with_field("rain_mm", replace(TOY.field("rain_mm"), low=None, limits=(replace(HIGH, signal=BY_RAIN),))),
        "measurement water_level: field rain_mm: limit high: 'rain_mm' needs a plausible range, which bounds the "
        "states that something is learned for",
    ),
    "a usual value for more states than are kept": (
        high(signal=Learned("rain_mm", 0.001, 20, (), ())),
        f"{AT_HIGH}'rain_mm' has more than 1,000 steps of 0.001 to learn something for",
    ),
    "a deviation from nothing": (high(signal=Deviation("wish")), f"{AT_HIGH}'wish' is not one of the fields"),
    "armed while nobody knows": (high(armed=(While("mood", low=1),)), f"{AT_HIGH}'mood' is not one of the fields"),
    "a vehicle that is no field": (
        measurement(0, vehicle="plate"),
        "measurement water_level: vehicle 'plate', expected one of its fields",
    ),
    "a group in an unknown unit": (
        together(Total("rain_mm"), unit="inch"),
        "group high: unit 'inch', expected one of the list in devices/units.py",
    ),
    "a sum of nothing": (together(Total("snow_mm")), "group high: 'snow_mm' is not one of the fields"),
    "a share of nobody": (together(Share((), (), 0), unit="%"), "group high: least 0: expected 1 or more"),
    "alarms that there are none of": (
        together(Together("level_m.low", 600)),
        "group high: expected a rule of the kind, a span, and one level of 2 or more devices",
    ),
    "one alarm alone together": (
        together(Together("level_m.high", 600), levels=steps(1)),
        "group high: expected a rule of the kind, a span, and one level of 2 or more devices",
    ),
    "looser than its own cap": (high(cap=3), f"{AT_HIGH}level 1: 3.5 is looser than the cap of 3"),
    "looser than its own cap, below": (
        high(sense="below", levels=steps(2, 1), cap=3),
        f"{AT_HIGH}level 1: 2 is looser than the cap of 3",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_kind_gets_one_sentence(name: str) -> None:
    kind, sentence = BROKEN[name]
    assert contradictions(kind) == [sentence]


def test_every_contradiction_is_told_at_once() -> None:
    kind = replace(level(unit="km", low=30, limits=(replace(HIGH, deadband=-1),)), headline="x")
    assert contradictions(kind) == [
        "headline 'x': expected one of the fields",
        f"{AT_LEVEL}unit 'km', but the name promises 'm'",
        f"{AT_LEVEL}low 30 must be below high 20",
        f"{AT_HIGH}deadband and delays must not be negative",
    ]


def test_a_falling_limit_is_sound_when_it_falls() -> None:
    limit = Limit("low", "低", "low", steps(2, 1, -1), "toy", "C", sense="below", cap=1)
    assert contradictions(level(limits=(HIGH, limit))) == []


def test_the_toy_itself_is_sound() -> None:
    assert contradictions(TOY) == []
