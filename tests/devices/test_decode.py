"""How a kind's table judges values: types, sentinels, ranges, positions, derived fields, and the rest unharmed."""

import json
import math

import pytest

from devices.decode import decode
from devices.readings import Quality
from devices.site import Site
from tests.devices.small_city import GAS, NOW_MS, SENT_MS, SITE, envelope, only, read, readings, refusal

POLE = "city/v1/demo/light_pole/pole-0007/telemetry"
TRUCK = "city/v1/demo/refuse_truck/truck-014/telemetry"
LIFT = "city/v1/demo/refuse_truck/truck-014/event"
WIM = "city/v1/demo/bridge_wim/wim-03/event"

# topic, field, what came instead of its value, sentence
WRONG_TYPES: dict[str, tuple[str, str, object, str]] = {
    "text for a number": (GAS, "temp_c", "12", "gas_alarm.temp_c: expected a number in °C, found '12'"),
    "true for a number": (GAS, "conc_pct_lel", True, "gas_alarm.conc_pct_lel: expected a number in %LEL, found True"),
    "true for a code": (GAS, "valve", True, "gas_alarm.valve: expected a number, found True"),
    "list for a number": (GAS, "temp_c", [1], "gas_alarm.temp_c: expected a number in °C, found [1]"),
    "object for a number": (GAS, "temp_c", {"value": 1}, "gas_alarm.temp_c: expected a number in °C, found {'value'"),
    "too large for a float": (GAS, "temp_c", 10**400, "gas_alarm.temp_c: expected a finite number, found 1000"),
    "two for a flag": (GAS, "fan", 2, "gas_alarm.fan: expected true, false, 1 or 0, found 2"),
    "text for a flag": (GAS, "fan", "on", "gas_alarm.fan: expected true, false, 1 or 0, found 'on'"),
    "list for a text": (GAS, "gas", ["CH4"], "gas_alarm.gas: expected a text, found ['CH4']"),
    "true for a text": (GAS, "gas", False, "gas_alarm.gas: expected a text, found False"),
    "long text": (GAS, "temp_c", "x" * 5000, "gas_alarm.temp_c: expected a number in °C, found 'xxx"),
}


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_a_wrong_type_costs_its_own_field_only(name: str) -> None:
    topic, key, value, sentence = WRONG_TYPES[name]
    decoded = read(topic, envelope({"state": 2, key: value}, seq=1))
    (reading,) = readings(decoded)
    assert reading.values == {"state": 2.0}
    (fault,) = decoded.faults
    assert fault.reason == "type"
    assert fault.sentence.startswith(sentence)
    assert len(fault.sentence) < 300


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_when_nothing_remains_the_message_is_refused(name: str) -> None:
    topic, key, value, sentence = WRONG_TYPES[name]
    reason, found = refusal(topic, envelope({key: value}))
    assert reason == "type"
    assert found.startswith(sentence)


def test_no_more_than_five_faults_are_spelt_out() -> None:
    _, sentence = refusal(POLE, envelope({key: "x" for key in ("dim_pct", "pf", "lux", "rh_pct", "leak_ma", "temp_c")}))
    assert sentence.count("expected") == 5


def test_of_many_faults_five_are_kept_and_what_can_be_read_counts() -> None:
    """A flood of arrays that nobody can read must not cost a sentence for every field."""
    entries = [envelope({"temp_c": "warm", "conc_ppm": n}, ts=SENT_MS + n, seq=n) for n in range(100)]
    decoded = read(GAS, f"[{','.join(entries)}]")
    assert [fault.sentence.partition(" ")[0] for fault in decoded.faults] == ["gas_alarm.temp_c:"] * 5
    assert [reading.values for reading in readings(decoded)] == [{"conc_ppm": float(n)} for n in range(100)]
    assert refusal(GAS, f"[{','.join([envelope({'temp_c': 'warm'})] * 100)}]")[0] == "type"


@pytest.mark.parametrize(
    ("topic", "data", "values"),
    [
        (GAS, {"temp_c": 21, "state": 0}, {"temp_c": 21.0, "state": 0.0}),
        (GAS, {"fan": True, "relay": False}, {"fan": 1.0, "relay": 0.0}),
        (GAS, {"fan": 1, "relay": 0.0}, {"fan": 1.0, "relay": 0.0}),
        (GAS, {"temp_c": None, "state": 1}, {"state": 1.0}),
        (GAS, {"temp_c": -0.0}, {"temp_c": 0.0}),
        (GAS, {"conc_ppm": 65535, "conc_pct_lel": 32767.0, "state": 0}, {"state": 0.0}),
        (POLE, {"dim_pct": 255, "cmd_pct": 65535, "pf": 1}, {"pf": 1.0}),
        (TRUCK, {"lat": 0, "lon": 0.0, "odo_km": 5}, {"odo_km": 5.0}),
        (TRUCK, {"lat": 0, "lon": 120.1}, {"lat": 0.0, "lon": 120.1}),
        (
            LIFT,
            {"lift_id": 17, "bin_rfid": "x" * 500, "net_kg": 3},
            {"lift_id": "17", "bin_rfid": "x" * 128, "net_kg": 3},
        ),
        (LIFT, {"lift_id": "", "net_kg": 3}, {"net_kg": 3.0}),
        (LIFT, {"lift_id": "a\0b", "bin_rfid": "\0", "net_kg": 3}, {"lift_id": "ab", "net_kg": 3.0}),
    ],
    ids=[
        "integers become floats",
        "true and false",
        "one and zero",
        "null is absent",
        "minus zero",
        "sentinels are absent",
        "DALI MASK",
        "no fix",
        "on the equator",
        "texts",
        "empty text",
        "no database holds character 0",
    ],
)
def test_values(topic: str, data: dict[str, object], values: dict[str, object]) -> None:
    reading = only(read(topic, envelope(data)))
    assert reading.values == values
    assert all(isinstance(value, float | str) for value in reading.values.values())


def test_a_flag_belongs_to_the_measurement_of_its_field() -> None:
    told = ["pm25_ugm3:comm", "unheard_of:comm", "maint"]
    decoded = read(POLE, envelope({"dim_pct": 80, "pm25_ugm3": 30}, qf=told))
    flags = {reading.measurement: reading.flags for reading in readings(decoded)}
    assert flags == {"light_pole": {"": "maint"}, "pole_env": {"": "maint", "pm25_ugm3": "comm"}}
    assert decoded.unknown == 1


@pytest.mark.parametrize("data", [{}, {"temp_c": None}, {"conc_ppm": 65535}, {"unheard_of": 1}])
def test_a_message_that_says_nothing_is_no_fault(data: dict[str, object]) -> None:
    decoded = read(GAS, envelope(data))
    assert (readings(decoded), decoded.faults) == ([], ())


@pytest.mark.parametrize(
    ("value", "flagged"), [(-0.1, True), (0, False), (100, False), (100.1, True), (1e300, True), (-40, True)]
)
def test_what_is_out_of_range_is_kept_and_flagged(value: float, flagged: bool) -> None:
    reading = only(read(GAS, envelope({"conc_pct_lel": value, "temp_c": 20})))
    assert reading.values["conc_pct_lel"] == value
    assert reading.flags == ({"conc_pct_lel": "range"} if flagged else {})
    assert reading.quality == Quality.GOOD
    assert reading.quality_of("conc_pct_lel") == (Quality.UNCERTAIN if flagged else Quality.GOOD)
    assert reading.quality_of("temp_c") == Quality.GOOD


def test_what_the_device_says_of_a_field_outweighs_its_range() -> None:
    reading = only(read(GAS, envelope({"conc_pct_lel": 120}, qf=["conc_pct_lel:sensor_fault"])))
    assert reading.quality_of("conc_pct_lel") == Quality.BAD


def test_unknown_keys_are_counted_and_left_out() -> None:
    decoded = read(POLE, envelope({"dim_pct": 80, "temp_c": 3, "tyre_kpa": 830, "x": None, "?": {}}))
    assert {reading.measurement for reading in readings(decoded)} == {"light_pole", "pole_env"}
    assert decoded.unknown == 3


def test_tags_are_not_values() -> None:
    reading = only(read(GAS, envelope({"state": 0, "gas": "CH4", "premises": "home"})))
    assert (reading.values, reading.tags) == ({"state": 0.0}, {"gas": "CH4", "premises": "home"})


def test_a_fault_in_one_measurement_leaves_the_other() -> None:
    decoded = read(POLE, envelope({"dim_pct": "full", "pm25_ugm3": 300}))
    (reading,) = readings(decoded)
    assert (reading.measurement, reading.values) == ("pole_env", {"pm25_ugm3": 300.0})
    assert [fault.sentence.split(":")[0] for fault in decoded.faults] == ["light_pole.dim_pct"]


@pytest.mark.parametrize("channel", ["telemetry", "event", "state", "status"])
def test_a_device_cannot_speak_as_another_kind(channel: str) -> None:
    topic = f"city/v1/demo/light_pole/gas-0042/{channel}"
    reason, sentence = refusal(topic, "offline" if channel == "status" else envelope({"dim_pct": 1}))
    assert reason == "mismatch"
    assert sentence == "gas-0042 is registered as gas_alarm, the topic says light_pole"


def test_a_registered_device_stands_where_the_site_says() -> None:
    assert only(read(GAS.replace("/demo/", "/elsewhere/"), envelope({"state": 0}))).district == "demo"


def test_an_unregistered_device_is_read_all_the_same() -> None:
    topic = "city/v1/north/gas_alarm/gas-9999/telemetry"
    assert "gas-9999" not in SITE.devices
    reading = only(read(topic, envelope({"state": 2})))
    assert (reading.device, reading.district, reading.values) == ("gas-9999", "north", {"state": 2.0})


@pytest.mark.parametrize(
    ("axles", "limit_kg"),
    [(2, 18_000), (3, 25_000), (4, 31_000), (5, 43_000), (6, 49_000), (7, 49_000), (16, 49_000)],
)
def test_the_limit_follows_from_the_axles(axles: int, limit_kg: float) -> None:
    reading = only(read(WIM, envelope({"pass_id": "p", "axle_count": axles, "gvw_kg": limit_kg * 1.25})))
    assert reading.values["limit_kg"] == limit_kg
    assert reading.values["over_kg"] == limit_kg * 0.25
    assert reading.values["over_pct"] == 25.0


# what the station sends → limit_kg, over_kg, over_pct
OVERLOADS: dict[str, tuple[dict[str, float], tuple[float | None, float | None, float | None]]] = {
    "at the limit": ({"axle_count": 2, "gvw_kg": 18_000}, (18_000, 0, 0)),
    "below the limit": ({"axle_count": 2, "gvw_kg": 5_000}, (18_000, 0, 0)),
    "ten per cent over": ({"axle_count": 2, "gvw_kg": 19_800}, (18_000, 1_800, 10)),
    "rounded to a hundredth": ({"axle_count": 2, "gvw_kg": 19_801}, (18_000, 1_801, 10.01)),
    "own limit of the station": ({"axle_count": 3, "gvw_kg": 27_000, "limit_kg": 27_000}, (27_000, 0, 0)),
    "own figures of the station": (
        {"axle_count": 2, "gvw_kg": 20_000, "limit_kg": 18_000, "over_kg": 1_900, "over_pct": 9},
        (18_000, 1_900, 9),
    ),
    "axles unknown": ({"gvw_kg": 20_000}, (None, None, None)),
    "a single axle": ({"axle_count": 1, "gvw_kg": 20_000}, (None, None, None)),
    "gross mass unknown": ({"axle_count": 2}, (None, None, None)),
    "a limit of zero": ({"axle_count": 2, "gvw_kg": 20_000, "limit_kg": 0}, (0, None, None)),
}


@pytest.mark.parametrize("name", OVERLOADS)
def test_overload(name: str) -> None:
    data, expected = OVERLOADS[name]
    values = only(read(WIM, envelope({"pass_id": "p", **data}))).values
    assert tuple(values.get(key) for key in ("limit_kg", "over_kg", "over_pct")) == expected


@pytest.mark.parametrize(
    ("gross", "loads", "flagged"),
    [
        (20_000, (10_000, 10_000), False),
        (20_000, (10_000, 10_400), False),  # 2 %
        (20_000, (10_000, 10_401), True),
        (20_000, (10_000, 9_599), True),
        (5_000, (2_500, 2_700), False),  # 200 kg are more than 2 %
        (5_000, (2_500, 2_701), True),
        (20_000, (10_000,), False),  # an axle is missing: no sum to compare
    ],
)
def test_axles_must_add_up_to_the_gross_mass(gross: float, loads: tuple[float, ...], flagged: bool) -> None:
    axles = {f"axle{n}_kg": load for n, load in enumerate(loads, 1)}
    reading = only(read(WIM, envelope({"pass_id": "p", "axle_count": 2, "gvw_kg": gross, **axles})))
    assert reading.flags.get("gvw_kg") == ("axle_sum" if flagged else None)
    assert reading.values["gvw_kg"] == gross


def test_a_derived_value_is_judged_like_a_sent_one() -> None:
    reading = only(read(WIM, envelope({"pass_id": "p", "axle_count": 2, "gvw_kg": 140_000})))
    assert reading.values["over_pct"] > 500  # type: ignore[operator]
    assert reading.flags == {"over_pct": "range"}


@pytest.mark.parametrize("limit", [1e-308, 1])
def test_absurd_numbers_derive_nothing_infinite(limit: float) -> None:
    reading = only(read(WIM, envelope({"pass_id": "p", "axle_count": 2, "gvw_kg": 1.7e308, "limit_kg": limit})))
    assert all(math.isfinite(value) for value in reading.values.values() if isinstance(value, float))
    assert reading.values["gvw_kg"] == 1.7e308


def test_what_the_station_flags_outweighs_the_sum_of_the_axles() -> None:
    data = {"pass_id": "p", "axle_count": 2, "gvw_kg": 20_000, "axle1_kg": 1, "axle2_kg": 1}
    reading = only(read(WIM, envelope(data, qf=["gvw_kg:sensor_fault"])))
    assert reading.quality_of("gvw_kg") == Quality.BAD


def test_two_passages_in_one_millisecond_are_two_points() -> None:
    one, two = (only(read(WIM, envelope({"pass_id": name, "gvw_kg": 1000}))).at_ns for name in ("p-1", "p-2"))
    assert one != two
    assert one // 1_000_000 == two // 1_000_000 == SENT_MS


def test_the_time_of_a_passage_is_fixed_for_ever() -> None:
    # These numbers stand in stores: another hash would store a replayed passage twice.
    times = {name: only(read(WIM, envelope({"pass_id": name, "gvw_kg": 1}))).at_ns for name in ("p-1", "p-2")}
    assert times == {"p-1": SENT_MS * 1_000_000 + 979_310, "p-2": SENT_MS * 1_000_000 + 284_268}


@pytest.mark.parametrize(
    ("data", "limit_kg", "over_pct", "over_posted_kg"),
    [
        ({"axle_count": 5, "gvw_kg": 25_000}, 20_000, 25.0, 5_000),  # lower than the legal 43 t: the posted one counts
        ({"axle_count": 2, "gvw_kg": 19_800}, 18_000, 10.0, 0),  # the legal limit is lower
        ({"axle_count": 5, "gvw_kg": 25_000, "limit_kg": 25_000}, 25_000, 0.0, 5_000),
        ({"gvw_kg": 20_001}, None, None, 1),
        ({"axle_count": 5}, None, None, None),
    ],
)
def test_a_posted_limit_of_the_bridge(
    data: dict[str, float], limit_kg: float | None, over_pct: float | None, over_posted_kg: float | None
) -> None:
    values = only(read(WIM.replace("wim-03", "wim-07"), envelope({"pass_id": "p", **data}))).values
    found = tuple(values.get(key) for key in ("limit_kg", "over_pct", "over_posted_kg"))
    assert found == (limit_kg, over_pct, over_posted_kg)
    elsewhere = only(read(WIM, envelope({"pass_id": "p", **data}))).values
    assert "over_posted_kg" not in elsewhere


@pytest.mark.parametrize(
    ("device", "data", "load_pct"),
    [
        ("truck-014", {"load_kg": 6800}, 100.0),
        ("truck-014", {"load_kg": 7486.8}, 110.1),
        ("truck-014", {"load_kg": 6800, "load_pct": 99}, 99.0),
        ("truck-014", {"odo_km": 1}, None),
        ("truck-999", {"load_kg": 6800}, None),  # not registered: its rated load is unknown
    ],
)
def test_the_load_in_per_cent_of_what_the_site_registers(
    device: str, data: dict[str, float], load_pct: float | None
) -> None:
    reading = only(read(TRUCK.replace("truck-014", device), envelope(data)))
    assert reading.values.get("load_pct") == load_pct


def test_a_passage_without_a_name_of_its_own_has_that_of_its_message() -> None:
    named = only(read(WIM, envelope({"gvw_kg": 1}, id="p-1")))
    assert (named.values["pass_id"], named.at_ns) == ("p-1", SENT_MS * 1_000_000 + 979_310)


def test_passages_without_any_name_do_not_overwrite_each_other() -> None:
    lorries = [only(read(WIM, envelope({"gvw_kg": mass}))).at_ns for mass in (1, 2, 3)]
    assert len(set(lorries)) == 3
    assert {at_ns // 1_000_000 for at_ns in lorries} == {SENT_MS}


def test_readings_without_a_time_do_not_overwrite_each_other() -> None:
    payload = '{"v":1,"data":{"conc_pct_lel":1}}'
    found = [only(decode(GAS, payload.encode(), NOW_MS, position, SITE)).at_ns for position in range(1, 4)]
    several = readings(read(GAS, f"[{payload},{payload}]"))
    assert len(set(found)) == 3
    assert len({reading.at_ns for reading in several}) == 2
    assert {at_ns // 1_000_000 for at_ns in found} == {NOW_MS}


@pytest.mark.parametrize(
    ("data", "net", "flags"),
    [
        ({"gross_kg": 214, "tare_kg": 52}, 162.0, {}),
        ({"gross_kg": 214, "tare_kg": 52, "net_kg": 160}, 160.0, {}),
        ({"gross_kg": 214, "tare_kg": 52, "net_kg": 159.9}, 159.9, {"net_kg": "mismatch"}),
        ({"gross_kg": 214, "tare_kg": 52, "net_kg": 165}, 165.0, {"net_kg": "mismatch"}),
        ({"gross_kg": 214}, None, {}),
        ({"net_kg": 90}, 90.0, {}),
        ({"gross_kg": 20, "tare_kg": 52}, -32.0, {"net_kg": "range"}),
    ],
)
def test_the_net_mass_of_a_lift(data: dict[str, float], net: float | None, flags: dict[str, str]) -> None:
    reading = only(read(LIFT, envelope({"lift_id": "L-1", **data})))
    assert (reading.values.get("net_kg"), reading.flags) == (net, flags)


def test_decoding_twice_gives_the_same() -> None:
    payload = json.dumps(
        [{"ts": SENT_MS + n, "seq": n, "data": {"pass_id": f"p{n}", "gvw_kg": 1000 * n}} for n in range(5)]
    )
    assert read(WIM, payload) == read(WIM, payload)


def test_a_reading_names_its_place_in_the_journal() -> None:
    site: Site = SITE
    (_, (reading,)), *_ = decode(GAS, envelope({"state": 0}).encode(), NOW_MS, 4711, site).parts
    assert (reading.position, reading.received_ms) == (4711, NOW_MS)


def test_two_devices_with_long_names_that_say_the_same_are_two() -> None:
    """What identifies a message without a number of its own is its topic as well, to the last character."""
    town = "a-district-with-quite-a-long-name"
    topics = [f"city/v1/{town}/light_pole/pole-at-the-northern-embankment-{n}/telemetry" for n in (1, 2)]
    assert topics[0][:64] == topics[1][:64]
    payload = b'{"v":1,"ts":1767225600123,"data":{"dim_pct":100}}'
    keys = {decode(topic, payload, 1_767_225_600_200, 1, SITE).parts[0][0] for topic in topics}
    assert len(keys) == 2
