"""DJI Cloud API messages, after the public field descriptions: fragments, scales, sentinels, and who is speaking."""

import json
from dataclasses import replace

import pytest

from devices.decode import decode
from devices.formats.dji import AIRCRAFT, DOCK
from tests.devices.small_city import NOW_MS, SENT_MS, SITE, only, read, readings, refusal

DRONE = "1581F5BKD2310ABCDEFG"
OTHER_DRONE = "1581F0000000000OTHER"
DOCK_SN = "4TADKAQ000002J"
OTHER_DOCK = "4TADKAQ00OTHER"


def told(data: object, gateway: object = DOCK_SN, **keys: object) -> str:
    body = {"tid": "t", "bid": "b", "timestamp": SENT_MS, "gateway": gateway, "data": data, **keys}
    return json.dumps({key: value for key, value in body.items() if value is not None})


def osd(serial: str) -> str:
    return f"thing/product/{serial}/osd"


@pytest.mark.parametrize("serial", [DRONE, OTHER_DRONE], ids=["registered", "unregistered"])
def test_an_aircraft_is_the_device_it_is_registered_as(serial: str) -> None:
    decoded = read(osd(serial), told({"mode_code": 0}))
    assert decoded.device == ("drone-01" if serial == DRONE else serial)
    assert (decoded.kind, decoded.foreign, only(decoded).district) == ("drone", True, "demo")
    assert only(decoded).at_ns == SENT_MS * 1_000_000


@pytest.mark.parametrize(
    ("serial", "gateway", "data", "kind"),
    [
        (OTHER_DOCK, OTHER_DOCK, {"mode_code": 0}, "drone_dock"),
        (OTHER_DRONE, OTHER_DOCK, {"mode_code": 0}, "drone"),
        (OTHER_DOCK, None, {"cover_state": 0}, "drone_dock"),
        (OTHER_DOCK, None, {"job_number": 3}, "drone_dock"),
        (OTHER_DRONE, None, {"latitude": 30.3, "longitude": 120.1}, "drone"),
        (DRONE, DRONE, {"mode_code": 0}, "drone"),  # the site knows better than the gateway
        (DOCK_SN, OTHER_DOCK, {"mode_code": 0}, "drone_dock"),
    ],
)
def test_a_dock_is_its_own_gateway(serial: str, gateway: str | None, data: dict[str, object], kind: str) -> None:
    assert read(osd(serial), told(data, gateway)).kind == kind


@pytest.mark.parametrize(
    ("serial", "data", "values"),
    [
        (DRONE, {"horizontal_speed": 0, "height": 61}, {"speed_mps": 0.0, "alt_ellipsoid_m": 61.0}),
        (DRONE, {"wind_speed": 32}, {"wind_mps": 3.2}),
        (DRONE, {"wind_speed": 1}, {"wind_mps": 0.1}),
        (DOCK_SN, {"wind_speed": 3.4}, {"wind_mps": 3.4}),
        (DRONE, {"latitude": 0, "longitude": 0, "mode_code": 0}, {"mode": 0.0}),
        (DRONE, {"latitude": 0.0, "longitude": 120.5}, {"lat": 0.0, "lon": 120.5}),
        (
            DRONE,
            {"battery": {"capacity_percent": 76, "batteries": [{"voltage": 23800, "temperature": 31}, {"voltage": 1}]}},
            {"batt_pct": 76.0, "batt_v": 23.8, "batt_temp_c": 31.0},
        ),
        (DRONE, {"battery": {"capacity_percent": 76}}, {"batt_pct": 76.0}),
        (DRONE, {"battery": {"capacity_percent": 76, "batteries": []}}, {"batt_pct": 76.0}),
        (DRONE, {"battery": {"capacity_percent": 76, "batteries": {"voltage": 5}}}, {"batt_pct": 76.0}),
        (DRONE, {"battery": {"capacity_percent": 76, "batteries": [{"voltage": 0}]}}, {"batt_pct": 76.0}),
        (DRONE, {"battery": None, "mode_code": 5}, {"mode": 5.0}),
        (DRONE, {"battery": "full", "mode_code": 5}, {"mode": 5.0}),
        (DOCK_SN, {"environment_temperature": 32767, "temperature": 18}, {"inside_temp_c": 18.0}),
        (DOCK_SN, {"electric_supply_voltage": 228, "working_voltage": 35000}, {"mains_v": 228.0}),
        (DOCK_SN, {"wireless_link": {"4g_quality": 4, "sdr_quality": 5}}, {"lte_q": 4.0, "sdr_q": 5.0}),
        (DOCK_SN, {"drone_charge_state": {"capacity_percent": 32767, "state": 1}}, {"charge_state": 1.0}),
    ],
)
def test_values(serial: str, data: dict[str, object], values: dict[str, float]) -> None:
    reading = only(read(osd(serial), told(data)))
    assert reading.values == values
    assert all(type(value) is float for value in reading.values.values())


def test_fragments_hold_what_they_hold_and_no_more() -> None:
    fragments = ({"cover_state": 1, "rainfall": 0}, {"job_number": 418}, {"network_state": {"type": 2}})
    found = [only(read(osd(DOCK_SN), told(data, DOCK_SN))).values for data in fragments]
    assert found == [{"cover": 1.0, "rain": 0.0}, {"job_count": 418.0}, {"net_type": 2.0}]


@pytest.mark.parametrize("serial", [DRONE, DOCK_SN])
def test_every_source_leads_to_a_field_of_the_kind(serial: str) -> None:
    kind = SITE.catalog.kinds["drone" if serial == DRONE else "drone_dock"]
    keys = {field.key for measurement in kind.measurements for field in measurement.fields}
    sources = AIRCRAFT if serial == DRONE else DOCK
    assert {source.field for source in sources} <= keys
    assert len({source.field for source in sources}) == len(sources)


def test_unknown_keys_are_counted() -> None:
    decoded = read(osd(DRONE), told({"mode_code": 5, "storage": {}, "payloads": [], "battery": {"new": 1}}))
    assert decoded.unknown == 2


def test_a_wrong_type_costs_its_own_field_only() -> None:
    decoded = read(osd(DRONE), told({"mode_code": 5, "wind_speed": "strong", "height": True}))
    (reading,) = readings(decoded)
    assert reading.values == {"mode": 5.0}
    assert {fault.sentence for fault in decoded.faults} == {
        "drone.wind_mps: expected a number in m/s, found 'strong'",
        "drone.alt_ellipsoid_m: expected a number in m, found True",
    }


def test_an_integer_beyond_every_float_costs_its_own_field_only() -> None:
    decoded = read(osd(DRONE), told({"mode_code": 5, "wind_speed": 10**400}))
    assert [reading.values for reading in readings(decoded)] == [{"mode": 5.0}]
    assert [fault.reason for fault in decoded.faults] == ["type"]


@pytest.mark.parametrize("channel", ["state", "events"])
def test_other_reports_bring_the_same_fields(channel: str) -> None:
    decoded = read(f"thing/product/{DRONE}/{channel}", told({"mode_code": 5, "list": [{"level": 2, "code": "0x16"}]}))
    assert (only(decoded).values, decoded.unknown) == ({"mode": 5.0}, 0)


def test_a_health_message_says_nothing_yet() -> None:
    decoded = read(f"thing/product/{DOCK_SN}/events", told({"list": [{"level": 2, "code": "0x16", "imminent": 1}]}))
    assert (readings(decoded), decoded.faults) == ([], ())


@pytest.mark.parametrize("channel", ["requests", "requests_reply", "services", "property", "events_reply"])
@pytest.mark.parametrize("payload", ['{"data":{"app_key":"s3cret"}}', "no JSON: s3cret"])
def test_other_channels_are_not_looked_into(channel: str, payload: str) -> None:
    decoded = read(f"thing/product/{DOCK_SN}/{channel}", payload)
    assert (decoded.parts, decoded.faults, decoded.unknown) == ([], (), 0)


def test_without_a_time_the_receipt_counts() -> None:
    reading = only(read(osd(DRONE), told({"mode_code": 5}, timestamp=None)))
    assert (reading.at_ns // 1_000_000, reading.flags) == (NOW_MS, {"": "no_ts"})


@pytest.mark.parametrize(
    ("keys", "identity"),
    [
        ({}, f"drone-01|telemetry|dji:t:b:{SENT_MS}"),
        ({"bid": None}, f"drone-01|telemetry|dji:t:None:{SENT_MS}"),
        ({"tid": {"deep": []}}, f"drone-01|telemetry|dji:None:b:{SENT_MS}"),
    ],
)
def test_a_message_is_identified_by_its_transaction(keys: dict[str, object], identity: str) -> None:
    first, again, other = (read(osd(DRONE), told({"mode_code": mode}, **keys)).parts[0][0] for mode in (5, 5, 6))
    assert first.startswith(f"{identity}:osd:")
    # Fragments may share transaction and instant: what they say tells them apart.
    assert first == again != other


def test_without_a_transaction_the_message_itself_is_the_identity() -> None:
    one, same, other = (
        read(osd(DRONE), told({"mode_code": mode}, tid=None, bid=None)).parts[0][0] for mode in (5, 5, 6)
    )
    assert one == same != other


# topic, payload, reason, part of the sentence
REFUSED: dict[str, tuple[str, str, str, str]] = {
    "no serial number": ("thing/product//osd", told({"mode_code": 1}), "topic", "thing/product/serial number/osd"),
    "topic too short": ("thing/product/X", told({"mode_code": 1}), "topic", "thing/product/serial number/osd"),
    "serial number no id": ("thing/product/a b/osd", told({"mode_code": 1}), "topic", "serial number/osd"),
    "broken JSON": (osd(DRONE), '{"data":', "json", "not JSON"),
    "NaN": (osd(DRONE), '{"data":{"height":NaN}}', "json", "not JSON"),
    "2 MB": (osd(DRONE), told({"height": "x" * 2_000_000}), "too_large", "expected at most 1048576"),
    "deep nesting": (osd(DRONE), '{"data":' * 50_000, "json", "not JSON"),
    "a list": (osd(DRONE), "[1]", "envelope", "expected an object whose data is an object"),
    "no data": (osd(DRONE), '{"app_key":"s3cret"}', "envelope", "expected an object whose data is an object"),
    "data a text": (osd(DRONE), told("s3cret"), "envelope", "expected an object whose data is an object"),
    "seconds": (osd(DRONE), told({"height": 1}, timestamp=1767225600), "ts", "timestamp 1767225600: expected epoch"),
    "time a text": (osd(DRONE), told({"height": 1}, timestamp="now"), "ts", "timestamp 'now': expected epoch"),
    "time true": (osd(DRONE), told({"height": 1}, timestamp=True), "ts", "timestamp True: expected epoch"),
    "nothing but wrong": (osd(DRONE), told({"height": "high"}), "type", "expected a number in m, found 'high'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_message_is_refused_with_a_reason_and_a_sentence(name: str) -> None:
    topic, payload, reason, part = REFUSED[name]
    found, sentence = refusal(topic, payload)
    assert found == reason
    assert part in sentence
    assert "s3cret" not in sentence
    assert len(sentence) < 400


def test_a_serial_number_of_another_kind_is_a_mismatch() -> None:
    site = replace(SITE, by_foreign={"DJI:X1": SITE.devices["gas-0042"]})
    with pytest.raises(Exception, match="serial number X1 is registered as gas_alarm, expected drone or drone_dock"):
        decode(osd("X1"), told({"mode_code": 1}).encode(), NOW_MS, 1, site)
