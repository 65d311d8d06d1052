"""Every shipped limit on a value, through the whole engine: at T and beside it, at the clear line, around delays."""

from dataclasses import dataclass
from typing import Any

import pytest

from devices.catalog import load_catalog
from devices.kind import Kind, Level, Limit
from devices.signals import Registered, While
from ingest.alarms.own_kind import COLLECTOR
from ingest.alarms.rules import Rule, SilenceRule, kind_book
from tests.ingest.alarms.feeding import message, tick, ticks
from tests.ingest.alarms.rule_city import Message, Story, city, of_point, samples, told

KINDS = load_catalog().kinds
BOOK = kind_book(load_catalog())
EPSILON = 0.001
DEVICES = {
    "gas_alarm": "gas",
    "drone": "drone",
    "drone_dock": "dock",
    "refuse_truck": "truck",
    "bridge_wim": "wim",
    "light_pole": "pole",
}


@dataclass(frozen=True)
class Case:
    """One level of one rule on a value, and the device it is tried on."""

    rule: Rule
    level: Level

    @property
    def name(self) -> str:
        return f"{self.rule.id}-{self.level.level}"

    @property
    def limit(self) -> Limit:
        return self.rule.limit

    @property
    def kind(self) -> Kind:
        return KINDS[self.rule.kind]

    @property
    def device(self) -> str:
        public = any(isinstance(each, Registered) and not each.but for each in self.limit.armed)
        return "canteen" if public else DEVICES[self.rule.kind]

    @property
    def point(self) -> str:
        return f"{self.device}/{self.rule.field}.{self.limit.key}"

    @property
    def sign(self) -> float:
        return -1.0 if self.limit.sense == "below" else 1.0

    @property
    def step_s(self) -> float:
        """Return a rhythm in which delays and staleness are whole numbers of samples."""
        delays = [delay for delay in (self.limit.on_s, self.limit.off_s) if delay]
        return min([*delays, self.kind.stale_after_s / 2]) / 5

    def around(self) -> dict[str, float]:
        """Return what else a sample must say for the rule to be armed."""
        found = {}
        for each in self.limit.armed:
            if isinstance(each, While):
                found[each.field] = each.values[0] if each.values else each.low if each.low is not None else each.high
        return {key: value for key, value in found.items() if value is not None}

    def played(self, rows: list[tuple[float, float]]) -> Story:
        around = self.around()
        return of_point(
            city(), samples(self.rule.kind, self.device, [(t, {**around, self.rule.field: v}) for t, v in rows]),
            self.point,
        )  # fmt: skip

    def far(self) -> float:
        """Return a value that reaches no level."""
        if self.limit.sense == "state":
            return 0.0
        first = self.limit.levels[0].value
        return first - self.sign * (self.limit.deadband + 1)


ALL = [
    Case(rule, level)
    for rules in BOOK.by_measurement.values()
    for rule in rules
    if rule.limit.signal is None and not rule.limit.passage and rule.kind != COLLECTOR.key
    # By day alone, which test_schedules tries; all else of it is the same flag as the other faults.
    if rule.field != "day_burner"
    for level in rule.limit.levels
]
CASES = [pytest.param(case, id=case.name) for case in ALL]
NUMBERS = [pytest.param(case, id=case.name) for case in ALL if case.limit.sense != "state"]
ARMED = [pytest.param(case, id=case.name) for case in ALL if case.around()]


def last_level(story: Story) -> int:
    return story[-1][1] if story else 0


def held(case: Case, value: float, from_s: float, for_s: float) -> list[tuple[float, float]]:
    """Return samples of one value at both ends of a time and between."""
    steps = max(1, round(for_s / case.step_s))
    return [(from_s + for_s * n / steps, value) for n in range(steps + 1)]


@pytest.mark.parametrize("case", CASES)
def test_equality_raises_after_the_on_delay_and_not_a_sample_earlier(case: Case) -> None:
    rows = [(0, case.far()), *held(case, case.level.value, 1, case.limit.on_s)]
    story = case.played(rows)
    assert (story[-1][1], story[-1][2]) == (case.level.level, 1 + case.limit.on_s)
    if case.limit.on_s:
        assert last_level(case.played(rows[:-1])) == 0


@pytest.mark.parametrize("case", NUMBERS)
def test_a_little_less_does_not_reach_the_level(case: Case) -> None:
    value = case.level.value - case.sign * EPSILON
    story = case.played([(0, case.far()), *held(case, value, 1, case.limit.on_s + 1)])
    assert last_level(story) == case.level.level - 1


@pytest.mark.parametrize("case", NUMBERS)
def test_equality_at_the_clear_line_does_not_clear(case: Case) -> None:
    line = case.level.value - case.sign * case.limit.deadband
    begun = held(case, case.level.value, 0, case.limit.on_s)
    story = case.played([*begun, *held(case, line, begun[-1][0] + 1, case.limit.off_s + 1)])
    assert last_level(story) == case.level.level


@pytest.mark.parametrize("case", CASES)
def test_beyond_the_clear_line_it_clears_after_the_off_delay_and_not_a_sample_earlier(case: Case) -> None:
    away = case.far()
    if case.limit.sense != "state":
        away = case.level.value - case.sign * (case.limit.deadband + EPSILON)
    begun = held(case, case.level.value, 0, case.limit.on_s)
    rows = [*begun, *held(case, away, begun[-1][0] + 1, case.limit.off_s)]
    below = 0 if case.limit.sense == "state" else case.level.level - 1
    story = case.played(rows)
    assert (last_level(story), story[-1][2]) == (below, rows[-1][0])
    if case.limit.off_s:
        assert last_level(case.played(rows[:-1])) == case.level.level


@pytest.mark.parametrize("case", [each for each in CASES if each.values[0].limit.off_s])
def test_one_sample_on_the_other_side_resets_the_off_delay(case: Case) -> None:
    begun = held(case, case.level.value, 0, case.limit.on_s)
    out = held(case, case.far(), begun[-1][0] + 1, case.limit.off_s)
    back = [(out[-1][0] - case.step_s / 2, case.level.value)]
    story = case.played([*begun, *out[:-1], *back, out[-1]])
    assert last_level(story) == case.level.level


@pytest.mark.parametrize("case", CASES)
def test_a_gap_longer_than_stale_after_counts_for_no_delay(case: Case) -> None:
    stale_s = case.kind.stale_after_s
    if case.limit.on_s:
        assert case.played([(0, case.level.value), (stale_s + 1, case.level.value)]) == []
    begun = held(case, case.level.value, 0, case.limit.on_s)
    if case.limit.off_s:
        gone = begun[-1][0] + 1
        story = case.played([*begun, (gone, case.far()), (gone + stale_s + 1, case.far())])
        assert last_level(story) == case.level.level


@pytest.mark.parametrize("case", CASES)
def test_a_late_sample_may_raise_and_never_clears(case: Case) -> None:
    around = case.around()

    def said(at_s: float, value: float, ts_s: float | None = None) -> Message:
        more: dict[str, Any] = {} if ts_s is None else {"ts_s": ts_s}
        return message(at_s, case.rule.kind, case.device, {**around, case.rule.field: value}, **more)

    late = of_point(city(), [said(100, case.far()), said(101, case.level.value, 40)], case.point)
    assert late == ([("late", case.level.level, 40.0)] if case.limit.on_s == 0 else [])
    begun = [said(t + 200, v) for t, v in held(case, case.level.value, 0, case.limit.on_s)]
    afterwards = [said(900 + n, case.far(), n) for n in range(0, 190, 10)]
    assert last_level(of_point(city(), [*begun, *afterwards], case.point)) == case.level.level


@pytest.mark.parametrize("case", ARMED)
def test_while_it_is_not_armed_it_neither_raises_nor_stays(case: Case) -> None:
    around, field = case.around(), case.rule.field
    disarmed = {"mode": 0.0, "lamp_fail": 1.0}
    assert set(around) <= set(disarmed)
    off = {key: disarmed[key] for key in around}
    rows: list[tuple[float, dict[str, float]]] = [
        (at_s, {**off, field: value}) for at_s, value in held(case, case.level.value, 0, case.limit.on_s + 1)
    ]
    assert of_point(city(), samples(case.rule.kind, case.device, rows), case.point) == []
    begun = [(at_s, {**around, field: value}) for at_s, value in held(case, case.level.value, 0, case.limit.on_s)]
    ended = [(at_s + begun[-1][0] + 1, row) for at_s, row in rows[:1]]
    ended.append((ended[0][0] + case.limit.off_s, ended[0][1]))
    assert last_level(of_point(city(), samples(case.rule.kind, case.device, [*begun, *ended]), case.point)) == 0


@pytest.mark.parametrize("rule", BOOK.silence.values(), ids=lambda rule: rule.id)
def test_silence_raises_after_its_time_and_not_a_second_earlier(rule: SilenceRule) -> None:
    device = {**DEVICES, "gateway": "gw"}[rule.kind]
    field = rule.no_data.while_field
    values = {field: rule.no_data.while_values[0]} if field else {KINDS[rule.kind].headline: 1.0}
    after_s = round(rule.no_data.after_s)
    # Ticks in between would be many; while they are missing longer than this the collector is thought to be down.
    hello = message(0, rule.kind, device, values)
    passing = ticks(0, after_s) if after_s < 2_000 else [tick(second) for second in range(0, after_s, 9)]
    point = f"{device}/no_data"
    assert of_point(city(), [hello, *passing, tick(after_s - 0.5)], point) == []
    assert of_point(city(), [hello, *passing, tick(after_s)], point) == [("raise", 1, float(after_s))]


@pytest.mark.parametrize(
    ("device", "data", "limit_kg"),
    [
        ("wim", {"axle_count": 2}, 18_000),
        ("wim", {"axle_count": 3, "axle_groups": "12"}, 25_000),
        ("wim", {"axle_count": 3, "axle_groups": "111"}, 27_000),
        ("wim", {"axle_count": 3}, 25_000),
        ("wim", {"axle_count": 4, "axle_groups": "112", "axle_gap1_m": 1.9}, 31_000),
        ("wim", {"axle_count": 4, "axle_groups": "112", "axle_gap1_m": 3.6}, 36_000),
        ("wim", {"axle_count": 4}, 31_000),
        ("wim", {"axle_count": 5, "axle_groups": "113"}, 43_000),
        ("wim", {"axle_count": 6, "axle_groups": "123"}, 49_000),
        ("wim", {"axle_count": 6, "axle_groups": "1113"}, 46_000),
        ("wim", {"axle_count": 6}, 49_000),
        ("wim", {"axle_count": 8, "axle_groups": "1223"}, 49_000),
        ("low-bridge", {"axle_count": 6, "axle_groups": "123"}, 20_000),
        ("low-bridge", {"axle_count": 2}, 18_000),
    ],
)
@pytest.mark.parametrize(
    ("over_pct", "priority"),
    [(9.99, None), (10, "P4"), (29.99, "P4"), (30, "P3"), (49.99, "P3"), (50, "P2"), (99.99, "P2"), (100, "P1")],
)
def test_an_overload_is_graded_by_the_limit_of_its_axles(
    device: str, data: dict[str, Any], limit_kg: int, over_pct: float, priority: str | None
) -> None:
    passage = {"pass_id": "p", "gvw_kg": limit_kg * (1 + over_pct / 100), **data}
    passed = message(0, "bridge_wim", device, passage, channel="event")
    story = of_point(city(), [passed], f"{device}/over_pct.overload/p")
    levels = {"P4": 1, "P3": 2, "P2": 3, "P1": 4}
    # What is over the bridge's own limit is told by that, which is urgent.
    above = device == "low-bridge" and passage["gvw_kg"] >= 20_001 and priority != "P1"
    assert story == ([] if priority is None or above else [("passage", levels[priority], 0.0)])


@pytest.mark.parametrize(
    ("device", "gross_kg", "rules"),
    [
        ("low-bridge", 20_000, set()),
        ("low-bridge", 20_010, {"over_posted_kg.posted"}),
        ("low-bridge", 30_000, {"over_posted_kg.posted"}),
        ("low-bridge", 40_000, {"over_pct.overload"}),
        ("low-bridge", 100_000, {"gvw_kg.hundred_tonnes"}),
        ("wim", 99_990, {"over_pct.overload"}),
        ("wim", 100_000, {"gvw_kg.hundred_tonnes"}),
    ],
)
def test_what_a_bridge_cannot_bear_is_urgent(device: str, gross_kg: float, rules: set[str]) -> None:
    """One vehicle is one alarm: the most urgent rule tells it, of equally urgent ones the first of the table."""
    passage = {"pass_id": "p", "axle_count": 6, "gvw_kg": gross_kg}
    found = {
        rule
        for rule in ("over_pct.overload", "gvw_kg.hundred_tonnes", "over_posted_kg.posted")
        if of_point(
            city(), [message(0, "bridge_wim", device, passage, channel="event")], f"{device}/{rule}/p"
        )
    }  # fmt: skip
    assert found == rules


@pytest.mark.parametrize(
    ("data", "over_pct"),
    [
        ({"gross_kg": 24_000, "tare_kg": 9_000}, 50.0),
        ({"load_kg": 11_800, "tare_kg": 9_000}, 30.0),
        ({"load_kg": 3_000, "tare_kg": 9_000}, 0.0),
    ],
)
def test_a_refuse_truck_is_measured_by_its_registered_maximum_mass(data: dict[str, float], over_pct: float) -> None:
    levels = {50.0: 3, 30.0: 2, 0.0: 0}
    story = of_point(city(), samples("refuse_truck", "truck", [(0, data), (30, data)]), "truck/over_pct.overload")
    assert last_level(story) == levels[over_pct]


@pytest.mark.parametrize(
    ("device", "ppm", "priority"),
    [
        ("gas", 24, "P2"),
        ("gas", 48, "P2"),
        ("gas", 159, "P2"),
        ("gas", 160, "P1"),
        ("canteen", 24, "P2"),
        ("canteen", 47, "P2"),
        ("canteen", 48, "P1"),
        ("canteen", 160, "P1"),
    ],
)
def test_carbon_monoxide_is_judged_by_one_limit_for_each_place(device: str, ppm: float, priority: str) -> None:
    raised = [t for t in told(city(), samples("gas_alarm", device, [(0, {"conc_ppm": ppm})])) if t.what == "raise"]
    assert [(t.device, t.priority, t.latch) for t in raised if "/conc_ppm." in t.point] == [(device, priority, True)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"gas": "CH4", "conc_pct_vol": 1.2499}, set()),
        ({"gas": "CH4", "conc_pct_vol": 1.25}, {("gas/conc_pct_lel.high", "P2")}),
        ({"gas": "CH4", "conc_pct_vol": 2.4999}, {("gas/conc_pct_lel.high", "P2")}),
        ({"gas": "CH4", "conc_pct_vol": 2.5}, {("gas/conc_pct_lel.high", "P1")}),
        ({"conc_pct_vol": 2.5}, {("gas/conc_pct_lel.high", "P1")}),
        ({"gas": "CH4", "conc_ppm": 100}, set()),
        ({"gas": "甲烷", "conc_ppm": 12_499}, set()),
        ({"gas": "甲烷", "conc_ppm": 12_500}, {("gas/conc_pct_lel.high", "P2")}),
        ({"gas": "CH4", "conc_ppm": 25_000}, {("gas/conc_pct_lel.high", "P1")}),
        ({"gas": "CO", "conc_ppm": 23.9}, set()),
        ({"gas": "CO", "conc_ppm": 24}, {("gas/conc_ppm.co", "P2")}),
        ({"gas": "CO", "conc_pct_vol": 0.016}, {("gas/conc_ppm.co", "P1")}),
        ({"conc_ppm": 24}, {("gas/conc_ppm.co", "P2")}),
        ({"gas": "CH4+CO", "conc_ppm": 24, "conc_pct_lel": 1}, {("gas/conc_ppm.co", "P2")}),
        ({"gas": "O2", "conc_pct_vol": 20.9}, set()),
    ],
    ids=str,
)
def test_a_gas_is_judged_as_what_it_is_in_whatever_unit_it_is_sent(
    data: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    found = told(city(), [message(0, "gas_alarm", "gas", data)])
    assert {(t.point, t.priority) for t in found if t.what == "raise" and "/conc_" in t.point} == expected


def test_methane_that_rises_in_volume_is_rising_gas() -> None:
    rows = [message(n * 10, "gas_alarm", "gas", {"gas": "CH4", "conc_pct_vol": 0.1 + n * 0.05}) for n in range(13)]
    assert of_point(city(), rows, "gas/conc_pct_lel.rate")[0][:2] == ("raise", 1)
