"""The laws of the tables, one test per kind and field, and the figures that the specification fixes."""

import json

import pytest

from devices.catalog import load_catalog
from devices.kind import Example, Field, Kind, Level, Measurement, in_both
from devices.kind_check import contradictions
from devices.readings import Quality, Reading
from devices.units import UNITS, promised_unit
from tests.devices.small_city import NOW_MS, read, readings

KINDS = load_catalog().kinds
FIELDS = [
    pytest.param(measurement, field, id=f"{kind.key}-{measurement.key}-{field.key}")
    for kind in KINDS.values()
    for measurement in kind.measurements
    for field in measurement.fields
]
EXAMPLES = [
    pytest.param(kind, example, id=f"{kind.key}-{index}")
    for kind in KINDS.values()
    for index, example in enumerate(kind.examples)
]
GAS = "city/v1/demo/gas_alarm/gas-0042/telemetry"
NEVER_TAGS = ("plate", "rfid", "pass_id", "lift_id", "mission", "route", "seq", "imei", "lat", "lon", "quality")

# PAYLOADS §3, word for word, with pdop, over_pct of a truck and over_posted_kg for ALARMS §8; a tag is marked with T.
PROMISED = {
    "drone": """mode lat lon alt_ellipsoid_m alt_rel_m speed_mps climb_mps heading_deg pitch_deg roll_deg batt_pct
        batt_v batt_temp_c remain_flight_s home_dist_m gnss_sats rtk_sats pdop fix wind_mps gimbal_pitch_deg
        gimbal_yaw_deg mission_id route_id""",
    "drone_finding": "finding_id finding_class confidence_pct picture route_id spot_lat spot_lon",
    "drone_dock": """mode cover drone_in_dock rain wind_mps env_temp_c inside_temp_c inside_rh_pct mains_v charge_state
        batt_pct net_type sdr_q lte_q job_count""",
    "refuse_truck": """lat lon speed_kmh heading_deg odo_km load_kg gross_kg tare_kg load_pct over_pct axle1_kg
        axle2_kg
        axle3_kg axle4_kg tilt_deg body_up tailgate_open compactor_on weigh_stable T:body_type""",
    "bin_lift": "lift_id bin_rfid gross_kg tare_kg net_kg lat lon T:waste_class",
    "wim_pass": " ".join(
        [
            "pass_id plate_hash plate_color speed_kmh axle_count axle_groups gvw_kg limit_kg over_kg over_pct",
            "over_posted_kg length_m width_m height_m headway_s pave_temp_c confidence_pct warn_bits",
            "T:lane T:direction T:vclass",
            *(f"axle{n}_kg" for n in range(1, 17)),
            *(f"axle_gap{n}_m" for n in range(1, 16)),
        ]
    ),
    "wim_health": "uptime_s loops_ok temp_c disk_pct passes_today",
    "light_pole": """dim_pct cmd_pct supply_v supply_a active_w pf energy_kwh lamp_hours_h driver_temp_c leak_ma
        tilt_deg lamp_fail gear_fail relay_fail comm_fail day_burner door_open T:feeder""",
    "pole_env": """pm25_ugm3 pm10_ugm3 temp_c rh_pct pressure_hpa wind_mps wind_dir_deg noise_dba lux rain_mmh no2_ugm3
        so2_ugm3 o3_ugm3 co_mgm3""",
    "gas_alarm": """conc_pct_lel conc_ppm conc_pct_vol state valve fan relay batt_v batt_pct temp_c rssi_dbm rsrp_dbm
        sensor_life_s fault_code mains_ok T:gas T:premises""",
    "gateway": "uptime_s children rssi_dbm",
}
# PAYLOADS §3 gives these ranges.
RANGES = [
    ("drone", "alt_rel_m", -100, 1500),
    ("drone", "speed_mps", 0, 40),
    ("drone", "climb_mps", -20, 20),
    ("drone", "batt_pct", 0, 100),
    ("drone", "wind_mps", 0, 40),
    ("refuse_truck", "speed_kmh", 0, 120),
    ("refuse_truck", "load_kg", -200, 40000),
    ("refuse_truck", "net_kg", -5, 1500),
    ("bridge_wim", "speed_kmh", 0.5, 200),
    ("bridge_wim", "axle_count", 2, 16),
    ("bridge_wim", "gvw_kg", 0, 150000),
    ("light_pole", "supply_v", 0, 300),
    ("light_pole", "leak_ma", 0, 500),
    ("gas_alarm", "conc_pct_lel", 0, 100),
]
# ALARMS §8: kind, field, limit, sense, latched, value and priority of each level.
LIMITS = [
    ("gas_alarm", "conc_pct_lel", "high", "above", True, {25: "P2", 50: "P1"}),
    ("gas_alarm", "conc_ppm", "co", "above", True, {24: "P2", 160: "P1"}),
    ("gas_alarm", "state", "state", "state", True, {1: "P2", 2: "P1"}),
    ("gas_alarm", "state", "fault", "state", False, {3: "health", 7: "health"}),
    ("bridge_wim", "over_pct", "overload", "above", False, {10: "P4", 30: "P3", 50: "P2", 100: "P1"}),
    ("bridge_wim", "gvw_kg", "hundred_tonnes", "above", False, {100_000: "P1"}),
    ("bridge_wim", "over_posted_kg", "posted", "above", False, {1: "P1"}),
    ("refuse_truck", "over_pct", "overload", "above", False, {10: "P4", 30: "P3", 50: "P2"}),
    ("light_pole", "supply_v", "low", "below", False, {198: "P4"}),
    ("light_pole", "supply_v", "high", "above", False, {235.4: "P4"}),
    ("light_pole", "leak_ma", "leakage", "above", True, {30: "P1"}),
    ("light_pole", "pm25_ugm3", "high", "above", False, {60: "P4", 115: "P3", 150: "P2", 250: "P1"}),
    ("drone", "batt_pct", "low", "below", False, {30: "P3", 20: "P2", 10: "P1"}),
    ("drone", "wind_mps", "high", "above", False, {8: "P3", 12: "P2"}),
    ("drone", "alt_rel_m", "ceiling", "above", False, {120: "P2"}),
    # At least six are enough, and there are no halves of satellites.
    ("drone", "gnss_sats", "few", "below", False, {5: "P3"}),
    ("drone", "pdop", "poor", "above", False, {2.51: "P3"}),
    ("drone", "lat", "fence", "above", False, {1: "P2"}),
    ("gas_alarm", "conc_pct_lel", "rate", "above", True, {5: "P2"}),
    ("gas_alarm", "conc_ppm", "co_public", "above", True, {24: "P2", 48: "P1"}),
    ("refuse_truck", "load_kg", "tipping", "above", False, {200: "P2"}),
    ("refuse_truck", "load_pct", "full", "above", False, {100: "P4"}),
    ("light_pole", "dim_pct", "deviation", "above", False, {10: "P4"}),
    ("light_pole", "supply_a", "current_low", "below", False, {10: "P4"}),
    ("light_pole", "supply_a", "current_high", "above", False, {130: "P4"}),
    ("light_pole", "noise_dba", "high", "above", False, {5: "P4", 10: "P3"}),
]
NO_DATA_S = {"gateway": 100, "gas_alarm": 86_400, "bridge_wim": 300, "drone": 10}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_table_contradicts_itself_nowhere(kind: Kind) -> None:
    assert contradictions(kind) == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_has_labels_sources_and_a_live_headline(kind: Kind) -> None:
    assert kind.zh and kind.en and kind.source
    assert all(measurement.zh and measurement.en for measurement in kind.measurements)
    assert kind.field(kind.headline).live
    assert kind.no_data is not None
    assert kind.no_data.source and kind.no_data.grade in {"A", "B", "C"}


@pytest.mark.parametrize(("measurement", "field"), FIELDS)
def test_a_field_is_labelled_and_measured(measurement: Measurement, field: Field) -> None:
    assert field.zh and field.en
    assert field.unit in UNITS
    if field.type == "number":
        assert promised_unit(field.key) in (None, field.unit)
    assert field.low is None or field.high is None or field.low < field.high
    assert all(label.zh and label.en for label in field.codes.values())
    assert bool(field.codes) == (field.type in ("code", "flag"))
    if field.tag:
        assert field.type == "text"
        assert not any(word in field.key.split("_") or word == field.key for word in NEVER_TAGS)


@pytest.mark.parametrize(("measurement", "field"), FIELDS)
def test_a_limit_says_where_it_comes_from(measurement: Measurement, field: Field) -> None:
    for limit in field.limits:
        assert limit.source and limit.zh and limit.en
        assert limit.grade in {"A", "B", "C"}
        assert limit.passage == (measurement.passage is not None)
        if not limit.of_values:
            continue
        low, high = field.low, field.high
        assert all((low is None or low <= at.value) and (high is None or at.value <= high) for at in limit.levels)


@pytest.mark.parametrize("name", PROMISED)
def test_a_measurement_has_the_fields_that_were_promised(name: str) -> None:
    _, measurement = load_catalog().measurements[name]
    found = {f"T:{field.key}" if field.tag else field.key for field in measurement.fields}
    assert found == set(PROMISED[name].split())


def test_nothing_beyond_the_promised_measurements_is_stored() -> None:
    assert set(load_catalog().measurements) == set(PROMISED)


@pytest.mark.parametrize(("kind", "key", "low", "high"), RANGES, ids=[f"{row[0]}-{row[1]}" for row in RANGES])
def test_a_range_is_the_promised_one(kind: str, key: str, low: float, high: float) -> None:
    field = KINDS[kind].field(key)
    assert (field.low, field.high) == (low, high)


@pytest.mark.parametrize(
    ("kind", "key", "limit_key", "sense", "latch", "levels"), LIMITS, ids=["-".join(row[:3]) for row in LIMITS]
)
def test_a_limit_is_the_promised_one(
    kind: str, key: str, limit_key: str, sense: str, latch: bool, levels: dict[float, str]
) -> None:
    (limit,) = (limit for limit in KINDS[kind].field(key).limits if limit.key == limit_key)
    assert (limit.sense, limit.latch) == (sense, latch)
    expected = [Level(n, value, priority) for n, (value, priority) in enumerate(levels.items(), 1)]  # type: ignore[arg-type]
    assert list(limit.levels) == expected


# ALARMS §8: 100 %LEL of CH4 are 5 %VOL or 50,000 ppm. Tag, what is sent, what must be judged, flags.
GASES: list[tuple[dict[str, object], dict[str, float], dict[str, str]]] = [
    ({"gas": "CH4", "conc_pct_vol": 1.25}, {"conc_pct_lel": 25}, {}),
    ({"gas": " ch4 ", "conc_pct_vol": 2.5}, {"conc_pct_lel": 50}, {}),
    ({"gas": "CH4", "conc_ppm": 100}, {"conc_pct_lel": 0.2}, {}),
    ({"gas": "天然气", "conc_ppm": 50_000}, {"conc_pct_lel": 100}, {}),
    ({"gas": "C3H8", "conc_pct_vol": 0.525}, {"conc_pct_lel": 25}, {}),
    ({"gas": "LPG", "conc_ppm": 7_500}, {"conc_pct_lel": 50}, {}),
    ({"gas": "H2", "conc_pct_vol": 1}, {"conc_pct_lel": 25}, {}),
    ({"conc_pct_vol": 1.25}, {"conc_pct_lel": 25}, {}),
    ({"gas": "town gas", "conc_pct_vol": 1.25, "conc_ppm": 30}, {"conc_pct_lel": 25}, {}),
    ({"gas": "CH4", "conc_pct_vol": 2.5, "conc_ppm": 100}, {"conc_pct_lel": 50}, {}),
    ({"gas": "CH4", "conc_pct_vol": 2.5, "conc_pct_lel": 3}, {"conc_pct_lel": 3}, {}),
    ({"gas": "CH4", "conc_pct_vol": 2.5, "conc_pct_lel": 65535}, {"conc_pct_lel": 50}, {}),
    ({"gas": "CH4", "conc_pct_vol": 7.5}, {"conc_pct_lel": 150}, {"conc_pct_lel": "range"}),
    ({"gas": "CO", "conc_ppm": 24}, {"conc_ppm": 24}, {}),
    ({"gas": "CO", "conc_pct_vol": 0.02}, {"conc_ppm": 200}, {}),
    ({"gas": "一氧化碳", "conc_pct_vol": 1, "conc_ppm": 24}, {"conc_ppm": 24}, {}),
    ({"conc_ppm": 24}, {"conc_ppm": 24}, {}),
    ({"gas": "O2", "conc_pct_vol": 20.9}, {"conc_pct_vol": 20.9}, {}),
]


@pytest.mark.parametrize(("data", "expected", "flags"), GASES, ids=str)
def test_a_concentration_is_judged_in_the_unit_of_its_limit(
    data: dict[str, object], expected: dict[str, float], flags: dict[str, str]
) -> None:
    (reading,) = readings(read(GAS, json.dumps({"ts": NOW_MS, "data": data}).encode()))
    sent = {key: value for key, value in data.items() if key != "gas" and value != 65535}
    assert (reading.values, reading.flags) == ({**sent, **expected}, flags)


def test_what_is_wrong_with_a_concentration_is_wrong_with_what_follows_from_it() -> None:
    payload = {"ts": NOW_MS, "qf": ["conc_pct_vol:sensor_fault"], "data": {"conc_pct_vol": 2.5, "temp_c": 20}}
    (reading,) = readings(read(GAS, json.dumps(payload).encode()))
    assert reading.values["conc_pct_lel"] == 50
    assert reading.quality_of("conc_pct_lel") == Quality.BAD
    assert reading.quality_of("temp_c") == Quality.GOOD


CAPS = [
    ("conc_pct_lel", "high", 25, 5),
    ("conc_pct_lel", "rate", 5, 2),
    ("conc_ppm", "co", 24, 4),
    ("conc_ppm", "co_public", 24, 4),
    ("state", "state", 1, 0),
    ("leak_ma", "leakage", 30, 5),
    ("feeder_leakage", "feeder_leakage", 100, 20),
]


@pytest.mark.parametrize(("key", "limit_key", "cap", "deadband"), CAPS)
def test_what_protects_people_is_capped_and_fires_at_once(
    key: str, limit_key: str, cap: float, deadband: float
) -> None:
    found = [
        limit
        for name in ("gas_alarm", "light_pole")
        for place, limit in [
            *((f.key, limit) for m in KINDS[name].measurements for f in m.fields for limit in f.limits),
            *((group.limit.key, group.limit) for group in KINDS[name].groups),
        ]
        if (place, limit.key) == (key, limit_key)
    ]
    (limit,) = found
    assert (limit.cap, limit.on_s, limit.off_s, limit.deadband) == (cap, 0, 60, deadband)


@pytest.mark.parametrize("key", NO_DATA_S)
def test_silence_is_an_alarm_after_the_promised_time(key: str) -> None:
    silence = KINDS[key].no_data
    assert silence is not None
    assert silence.after_s == NO_DATA_S[key]


def test_a_drone_may_be_silent_on_the_ground() -> None:
    silence = KINDS["drone"].no_data
    assert silence is not None
    assert silence.while_field == "mode"
    # DJI mode_code: 0 standby, 1 and 2 preparing, 13 upgrading, 14 not connected, 19 dock site survey
    assert set(silence.while_values) == set(map(float, KINDS["drone"].field("mode").codes)) - {0, 1, 2, 13, 14, 19}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_has_examples(kind: Kind) -> None:
    assert kind.examples


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_an_example_comes_from_outside_and_never_from_the_simulator(kind: Kind, example: Example) -> None:
    assert len(example.source) > 20
    assert "simulat" not in example.source.lower()
    assert example.expect


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_an_example_decodes_to_what_it_says(kind: Kind, example: Example) -> None:
    decoded = read(example.topic, example.payload)
    found: dict[str, Reading] = {reading.measurement: reading for reading in readings(decoded)}
    assert decoded.kind == kind.key
    assert decoded.faults == ()
    assert set(found) == set(example.expect)
    for measurement, expected in example.expect.items():
        reading = found[measurement]
        assert {key: reading.values.get(key) for key in expected} == expected
        assert all(type(reading.values[key]) is type(value) for key, value in expected.items())
        assert not set(example.absent) & set(reading.values)
        assert reading.flags == example.flags
        assert reading.received_ms == NOW_MS
        if example.at_ms is not None:
            assert reading.at_ns // 1_000_000 == example.at_ms


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_sources_are_told_in_both_languages(kind: Kind) -> None:
    """What holds words of one language has a text in the other, too; the number of a standard is the same in both."""
    limits = [limit for m in kind.measurements for f in m.fields for limit in f.limits]
    limits += [group.limit for group in kind.groups]
    sources = [kind.source, *(limit.source for limit in limits), *([kind.no_data.source] if kind.no_data else [])]
    for source in sources:
        told = in_both(source)
        assert told.zh and told.en
        assert not any("\u3400" <= letter <= "\u9fff" for letter in told.en), told.en
        assert "proposal" not in told.zh and "mapping" not in told.zh
