"""Whatever arrives, decoding ends in readings that keep their promises or in a refusal that says why."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices import Undecodable
from devices.decode import STATUS, decode
from devices.formats.hj212 import crc16
from devices.readings import Quality
from tests.devices.small_city import GAS, NOW_MS, SENT_MS, SITE

KINDS = SITE.catalog.kinds
EXAMPLES = [example_ for kind in KINDS.values() for example_ in kind.examples]
FIELDS = sorted({field.key for kind in KINDS.values() for m in kind.measurements for field in m.fields})
DEVICES = st.sampled_from([*sorted(SITE.devices), "never-seen"])
CHANNELS = st.sampled_from(["telemetry", "event", "state", "status", "cmd", "cmd_ack"])
REASONS = {"topic", "device_id", "unknown_kind", "json", "too_large", "envelope", "mismatch", "ts", "type", "status"}
REASONS |= {"frame", "crc"}

TIMES = st.one_of(st.none(), st.just(SENT_MS), st.integers(), st.floats(), st.text(), st.datetimes().map(str))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([0, 1, 255, 32767, 65535, 1e308, -1e308, 5e-324]),
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
DATA = st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text(max_size=8)), TREES, max_size=12)
ENVELOPE_KEYS = ("v", "id", "ts", "seq", "q", "qf", "gw", "hist", "loc", "device", "device_id", "kind", "data")
ENVELOPES = st.one_of(
    st.fixed_dictionaries({"ts": TIMES, "data": DATA}, optional={"seq": TREES, "id": TREES, "qf": TREES, "loc": TREES}),
    st.dictionaries(st.sampled_from(ENVELOPE_KEYS), TREES, max_size=6),
    TREES,
)
# Keys of osd messages, some of them lists or objects where they should not be.
DJI_KEYS = [
    *("mode_code", "latitude", "longitude", "height", "wind_speed", "battery", "capacity_percent", "batteries"),
    *("voltage", "position_state", "drone_charge_state", "network_state", "wireless_link", "4g_quality"),
    *("cover_state", "job_number"),
]
FRAME_WORDS = [
    *("MN=MN000007;", "CP=&&", "&&", "DataTime=", "20260101080000", "QN=", "LA", "a01006", "-Rtd=", "-Avg=", "-Flag="),
    *("D", ";", ",", "=", "51", "nan", "-1e999", "٣", "\0"),
]
DJI_TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(DJI_KEYS), inner, max_size=6),
)


def keeps_its_promise(topic: str, payload: bytes) -> bool:
    """Decode and check what every reader of the result relies on; tell whether the message was read."""
    try:
        decoded = decode(topic, payload, NOW_MS, 1, SITE)
    except Undecodable as refused:
        assert refused.reason in REASONS
        assert 0 < len(str(refused)) < 1500
        return False
    assert all(fault.reason in REASONS and 0 < len(fault.sentence) < 500 for fault in decoded.faults)
    for key, found in decoded.parts:
        assert len(key) <= 200
        for reading in found:
            assert reading.device == decoded.device
            assert 0 <= reading.at_ns <= (NOW_MS + 300_001) * 1_000_000
            assert reading.values
            if reading.measurement == STATUS:
                continue
            kind, measurement = SITE.catalog.measurements[reading.measurement]
            assert reading.kind == kind.key == decoded.kind
            by_key = {field.key: field for field in measurement.fields}
            for name, value in reading.values.items():
                assert type(value) is (str if by_key[name].type == "text" else float)
                assert not by_key[name].tag
                assert isinstance(value, str) or math.isfinite(value)
                assert reading.quality_of(name) in Quality
            assert all(by_key[name].tag and type(value) is str and value for name, value in reading.tags.items())
    return True


@settings(max_examples=300)
@given(st.text(), st.binary())
def test_any_topic_and_any_payload(topic: str, payload: bytes) -> None:
    keeps_its_promise(topic, payload)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(["city", "v1", "demo", "gas_alarm", "gas-0042", "event", "", "#", "+", "$"])), TREES)
@example(["thing", "product", "X", "osd"], {})
@example(["hj212", "MN000007", "up"], {})
def test_any_words_of_a_topic(words: list[str], tree: object) -> None:
    keeps_its_promise("/".join(words), json.dumps(tree).encode())


@settings(max_examples=400)
@given(DEVICES, CHANNELS, ENVELOPES)
def test_any_tree_in_a_native_message(device: str, channel: str, tree: object) -> None:
    kind = SITE.devices[device].kind if device in SITE.devices else "light_pole"
    keeps_its_promise(f"city/v1/demo/{kind}/{device}/{channel}", json.dumps(tree).encode())


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(channel=st.sampled_from(["telemetry", "event"]), draw=st.data())
def test_any_values_in_the_fields_of_a_kind(kind: str, channel: str, draw: Any) -> None:
    fields = [field.key for measurement in KINDS[kind].measurements_on(channel) for field in measurement.fields]
    data = draw.draw(st.dictionaries(st.sampled_from([*fields, "unheard_of"]), SCALARS, max_size=10))
    payload = json.dumps({"ts": SENT_MS, "data": data}, allow_nan=True).encode()
    keeps_its_promise(f"city/v1/demo/{kind}/never-seen/{channel}", payload)


@settings(max_examples=100)
@given(st.lists(ENVELOPES, max_size=6))
def test_any_array(trees: list[object]) -> None:
    keeps_its_promise(GAS, json.dumps(trees).encode())


@settings(max_examples=300)
@given(
    st.sampled_from(["1581F5BKD2310ABCDEFG", "4TADKAQ000002J", "NEVERSEEN"]),
    st.sampled_from(["osd", "state", "events", "requests"]),
    DJI_TREES,
    st.fixed_dictionaries({}, optional={"tid": TREES, "bid": TREES, "timestamp": TIMES, "gateway": TREES}),
)
def test_any_tree_in_a_dji_message(serial: str, channel: str, data: object, head: dict[str, object]) -> None:
    keeps_its_promise(f"thing/product/{serial}/{channel}", json.dumps({**head, "data": data}).encode())


@settings(max_examples=200)
@given(st.sampled_from(["hj212/MN000007/up", "thing/product/NEVERSEEN/osd", "hj212/x", "thing/product/"]), st.binary())
def test_any_bytes_on_a_foreign_topic(topic: str, payload: bytes) -> None:
    keeps_its_promise(topic, payload)


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from(FRAME_WORDS),
            max_size=25,
        ).map(lambda words: "".join(words).encode()),
    )
)
def test_any_segment_in_a_whole_frame(segment: bytes) -> None:
    payload = b"##%04d%s%04X\r\n" % (len(segment), segment, crc16(segment))
    keeps_its_promise("hj212/MN000007/up", payload)


@pytest.mark.parametrize("index", range(len(EXAMPLES)), ids=lambda index: EXAMPLES[index].topic.replace("/", "-"))
@settings(max_examples=80)
@given(draw=st.data())
def test_a_damaged_example(index: int, draw: Any) -> None:
    golden = EXAMPLES[index]
    payload = bytearray(golden.payload)
    for _ in range(draw.draw(st.integers(1, 4))):
        place = draw.draw(st.integers(0, len(payload) - 1))
        payload[place] = draw.draw(st.integers(0, 255))
    end = draw.draw(st.integers(0, len(payload)) | st.just(len(payload)))
    keeps_its_promise(golden.topic, bytes(payload[:end]))


@pytest.mark.parametrize("index", range(len(EXAMPLES)), ids=lambda index: EXAMPLES[index].topic.replace("/", "-"))
def test_an_example_cut_at_any_byte(index: int) -> None:
    golden = EXAMPLES[index]
    whole = len(golden.payload.rstrip())
    assert [keeps_its_promise(golden.topic, golden.payload[:end]) for end in range(whole + 1)] == [False] * whole + [
        True
    ]


@pytest.mark.parametrize("depth", [10, 200, 600, *range(900, 1000, 5), 5_000])
@pytest.mark.parametrize(
    "around",
    [
        '{"data":{"temp_c":%s}}',
        '{"seq":%s,"ts":1767225600123,"data":{}}',
        '{"ts":%s,"data":{}}',
        '{"q":%s,"data":{}}',
        "%s",
    ],
)
def test_any_depth(around: str, depth: int) -> None:
    payload = (around % ("[" * depth + "]" * depth)).encode()
    keeps_its_promise(GAS, payload)
    keeps_its_promise("thing/product/NEVERSEEN/osd", payload.replace(b"ts", b"timestamp").replace(b"seq", b"tid"))
