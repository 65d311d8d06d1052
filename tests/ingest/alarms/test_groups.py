"""Rules on a circuit or street: five lamps in ten minutes, too few lamps lit, leakage of a whole circuit."""

from collections.abc import Iterable

import pytest

from ingest.alarms.transitions import Transition
from tests.ingest.alarms.feeding import T0, ticks
from tests.ingest.alarms.rule_city import LAMPS, Message, city, samples, told

CIRCUIT = [f"lamp-{n:02d}" for n in range(12)]
# The instant 0 of the tables is eight in the morning; lamps burn from about half past five.
NINE_PM = 13 * 3600


def failing(*at_s: float, value: float = 1.0) -> list[Message]:
    """Return the first lamps of a circuit failing (or recovering) at these instants, one after the other."""
    return [
        m for n, second in enumerate(at_s) for m in samples("light_pole", CIRCUIT[n], [(second, {"lamp_fail": value})])
    ]


def brief(found: Iterable[Transition]) -> list[tuple[str, str, str]]:
    """Return (what, device, cause)."""
    return [(t.what, t.device, t.cause) for t in found]


def seconds(found: Iterable[Transition]) -> list[tuple[str, int, float]]:
    """Return (what, level, second)."""
    return [(t.what, t.level, (t.at_ms - T0) / 1000) for t in found]


def test_five_lamps_in_ten_minutes_are_one_fault_of_their_circuit_with_its_members() -> None:
    found = [t for t in told(city(), failing(0, 100, 200, 300, 599, 650)) if t.kind == "light_pole"]
    assert brief(found) == [
        *(("raise", CIRCUIT[n], "") for n in range(5)),
        ("raise", "circuit:F-0", ""),
        *(("fold", CIRCUIT[n], "circuit:F-0") for n in range(5)),
        ("raise", CIRCUIT[5], "circuit:F-0"),
    ]
    (whole,) = (t for t in found if t.device == "circuit:F-0")
    assert (whole.rule, whole.priority, whole.value) == ("light_pole.circuit_fault", "P2", 5.0)
    assert found[-1].suppression == "by_design"


@pytest.mark.parametrize(("fifth_s", "is_one"), [(600, True), (601, False)])
def test_ten_minutes_are_counted_from_the_first(fifth_s: float, is_one: bool) -> None:
    found = told(city(), failing(0, 10, 20, 30, fifth_s))
    assert any(t.device == "circuit:F-0" for t in found) == is_one


def test_four_lamps_are_four_faults() -> None:
    assert not any(t.device.startswith("circuit:") for t in told(city(), failing(0, 1, 2, 3)))


def test_lamps_of_two_circuits_are_not_one() -> None:
    messages = [
        m for n in range(8, 16) for m in samples("light_pole", f"lamp-{n:02d}", [(n, {"lamp_fail": 1.0})])
    ]  # fmt: skip
    assert not any(t.device.startswith("circuit:") for t in told(city(), messages))


def test_as_soon_as_fewer_than_five_are_left_they_stand_on_their_own_again() -> None:
    found = told(city(), [*failing(0, 1, 2, 3, 4), *failing(100, value=0.0), *failing(160, value=0.0)])
    end = brief(found)[-7:]
    assert end[:3] == [("return", CIRCUIT[0], ""), ("unfold", CIRCUIT[0], ""), ("return", "circuit:F-0", "")]
    assert sorted(end[3:]) == [("unfold", CIRCUIT[n], "") for n in range(1, 5)]


def test_a_lamp_that_fails_again_is_counted_from_then() -> None:
    again = [*failing(0), *failing(100, value=0.0), *failing(160, value=0.0)]
    later = samples("light_pole", CIRCUIT[0], [(1000, {"lamp_fail": 1.0})])
    others = [m for n in range(1, 5) for m in samples("light_pole", CIRCUIT[n], [(1000 + n, {"lamp_fail": 1.0})])]
    assert ("raise", "circuit:F-0", "") in brief(told(city(), [*again, *later, *others]))


def street(dark: int, at_s: float, lamps: int = LAMPS, **more: float) -> list[Message]:
    """Return a report of each lamp of the street: the first ones dark, all of them told to shine."""
    return [
        m
        for n in range(lamps)
        for m in samples(
            "light_pole", f"lamp-{n:02d}", [(at_s, {"cmd_pct": 100.0, "dim_pct": 0.0 if n < dark else 100.0, **more})]
        )
    ]


def lit(dark: int, since_s: float, minutes: int = 8, lamps: int = LAMPS) -> list[tuple[str, int, float]]:
    reports = [m for minute in range(minutes) for m in street(dark, since_s + 60 * minute, lamps)]
    # Beside the minutes, so that no look falls between the reports of one.
    passing = ticks(int(since_s), int(since_s) + 60 * minutes)
    return seconds(t for t in told(city(), [*reports, *passing]) if t.rule == "light_pole.lit_rate_main")


def test_too_few_lamps_lit_for_five_minutes_of_the_night() -> None:
    ((what, level, at_s),) = lit(2, NINE_PM)
    assert (what, level) == ("raise", 1)
    assert NINE_PM + 300 <= at_s <= NINE_PM + 420


def test_one_dark_lamp_of_sixty_is_allowed() -> None:
    # 59 of 60 are 98.3 %.
    assert lit(1, NINE_PM) == []


def test_by_day_lamps_may_be_dark() -> None:
    assert lit(30, 4 * 3600) == []


def test_of_a_few_lamps_nothing_is_said() -> None:
    assert lit(10, NINE_PM, lamps=49) == []


def test_lamps_that_are_told_to_be_dark_are_not_counted() -> None:
    reports = [
        m for minute in range(8) for m in street(30, NINE_PM + 60 * minute, cmd_pct=0.0)
    ]  # fmt: skip
    found = told(city(), [*reports, *ticks(NINE_PM, NINE_PM + 480)])
    assert [t for t in found if t.rule == "light_pole.lit_rate_main"] == []


def leaking(milliamperes: float, at_s: float) -> list[Message]:
    return [m for lamp in CIRCUIT[:10] for m in samples("light_pole", lamp, [(at_s, {"leak_ma": milliamperes})])]


@pytest.mark.parametrize(
    ("each_ma", "priority"),
    [(9.99, None), (10, "P3"), (29.9, "P3")],
)
def test_leakage_of_a_circuit_is_the_sum_of_its_poles(each_ma: float, priority: str | None) -> None:
    found = told(city(), [*leaking(each_ma, 0), *ticks(0, 61)])
    raised = [(t.device, t.priority, t.latch) for t in found if t.rule == "light_pole.feeder_leakage"]
    assert raised == ([] if priority is None else [("circuit:F-0", priority, True)])


@pytest.mark.parametrize(("each_ma", "priority"), [(30, "P2"), (49.9, "P2"), (50, "P1")])
def test_worse_leakage_of_a_circuit_is_more_urgent(each_ma: float, priority: str) -> None:
    found = told(city(), [*leaking(each_ma, 0), *ticks(0, 61)])
    assert [t.priority for t in found if t.rule == "light_pole.feeder_leakage"] == [priority]
    assert sum(t.rule == "light_pole.leak_ma.leakage" for t in found) == 10


def test_leakage_is_armed_at_any_hour() -> None:
    for hour in range(0, 24, 3):
        found = told(city(), [*leaking(20, hour * 3600), *ticks(hour * 3600, hour * 3600 + 61)])
        assert [t.what for t in found if t.rule == "light_pole.feeder_leakage"] == ["raise"]


def test_leakage_returns_a_minute_after_it_is_below_by_the_deadband() -> None:
    steady = [m for minute in range(6) for m in leaking(8.1 if minute else 20, 60 * minute)]
    assert [w for w, _, _ in seconds(_feeder([*steady, *ticks(0, 360)]))] == ["raise"]
    over = [m for minute in range(6) for m in leaking(7.9 if minute else 20, 60 * minute)]
    assert [w for w, _, _ in seconds(_feeder([*over, *ticks(0, 360)]))] == ["raise", "return"]


def _feeder(messages: list[Message]) -> list[Transition]:
    return [t for t in told(city(), messages) if t.rule == "light_pole.feeder_leakage"]


def test_a_street_may_have_a_rate_of_its_own() -> None:
    scoped = city('[[limits_for]]\nstreet = "s01"\nkind = "light_pole"\nfield = "lit_rate_main"\nlevels = [90]\n')
    reports = [m for minute in range(8) for m in street(4, NINE_PM + 60 * minute)]
    messages = [*reports, *ticks(NINE_PM, NINE_PM + 480)]
    assert [t for t in told(scoped, messages) if t.rule == "light_pole.lit_rate_main"] == []
    (usual,) = (t for t in told(city(), messages) if t.rule == "light_pole.lit_rate_main")
    reports = [m for minute in range(8) for m in street(7, NINE_PM + 60 * minute)]
    (own,) = (
        t
        for t in told(scoped, [*reports, *ticks(NINE_PM, NINE_PM + 480)])
        if t.rule == "light_pole.lit_rate_main"
    )  # fmt: skip
    assert own.rule_version.endswith("@street")
    assert "@" not in usual.rule_version
