"""Numbers skipped and clocks ahead are told of the device, once, and never of the city."""

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
