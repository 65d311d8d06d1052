"""Numbers skipped and clocks ahead are told of the device, once, and never of the city."""

from collections.abc import Sequence

from devices.site import Site
from tests.ingest.alarms.feeding import message, records, ticks, transitions


def numbered(at_s: float, seq: int, **envelope: object) -> tuple[float, str, bytes]:
    return message(at_s, "gas_alarm", "gas-1", {"conc_pct_lel": 1}, seq=seq, **envelope)


def told(site: Site, *messages: tuple[float, str, bytes]) -> list[tuple[str, float]]:
    found = transitions(site, records([*messages, *ticks(0, 200)]))
    return [(t.field, t.value or 0.0) for t in found if t.what == "health"]


def test_skipped_numbers_are_counted_and_told_once_a_minute(site: Site) -> None:
    messages = [numbered(0, 1), numbered(10, 2), numbered(20, 5), numbered(30, 9), numbered(81, 10)]
    assert told(site, *messages) == [("seq_gap", 2.0), ("seq_gap", 3.0)]


def test_a_late_message_fills_its_gap(site: Site) -> None:
    first = [numbered(0, 1), numbered(1, 4)]
    assert told(site, *first) == [("seq_gap", 2.0)]
    late = [numbered(2, 6), numbered(3, 5), numbered(70, 7)]
    assert told(site, *first, *late) == [("seq_gap", 2.0)]


def test_a_device_that_begins_anew_has_skipped_nothing(site: Site) -> None:
    assert told(site, numbered(0, 5000), numbered(10, 0), numbered(20, 1), numbered(30, 2)) == []
    assert told(site, numbered(0, 5000), numbered(10, 3), numbered(20, 4)) == []


def test_a_device_that_numbers_from_another_beginning_has_skipped_nothing(site: Site) -> None:
    assert told(site, numbered(0, 1), numbered(10, 1_767_225_600), numbered(80, 1_767_225_601)) == []
    assert told(site, numbered(0, 1), numbered(10, 100_002)) == []
    assert told(site, numbered(0, 1), numbered(70, 100_000)) == [("seq_gap", 99_998.0)]


def test_repeats_and_back_filled_messages_do_not_count(site: Site) -> None:
    assert told(site, numbered(0, 5), numbered(0, 5), numbered(10, 6), numbered(20, 1, hist=True)) == []


def test_a_clock_ahead_is_an_alarm_of_the_device_until_it_is_set(site: Site) -> None:
    messages = [numbered(0, 1), numbered(10, 2, ts_s=1000), numbered(20, 3, ts_s=1010), numbered(30, 4)]
    found = transitions(site, records([*messages, *ticks(0, 60)]))
    clock = [(t.what, t.rule, t.priority, t.value) for t in found if t.point == "gas-1/clock"]
    assert clock == [("raise", "gas_alarm.clock", "health", 990.0), ("return", "gas_alarm.clock", "health", 0.0)]
    assert told(site, *messages) == [("clock_skew_s", 990.0), ("clock_skew_s", 0.0)]


def bad_data(site: Site, *messages: tuple[float, str, bytes], splits: Sequence[int] = ()) -> list[tuple[str, str, str]]:
    """Return (what, field, quality) of what is said about bad readings."""
    found = transitions(site, records([*messages, *ticks(0, 200)]), splits)
    return [
        (t.what, t.field, t.quality) for t in found if t.what == "doubt" or t.rule.endswith(".bad_data")
    ]  # fmt: skip


def gas_of(at_s: float, quality: str = "good", **more: object) -> tuple[float, str, bytes]:
    return message(at_s, "gas_alarm", "gas-1", {"conc_pct_lel": 60, "temp_c": 20}, q=quality, **more)


def test_what_a_device_calls_bad_is_an_alarm_of_the_device_until_it_is_good(site: Site) -> None:
    messages = [gas_of(0), gas_of(10, "bad"), gas_of(20, "bad"), gas_of(30)]
    expected = [("doubt", "", "bad"), ("raise", "", "bad"), ("doubt", "", "good"), ("return", "", "good")]
    assert bad_data(site, *messages) == expected
    assert bad_data(site, *messages, splits=[11, 12, 23]) == expected


def test_one_bad_field_is_told_by_its_name(site: Site) -> None:
    broken = gas_of(10, qf=["temp_c:sensor_fault"])
    without = message(20, "gas_alarm", "gas-1", {"conc_pct_lel": 60})
    assert bad_data(site, gas_of(0), broken, without, gas_of(30)) == [
        ("doubt", "temp_c", "bad"),
        ("raise", "", "bad"),
        ("doubt", "temp_c", "good"),
        ("return", "", "good"),
    ]


def test_one_bad_field_says_nothing_of_what_else_is_measured_with_it(site: Site) -> None:
    """A message of two measurements; the field belongs to one of them, and is good again when that one says so."""
    data = {"dim_pct": 50, "pm25_ugm3": 30}
    told = [message(at, "light_pole", "pole-1", data, **({"qf": ["pm25_ugm3:comm"]} if at == 10 else {})) for at in
            (0, 10, 20)]  # fmt: skip
    assert bad_data(site, *told) == [
        ("doubt", "pm25_ugm3", "bad"),
        ("raise", "", "bad"),
        ("doubt", "pm25_ugm3", "good"),
        ("return", "", "good"),
    ]


def test_flags_of_fields_that_there_are_not_are_remembered_of_nobody(site: Site) -> None:
    assert bad_data(site, *(gas_of(at, qf=[f"made_up_{at}:comm"]) for at in range(50))) == []


def test_readings_of_before_say_nothing_of_now(site: Site) -> None:
    assert bad_data(site, gas_of(10), gas_of(20, "bad", ts_s=-900, hist=True)) == []


def test_bad_readings_neither_raise_nor_return(site: Site) -> None:
    quiet = message(0, "gas_alarm", "gas-1", {"conc_pct_lel": 1})
    high = [t for t in transitions(site, records([quiet, gas_of(10, "bad")])) if t.rule.endswith("conc_pct_lel.high")]
    assert high == []
    over = [message(at, "gas_alarm", "gas-1", {"conc_pct_lel": 0}, q="bad") for at in (20, 90, 160)]
    high = [t for t in transitions(site, records([gas_of(0), *over])) if t.rule.endswith("conc_pct_lel.high")]
    assert [t.what for t in high] == ["raise"]
