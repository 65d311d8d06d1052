"""The native envelope: what is taken, what is refused, and that a refusal costs no more than it must."""

import json

import pytest

from devices.readings import Quality
from tests.devices.small_city import GAS, NOW_MS, SENT_MS, envelope, only, read, readings, refusal

WIM = "city/v1/demo/bridge_wim/wim-03/event"
DIGITS = "expected epoch s, ms, µs or ns (10, 13, 16 or 19 digits)"
RFC = "expected epoch milliseconds or RFC 3339 with an offset"

# topic, payload, reason, part of the sentence
REFUSED: dict[str, tuple[str, str | bytes, str, str]] = {
    "wrong topic": ("city/v1/demo/gas-0042", envelope({"state": 0}), "topic", "expected city/v1/district/kind/device"),
    "foreign topic": ("zigbee2mqtt/gas", envelope({"state": 0}), "topic", "or a known foreign topic"),
    "secret topic": ("sys/product/4TADKAQ000002J/status", "{}", "topic", "or a known foreign topic"),
    "wrong id": ("city/v1/demo/gas_alarm/gas 42/telemetry", envelope({"state": 0}), "device_id", "device id 'gas 42'"),
    "unknown kind": (
        "city/v1/demo/gas_alarn/gas-0042/telemetry",
        envelope({"state": 0}),
        "unknown_kind",
        "kind 'gas_alarn' is not known; did you mean 'gas_alarm'?",
    ),
    "very unknown kind": (
        "city/v1/demo/toaster/t-1/telemetry",
        envelope({}),
        "unknown_kind",
        "kind 'toaster' is not known",
    ),
    "broken JSON": (GAS, '{"ts":1767225600123,"data":{"state":', "json", "not JSON (Input data was truncated)"),
    "trailing text": (GAS, envelope({"state": 0}) + "x", "json", "not JSON"),
    "nothing": (GAS, "", "json", "the message is empty, as one that clears a retained message"),
    "invalid UTF-8": (GAS, b'{"data":{"gas":"\xff"}}', "json", "invalid start byte"),
    "NaN": (GAS, '{"data":{"conc_pct_lel":NaN}}', "json", "not JSON"),
    "Infinity": (GAS, '{"data":{"conc_pct_lel":-Infinity}}', "json", "not JSON"),
    "1e999": (GAS, '{"data":{"conc_pct_lel":1e999}}', "json", "Number out of range"),
    "2 MB": (
        GAS,
        envelope({"gas": "x" * 2_000_000}),
        "too_large",
        "payload of 2000050 bytes, expected at most 1048576",
    ),
    "deep nesting": (GAS, "[" * 100_000, "json", "recursion"),
    "a number": (GAS, "5", "envelope", "expected a JSON object with ts and data, found 5"),
    "null": (GAS, "null", "envelope", "expected a JSON object with ts and data, found None"),
    "empty list": (GAS, "[]", "envelope", "an array of 0 samples, expected 1 to 100"),
    "101 samples": (
        GAS,
        f"[{','.join([envelope({'state': 0})] * 101)}]",
        "envelope",
        "an array of 101 samples, expected 1 to 100",
    ),
    "list of lists": (GAS, "[[]]", "envelope", "sample 1: expected a JSON object with ts and data, found []"),
    "no data": (GAS, '{"ts":1767225600123}', "envelope", "data: expected an object of fields, found None"),
    "data is a list": (GAS, envelope([1]), "envelope", "data: expected an object of fields, found [1]"),
    "another device": (
        GAS,
        envelope({"state": 2}, device="gas-9"),
        "mismatch",
        "device 'gas-9' in the payload, but the topic says 'gas-0042'",
    ),
    "another device_id": (GAS, envelope({"state": 2}, device_id=42), "mismatch", "device_id 42 in the payload"),
    "another kind": (
        GAS,
        envelope({"state": 2}, kind="drone"),
        "mismatch",
        "kind 'drone' in the payload, but the topic says 'gas_alarm'",
    ),
    "unknown quality": (GAS, envelope({"state": 2}, q="fine"), "envelope", "q 'fine': expected good, uncertain or bad"),
    "quality is a list": (GAS, envelope({"state": 2}, q=["good"]), "envelope", "q ['good']: expected good"),
    "quality is null": (GAS, envelope({"state": 2}, q=None), "envelope", "q None: expected good"),
    "status no word": (
        "city/v1/demo/gateway/gw-s01/status",
        "up",
        "status",
        "status b'up': expected online or offline",
    ),
    "no status": (
        "city/v1/demo/gateway/gw-s01/status",
        b"",
        "status",
        "the status is empty, as a message that clears a retained one",
    ),
    "status of 2 MB": ("city/v1/demo/gateway/gw-s01/status", "u" * 2_000_000, "status", "expected online or offline"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_message_is_refused_with_a_reason_and_a_sentence(name: str) -> None:
    topic, payload, reason, part = REFUSED[name]
    found, sentence = refusal(topic, payload)
    assert found == reason
    assert part in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize(
    ("ts", "at_ns"),
    [
        (1767225600, 1767225600_000_000_000),
        (1767225600123, 1767225600_123_000_000),
        (1767225600123456, 1767225600_123_456_000),
        (1767225600123456789, 1767225600_123_456_789),
        ("2026-01-01T08:00:00.123+08:00", 1767225600_123_000_000),
        ("2026-01-01T00:00:00.123Z", 1767225600_123_000_000),
        ("2025-12-31T19:00:00-05:00", 1767225600_000_000_000),
        (1000000000, 1000000000_000_000_000),  # the past is history, not a fault
    ],
)
def test_a_time_is_read_to_the_nanosecond(ts: object, at_ns: int) -> None:
    reading = only(read(GAS, envelope({"state": 2}, ts=ts)))
    assert (reading.at_ns, reading.quality, reading.flags) == (at_ns, Quality.GOOD, {})


@pytest.mark.parametrize("payload", [envelope({"state": 2}, ts=None), '{"data":{"state":2}}'], ids=["null", "missing"])
def test_without_a_time_the_receipt_counts_and_the_reading_is_uncertain(payload: str) -> None:
    decoded = read(GAS, payload)
    reading = only(decoded)
    assert reading.at_ns // 1_000_000 == NOW_MS
    assert (reading.quality, reading.flags) == (Quality.UNCERTAIN, {"": "no_ts"})
    assert decoded.parts[0][0] == ""  # the same words may be true again


@pytest.mark.parametrize(
    ("ahead_ms", "corrected"), [(0, False), (300_000, False), (300_001, True), (365 * 86_400_000, True)]
)
def test_a_clock_more_than_five_minutes_ahead_is_replaced_by_the_receipt(ahead_ms: int, corrected: bool) -> None:
    reading = only(read(GAS, envelope({"state": 2}, ts=NOW_MS + ahead_ms)))
    assert reading.values == {"state": 2.0}
    if corrected:
        assert reading.at_ns // 1_000_000 == NOW_MS
        assert (reading.quality, reading.flags) == (Quality.UNCERTAIN, {"": "clock_skew"})
    else:
        assert reading.at_ns == (NOW_MS + ahead_ms) * 1_000_000
        assert (reading.quality, reading.flags) == (Quality.GOOD, {})


def test_a_repeat_with_a_wrong_clock_is_still_recognised() -> None:
    ahead = envelope({"state": 2}, ts=NOW_MS + 86_400_000, seq=5)
    assert read(GAS, ahead).parts[0][0] == read(GAS, ahead, NOW_MS + 7_000).parts[0][0] != ""


@pytest.mark.parametrize(
    ("keys", "identity"),
    [
        ({"id": "01JH8Q", "seq": 4}, "gas-0042|telemetry|id:01JH8Q"),
        ({"id": 17}, "gas-0042|telemetry|id:17"),
        ({"seq": 4}, f"gas-0042|telemetry|{SENT_MS}:4"),
    ],
    ids=["id", "number as id", "ts and seq"],
)
def test_a_sample_is_identified_by_id_or_else_by_ts_and_seq(keys: dict[str, object], identity: str) -> None:
    assert read(GAS, envelope({"state": 0}, **keys)).parts[0][0] == identity


@pytest.mark.parametrize("keys", [{}, {"id": {"a": 1}}, {"seq": [1]}], ids=["none", "id an object", "seq a list"])
def test_without_an_identifier_the_message_itself_is_one(keys: dict[str, object]) -> None:
    first, again, other = (read(GAS, envelope({"state": state}, **keys)).parts[0][0] for state in (0, 0, 1))
    assert first == again != other


def test_an_endless_identifier_is_remembered_short() -> None:
    keys = [read(GAS, envelope({"state": 0}, id="x" * 100_000 + end)).parts[0][0] for end in "aab"]
    assert keys[0] == keys[1] != keys[2]
    assert len(keys[0]) < 200


# A time that cannot be read, and the sentence that says so.
ODD_TIMES = {
    "ts of 9 digits": (envelope({"state": 2}, ts=123456789), f"ts 123456789: {DIGITS}"),
    "ts of 12 digits": (envelope({"state": 2}, ts=123456789012), DIGITS),
    "ts of 400 digits": (envelope({"state": 2}, ts=10**400), DIGITS),
    "ts negative": (envelope({"state": 2}, ts=-SENT_MS), DIGITS),
    "ts zero": (envelope({"state": 2}, ts=0), DIGITS),
    "ts a float": (envelope({"state": 2}, ts=1767225600.123), RFC),
    "ts true": (envelope({"state": 2}, ts=True), f"ts True: {RFC}"),
    "ts without offset": (envelope({"state": 2}, ts="2026-01-01T08:00:00"), RFC),
    "ts no time": (envelope({"state": 2}, ts="yesterday"), f"ts 'yesterday': {RFC}"),
    "ts before 1970": (envelope({"state": 2}, ts="1969-12-31T23:59:59Z"), "expected a time since 1970"),
    "ts in the year 1": (envelope({"state": 2}, ts="0001-01-01T00:00:00Z"), "expected a time since 1970"),
}


@pytest.mark.parametrize("name", ODD_TIMES)
def test_a_time_that_cannot_be_read_costs_the_time_and_not_the_alarm(name: str) -> None:
    payload, sentence = ODD_TIMES[name]
    decoded = read(GAS, payload)
    (reading,) = readings(decoded)
    assert (reading.values, reading.quality, reading.flags) == ({"state": 2.0}, Quality.UNCERTAIN, {"": "no_ts"})
    assert reading.at_ns // 1_000_000 == NOW_MS
    ((reason, told),) = [(fault.reason, fault.sentence) for fault in decoded.faults]
    assert reason == "ts" and sentence in told and len(told) < 400


@pytest.mark.parametrize("ts", [str(SENT_MS), float(SENT_MS)])
def test_the_token_of_a_time_does_not_matter(ts: object) -> None:
    assert only(read(GAS, envelope({"state": 2}, ts=ts))).at_ns == SENT_MS * 1_000_000


@pytest.mark.parametrize("name", ["", True, None])
def test_an_empty_name_names_nothing(name: object) -> None:
    keys = [read(GAS, envelope({"state": 0}, id=name, seq=seq)).parts[0][0] for seq in (0, 1)]
    assert keys[0] != keys[1]


def test_one_bad_entry_of_an_array_does_not_cost_the_others() -> None:
    good, bad = envelope({"state": 1}, seq=1), envelope({"state": 2}, q="fine")
    decoded = read(GAS, f"[{good},{bad},{envelope({'state': 0}, seq=3)},7]")
    assert [reading.values for reading in readings(decoded)] == [{"state": 1.0}, {"state": 0.0}]
    assert [fault.reason for fault in decoded.faults] == ["envelope", "envelope"]
    assert [fault.sentence.partition(":")[0] for fault in decoded.faults] == ["sample 2", "sample 4"]
    assert (decoded.kind, decoded.device) == ("gas_alarm", "gas-0042")


def test_an_array_may_hold_a_hundred_and_each_entry_has_its_own_identity() -> None:
    decoded = read(GAS, f"[{','.join(envelope({'state': 0}, ts=SENT_MS + n, hist=True) for n in range(100))}]")
    assert len({key for key, _ in decoded.parts}) == 100
    assert [reading.at_ns // 1_000_000 - SENT_MS for reading in readings(decoded)] == list(range(100))
    assert all(reading.history for reading in readings(decoded))


@pytest.mark.parametrize("channel", ["cmd", "cmd_ack"])
def test_commands_are_nothing_to_store(channel: str) -> None:
    decoded = read(f"city/v1/demo/gas_alarm/gas-0042/{channel}", '{"close":true}')
    assert (decoded.parts, decoded.faults) == ([], ())


@pytest.mark.parametrize(
    ("word", "online"), [("online", True), ("offline", False), ('"offline"', False), (" ONLINE\n", True)]
)
def test_a_last_will_is_a_status(word: str, online: bool) -> None:
    decoded = read("city/v1/demo/gateway/gw-s01/status", word)
    reading = only(decoded)
    assert decoded.status is online
    assert (reading.measurement, reading.values) == ("device_status", {"online": float(online)})
    assert reading.at_ns // 1_000_000 == NOW_MS


def test_a_retained_state_is_telemetry() -> None:
    assert only(read("city/v1/demo/gateway/gw-s01/state", envelope({"children": 3}))).values == {"children": 3.0}


def test_the_position_of_the_envelope_is_a_field_unless_data_says_better() -> None:
    truck = "city/v1/demo/refuse_truck/truck-014/telemetry"
    reading = only(read(truck, envelope({"lat": 30.5, "odo_km": 1}, loc={"lat": 30.1, "lon": 120.1, "alt": 4})))
    assert reading.values == {"lat": 30.5, "lon": 120.1, "odo_km": 1.0}


@pytest.mark.parametrize(
    ("keys", "of_state", "of_temp"),
    [
        ({}, Quality.GOOD, Quality.GOOD),
        ({"q": "uncertain"}, Quality.UNCERTAIN, Quality.UNCERTAIN),
        ({"q": "bad"}, Quality.BAD, Quality.BAD),
        ({"qf": ["temp_c:sensor_fault"]}, Quality.GOOD, Quality.BAD),
        ({"qf": ["temp_c:calib"]}, Quality.GOOD, Quality.UNCERTAIN),
        ({"q": "bad", "qf": ["temp_c:calib"]}, Quality.BAD, Quality.BAD),
        ({"qf": [5, None, {}]}, Quality.GOOD, Quality.GOOD),
        ({"qf": "temp_c:calib"}, Quality.GOOD, Quality.GOOD),
    ],
)
def test_quality_is_of_the_reading_or_of_one_field(
    keys: dict[str, object], of_state: Quality, of_temp: Quality
) -> None:
    reading = only(read(GAS, envelope({"state": 0, "temp_c": 20}, **keys)))
    assert (reading.quality_of("state"), reading.quality_of("temp_c")) == (of_state, of_temp)


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    assert only(read(GAS, '{"ts":1767225600123,"data":{"state":0,"state":2}}')).values == {"state": 2.0}


def test_a_lift_and_a_passage_come_on_events_only() -> None:
    passage = envelope({"pass_id": "p", "gvw_kg": 1000})
    assert only(read(WIM, passage)).measurement == "wim_pass"
    decoded = read(WIM.replace("/event", "/telemetry"), passage)
    assert (readings(decoded), decoded.unknown) == ([], 2)


def test_the_example_of_the_contract_is_understood() -> None:
    contract = json.loads(
        '{"v":1,"id":"01JH8Q","ts":1767225600123,"seq":4211,"q":"good","qf":[],"gw":"GW-03","hist":false,'
        '"loc":{"lat":29.9,"lon":121.6,"alt":41.7},"data":{"state":0}}'
    )
    reading = only(read(GAS, json.dumps(contract)))
    assert (reading.values, reading.quality, reading.history) == ({"state": 0.0}, Quality.GOOD, False)
