"""The rules that look at several samples, at another field or at a place, each through the whole engine."""

from collections.abc import Iterable

import pytest

from devices.signals import Learned
from ingest.alarms.rules import Rule, rule_book
from ingest.alarms.signals import Seen, Window, reducer
from tests.ingest.alarms.feeding import message
from tests.ingest.alarms.rule_city import Message, Story, city, of_point, samples

MINUTE, HOUR = 60, 3600
# The instant 0 of the tables is eight in the morning in Hangzhou.
TEN_AT_NIGHT = 14 * HOUR


def every(step_s: float, start_s: float, stop_s: float) -> list[float]:
    """Return instants in [start, stop]."""
    return [start_s + step_s * n for n in range(int((stop_s - start_s) / step_s) + 1)]


class TestGas:
    """The rise of gas: 5 %LEL a minute, by least squares over two minutes."""

    POINT = "gas/conc_pct_lel.rate"

    def rising(self, per_min: float, instants: Iterable[float]) -> list[tuple[float, dict[str, float]]]:
        return [(at_s, {"conc_pct_lel": 1 + per_min * at_s / MINUTE}) for at_s in instants]

    def story(self, rows: Iterable[tuple[float, dict[str, float]]]) -> Story:
        return of_point(city(), samples("gas_alarm", "gas", rows), self.POINT)

    def test_it_raises_as_soon_as_a_slope_can_be_told(self) -> None:
        assert self.story(self.rising(5.001, every(10, 0, 60))) == [("raise", 1, 30.0)]

    def test_a_slower_rise_is_none(self) -> None:
        assert self.story(self.rising(4.999, every(10, 0, 200))) == []

    def test_a_slope_beyond_all_numbers_is_none_and_later_ones_count(self) -> None:
        rows = [(at_s, {"conc_pct_lel": 1e308 if at_s % 20 else -1e308}) for at_s in every(10, 0, 120)]
        assert self.story(rows) == []
        assert self.story([*rows, *((300 + at_s, row) for at_s, row in self.rising(6, every(10, 0, 60)))]) == [
            ("raise", 1, 330.0)
        ]

    def test_beyond_its_range_gas_rises_all_the_same(self) -> None:
        assert self.story([(0, {"conc_pct_lel": 0}), (20, {"conc_pct_lel": 50}), (40, {"conc_pct_lel": 9999})]) == [
            ("raise", 1, 40.0)
        ]

    def test_two_samples_are_no_slope(self) -> None:
        assert self.story([(0, {"conc_pct_lel": 0}), (60, {"conc_pct_lel": 20})]) == []

    def test_samples_further_apart_than_the_window_are_no_slope(self) -> None:
        assert self.story(self.rising(10, every(130, 0, 520))) == []

    def test_one_wild_sample_among_many_is_no_rise(self) -> None:
        rows = [(at_s, {"conc_pct_lel": 1.0}) for at_s in every(5, 0, 115)]
        assert self.story([*rows, (120, {"conc_pct_lel": 8.0})]) == []

    def test_it_returns_a_minute_after_the_rise_has_ended(self) -> None:
        rows = self.rising(6, every(10, 0, 60))
        flat = [(at_s, {"conc_pct_lel": 7.0}) for at_s in every(10, 70, 400)]
        story = self.story([*rows, *flat])
        assert [(what, level) for what, level, _ in story] == [("raise", 1), ("return", 0)]
        # The slope is below 3 from about a minute after the last rise on; then the off-delay of a minute.
        assert 150 <= story[1][2] <= 200

    def test_a_late_sample_belongs_to_no_slope(self) -> None:
        late = [message(at_s, "gas_alarm", "gas", {"conc_pct_lel": 40.0}, ts_s=5) for at_s in (11, 12, 13, 14)]
        rows = samples("gas_alarm", "gas", [(at_s, {"conc_pct_lel": 1.0}) for at_s in every(10, 10, 100)])
        assert of_point(city(), [*rows, *late], self.POINT) == []


class TestDeviation:
    """Dimming against the command: ten points for five minutes."""

    POINT = "pole/dim_pct.deviation"

    def story(self, rows: Iterable[tuple[float, dict[str, float]]]) -> Story:
        return of_point(city(), samples("light_pole", "pole", rows), self.POINT)

    @pytest.mark.parametrize(("actual", "raised"), [(90, True), (89.999, False), (70, True), (70.001, False)])
    def test_ten_points_count(self, actual: float, raised: bool) -> None:
        rows = [(at_s, {"cmd_pct": 80.0, "dim_pct": actual}) for at_s in every(60, 0, 300)]
        assert self.story(rows) == ([("raise", 1, 300.0)] if raised else [])
        assert self.story(rows[:-1]) == []

    def test_command_and_value_may_come_in_messages_of_their_own(self) -> None:
        rows: list[tuple[float, dict[str, float]]] = [(0, {"cmd_pct": 100.0})]
        rows += [(at_s, {"dim_pct": 20.0}) for at_s in every(60, 10, 310)]
        assert self.story(rows) == [("raise", 1, 310.0)]

    def test_a_value_without_a_command_deviates_from_nothing(self) -> None:
        assert self.story([(at_s, {"dim_pct": 20.0}) for at_s in every(60, 0, 600)]) == []

    @pytest.mark.parametrize("known", ["lamp_fail", "day_burner"])
    def test_what_the_controller_says_itself_is_not_said_twice(self, known: str) -> None:
        rows = [(at_s, {"cmd_pct": 100.0, "dim_pct": 0.0, known: 1.0}) for at_s in every(60, 0, 600)]
        assert self.story(rows) == []

    def test_a_deviation_beyond_all_numbers_is_none(self) -> None:
        assert self.story([(at_s, {"cmd_pct": -1.7e308, "dim_pct": 1.7e308}) for at_s in every(60, 0, 600)]) == []

    def test_it_returns_a_minute_after_the_lamp_obeys(self) -> None:
        rows = [(at_s, {"cmd_pct": 80.0, "dim_pct": 60.0}) for at_s in every(60, 0, 300)]
        rows += [(at_s, {"cmd_pct": 80.0, "dim_pct": 72.001}) for at_s in (360, 390, 420)]
        assert self.story(rows) == [("raise", 1, 300.0), ("return", 0, 420.0)]


class TestAir:
    """Hourly means: three quarters of twelve steps of five minutes."""

    POINT = "pole/pm25_ugm3.high"

    def story(self, rows: Iterable[tuple[float, float]], *more: Message) -> Story:
        own = samples("light_pole", "pole", [(at_s, {"pm25_ugm3": value}) for at_s, value in rows])
        return of_point(city(), [*own, *more], self.POINT)

    @pytest.mark.parametrize(("value", "level"), [(59.9, 0), (60, 1), (115, 2), (150, 3), (249.9, 3), (250, 4)])
    def test_levels(self, value: float, level: int) -> None:
        rows = [(at_s, value) for at_s in every(60, 0, 2700)]
        assert self.story(rows) == ([("raise", level, 2700.0)] if level else [])
        # Nine steps have to be over: a sample earlier the ninth is not.
        assert self.story(rows[:-1]) == []

    def test_a_peak_is_no_hour(self) -> None:
        rows = [(at_s, 300.0 if 1200 <= at_s < 1500 else 20.0) for at_s in every(60, 0, 4000)]
        assert self.story(rows) == []

    def test_an_hour_of_which_too_little_was_heard_is_not_judged(self) -> None:
        heard = [at_s for at_s in every(60, 0, 3700) if at_s % 900 < 600]
        assert self.story([(at_s, 300.0) for at_s in heard]) == []

    @pytest.mark.parametrize("absurd", [-9999, 65535, 1e308])
    def test_a_mean_takes_in_no_implausible_value(self, absurd: float) -> None:
        rows = [(at_s, absurd if at_s % 180 == 0 else 60.0) for at_s in every(60, 0, 2760)]
        assert self.story(rows) == [("raise", 1, 2760.0)]
        # An hour of nothing else is an hour that was not heard.
        assert self.story([(at_s, absurd) for at_s in every(60, 0, 4000)]) == []

    def test_it_returns_when_the_mean_has_left(self) -> None:
        rows = [(at_s, 70.0 if at_s < 2700 else 20.0) for at_s in every(60, 0, 6000)]
        story = self.story(rows)
        assert [(what, level) for what, level, _ in story] == [("raise", 1), ("return", 0)]
        # 9 of 12 steps at 70 and 3 at 20 are 57.5, 8 and 4 are 53.3: below 60 − 5.
        assert story[1][2] == 2700 + 4 * 300

    def test_a_late_sample_counts_in_the_hour_it_belongs_to(self) -> None:
        rows = [(at_s, 59.0) for at_s in every(60, 0, 3000)]
        late = [message(2950 + n, "light_pole", "pole", {"pm25_ugm3": 300.0}, ts_s=1800 + n) for n in range(3)]
        assert self.story(rows) == []
        # Three of eight samples of one step: (5 × 59 + 3 × 300) / 8 in one of ten steps, 68 in all.
        assert self.story(rows, *late) == [("raise", 1, 3000.0)]


class TestNoise:
    """What is above the class of a place, by day and by night, in two windows of ten minutes one behind the other."""

    def story(self, device: str, level: float, start_s: float = 0) -> Story:
        rows = [(at_s, {"noise_dba": level}) for at_s in every(30, start_s, start_s + 1200)]
        return of_point(city(), samples("light_pole", device, rows), f"{device}/noise_dba.high")

    @pytest.mark.parametrize(
        ("device", "start_s", "level_dba", "level"),
        [
            ("pole", 0, 64.9, 0),
            ("pole", 0, 65.001, 1),
            ("pole", 0, 70.001, 2),
            ("pole", TEN_AT_NIGHT, 54.9, 0),
            ("pole", TEN_AT_NIGHT, 55.001, 1),
            ("pole", TEN_AT_NIGHT, 60.001, 2),
            ("quiet-pole", 0, 55.001, 1),
            ("quiet-pole", TEN_AT_NIGHT, 45.001, 1),
            ("unknown-pole", 0, 110, 0),
        ],
    )
    def test_levels(self, device: str, start_s: float, level_dba: float, level: int) -> None:
        # Seven of the ten minutes before count as a window.
        expected = [("raise", level, start_s + 17 * MINUTE)] if level else []
        assert self.story(device, level_dba, start_s) == expected

    def test_ten_loud_minutes_alone_are_not_enough(self) -> None:
        rows = [(at_s, {"noise_dba": 67.0 if 1200 <= at_s < 1800 else 50.0}) for at_s in every(30, 0, 3600)]
        assert of_point(city(), samples("light_pole", "pole", rows), "pole/noise_dba.high") == []

    def test_levels_are_averaged_by_their_energy(self) -> None:
        # Half of the time 68 and half 40 is 65 by energy, and 54 by the numbers.
        rows = [(at_s, {"noise_dba": 68.05 if at_s % 60 else 40.0}) for at_s in every(30, 0, 1200)]
        story = of_point(city(), samples("light_pole", "pole", rows), "pole/noise_dba.high")
        assert [(what, level) for what, level, _ in story] == [("raise", 1)]

    @pytest.mark.parametrize("absurd", [400, 9999, 1e308, -9999, -1e308])
    def test_one_absurd_level_is_no_noise(self, absurd: float) -> None:
        rows = [(at_s, {"noise_dba": absurd if at_s % 600 == 30 else 64.0}) for at_s in every(30, 0, 3600)]
        assert of_point(city(), samples("light_pole", "pole", rows), "pole/noise_dba.high") == []

    def test_a_level_below_all_hearing_for_an_hour_is_none(self) -> None:
        assert self.story("pole", -9999) == self.story("pole", 9999) == []

    def test_absurd_levels_hide_no_noise(self) -> None:
        rows = [(at_s, {"noise_dba": -9999 if at_s % 300 == 30 else 71.0}) for at_s in every(30, 0, 1200)]
        story = of_point(city(), samples("light_pole", "pole", rows), "pole/noise_dba.high")
        assert story == [("raise", 2, 17 * MINUTE)]


class TestCurrent:
    """A lamp's current against what it usually draws."""

    def rows(self, *spans: tuple[float, float, float, float]) -> list[tuple[float, dict[str, float]]]:
        """Return samples of (start, stop, command, current) every 20 seconds."""
        return [
            (at_s, {"cmd_pct": command, "dim_pct": command, "supply_a": current})
            for start_s, stop_s, command, current in spans
            for at_s in every(20, start_s, stop_s)
        ]

    def story(self, rows: Iterable[tuple[float, dict[str, float]]], key: str) -> Story:
        return of_point(city(), samples("light_pole", "pole", rows), f"pole/supply_a.{key}")

    LEARNED = (0, 400, 100, 0.6)

    def test_a_tenth_for_five_minutes_is_low(self) -> None:
        rows = self.rows(self.LEARNED, (420, 720, 100, 0.06))
        assert self.story(rows, "current_low") == [("raise", 1, 720.0)]
        assert self.story(rows[:-1], "current_low") == []
        assert self.story(self.rows(self.LEARNED, (420, 1000, 100, 0.0601)), "current_low") == []

    def test_a_third_more_for_five_minutes_is_high(self) -> None:
        assert self.story(self.rows(self.LEARNED, (420, 720, 100, 0.7801)), "current_high") == [("raise", 1, 720.0)]
        assert self.story(self.rows(self.LEARNED, (420, 1000, 100, 0.7799)), "current_high") == []

    def test_nothing_is_judged_before_it_is_learned(self) -> None:
        assert self.story(self.rows((0, 60, 100, 0.6), (80, 360, 100, 0.01)), "current_low") == []

    def test_each_step_of_dimming_has_its_own_usual_current(self) -> None:
        assert self.story(self.rows(self.LEARNED, (420, 2000, 50, 0.05)), "current_low") == []

    def test_a_lamp_that_is_off_draws_little_and_that_is_right(self) -> None:
        assert self.story(self.rows(self.LEARNED, (420, 2000, 0, 0.002)), "current_low") == []

    def test_a_failure_that_the_controller_tells_is_not_told_twice(self) -> None:
        failed = [(at_s, {**row, "lamp_fail": 1.0}) for at_s, row in self.rows((420, 1000, 100, 0.0))]
        assert self.story([*self.rows(self.LEARNED), *failed], "current_low") == []

    def test_an_implausible_current_is_not_learned(self) -> None:
        first = [(at_s, {**row, "supply_a": 9999.0}) for at_s, row in self.rows((0, 20, 100, 0))]
        ordinary = self.rows((40, 2000, 100, 0.6))
        assert self.story([*first, *ordinary], "current_low") == []
        assert self.story([*first, *ordinary, *self.rows((2020, 2320, 100, 0.06))], "current_low") == [
            ("raise", 1, 2320.0)
        ]

    @pytest.mark.parametrize("absurd", [101, 4000, -1, -1.7e308, 1.7e308])
    def test_under_an_absurd_command_nothing_is_learned_and_nothing_judged(self, absurd: float) -> None:
        rows = [
            (at_s, {"cmd_pct": absurd, "dim_pct": 100.0, "supply_a": current})
            for start_s, stop_s, current in ((0, 400, 0.6), (420, 2000, 0.06), (2020, 4000, 0.9))
            for at_s in every(20, start_s, stop_s)
        ]
        assert self.story(rows, "current_low") == self.story(rows, "current_high") == []
        later = [(4000 + at_s, row) for at_s, row in self.rows(self.LEARNED, (420, 720, 100, 0.06))]
        assert self.story([*rows, *later], "current_low") == [("raise", 1, 4720.0)]

    def test_however_many_commands_there_are_few_states_are_kept(self) -> None:
        """Of 0 to 100 % in steps of ten those from 10 % on, at which a lamp is judged."""
        site, window = city(), Window()
        rule = rule_book(site).by_id["light_pole.supply_a.current_low"]
        assert isinstance(rule, Rule) and isinstance(rule.limit.signal, Learned)
        reduce = reducer(rule.limit.signal, rule, site)
        for n in range(-3_000, 3_000):
            values = {"cmd_pct": n / 2, "dim_pct": 100.0}
            reduce(window, Seen(0.6, n, values, lambda _: None, None, False))
        assert window[::3] == [float(state) for state in range(1, 11)]

    def test_a_share_beyond_all_numbers_is_none(self) -> None:
        absurd = self.rows((420, 1000, 100, 1.7e308))
        assert self.story([*self.rows((0, 400, 100, 1e-300)), *absurd], "current_high") == []

    def test_what_lasts_does_not_become_usual(self) -> None:
        day = self.rows(self.LEARNED, (420, 30_000, 100, 0.9))
        assert self.story(day, "current_high") == [("raise", 1, 720.0)]


class TestTipping:
    """A load that falls away from a transfer station: 200 kg in ten seconds."""

    AWAY, STATION = (30.2, 120.2), (30.3, 120.3)

    def story(self, loads: Iterable[tuple[float, float]], place: tuple[float, float] | None = AWAY) -> Story:
        where = {} if place is None else {"lat": place[0], "lon": place[1]}
        rows = [(at_s, {"load_kg": load, **where}) for at_s, load in loads]
        return of_point(city(), samples("refuse_truck", "truck", rows), "truck/load_kg.tipping")

    def test_two_hundred_kilograms_count(self) -> None:
        assert self.story([(0, 3000), (10, 2800)]) == [("raise", 1, 10.0)]
        assert self.story([(0, 3000), (10, 2801)]) == []

    def test_in_a_transfer_station_it_is_what_trucks_are_for(self) -> None:
        assert self.story([(0, 3000), (10, 100)], self.STATION) == []

    def test_without_a_place_nothing_is_suspected(self) -> None:
        assert self.story([(0, 3000), (10, 100)], None) == []

    def test_a_load_that_goes_down_slowly_is_no_tipping(self) -> None:
        assert self.story([(10 * n, 3000 - 150 * n) for n in range(20)]) == []

    def test_after_a_gap_nothing_is_known_of_ten_seconds(self) -> None:
        assert self.story([(0, 3000), (60, 100)]) == []

    def test_a_fall_beyond_all_numbers_is_none(self) -> None:
        assert self.story([(0, 1.7e308), (5, -1.7e308)]) == []

    def test_a_load_that_rises_is_none(self) -> None:
        assert self.story([(0, 100), (10, 3000)]) == []

    def test_it_returns_a_minute_later(self) -> None:
        loads = [(0, 3000), (5, 1000), *((10 + 10 * n, 1000) for n in range(9))]
        assert self.story(loads) == [("raise", 1, 5.0), ("return", 0, 80.0)]


class TestFence:
    """Where drones may fly."""

    INSIDE, BEYOND, PAD = (30.25, 120.17), (30.41, 120.17), (30.1, 120.1)

    def story(self, places: Iterable[tuple[float, tuple[float, float]]], mode: float | None = 5) -> Story:
        flying = {} if mode is None else {"mode": mode}
        rows = [(at_s, {"lat": lat, "lon": lon, **flying}) for at_s, (lat, lon) in places]
        return of_point(city(), samples("drone", "drone", rows), "drone/lat.fence")

    @pytest.mark.parametrize("place", [BEYOND, PAD])
    def test_beyond_the_airspace_or_above_the_pad_raises_at_once(self, place: tuple[float, float]) -> None:
        assert self.story([(0, self.INSIDE), (1, place)]) == [("raise", 1, 1.0)]

    def test_it_returns_ten_seconds_after_it_is_back(self) -> None:
        places = [(0.0, self.BEYOND), *((float(n), self.INSIDE) for n in range(1, 12))]
        assert self.story(places) == [("raise", 1, 0.0), ("return", 0, 11.0)]

    def test_on_the_ground_it_may_stand_anywhere(self) -> None:
        assert self.story([(0, self.BEYOND)], mode=0) == []

    def test_where_the_mode_was_never_heard_it_is_thought_to_fly(self) -> None:
        assert self.story([(0, self.BEYOND)], mode=None) == [("raise", 1, 0.0)]

    def test_no_position_is_no_crossing(self) -> None:
        assert self.story([(0, (0.0, 0.0))]) == []
