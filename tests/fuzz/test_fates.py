"""No topic, payload or frame of any bytes stops the pipeline: each has one of the fates, delivered once or again."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.formats.hj212 import crc16
from tests.devices.test_fuzz import CHANNELS, DEVICES, DJI_TREES, ENVELOPES, FRAME_WORDS, KINDS, SCALARS, TIMES
from tests.fuzz.corpus import SEEDS, packed, unpacked
from tests.fuzz.fates import RawMessage, judged

LONE = '{"ts":1767225600123,"id":"\\ud800","data":{"gas":"\\udfff","temp_c":"\\ud83d","x\\ud800":1}}'
NUMBERS = ["1e999", "-1e999", "1" + "0" * 400, "-0", "1e-400", "9223372036854775808", "0.1e1", "NaN", "Infinity", "٣"]


@st.composite
def native(draw: st.DrawFn) -> RawMessage:
    """Draw a message by the native contract, more or less."""
    device, channel, tree = draw(DEVICES), draw(CHANNELS), draw(ENVELOPES)
    kind = draw(st.sampled_from(sorted(KINDS)))
    return f"city/v1/demo/{kind}/{device}/{channel}".encode(), json.dumps(tree).encode()


@st.composite
def aircraft(draw: st.DrawFn) -> RawMessage:
    """Draw a message of the DJI Cloud API, more or less."""
    serial = draw(st.sampled_from(["1581F5BKD2310ABCDEFG", "4TADKAQ000002J", "NEVERSEEN", "", "x" * 99]))
    channel = draw(st.sampled_from(["osd", "state", "events", "requests", ""]))
    head = draw(st.fixed_dictionaries({}, optional={"tid": SCALARS, "bid": SCALARS, "timestamp": TIMES}))
    body = {**head, "data": draw(DJI_TREES), "gateway": draw(SCALARS)}
    return f"thing/product/{serial}/{channel}".encode(), json.dumps(body).encode()


@st.composite
def frame(draw: st.DrawFn) -> RawMessage:
    """Draw a frame of HJ 212 whose length and CRC are right, whatever is in it."""
    words = draw(st.lists(st.sampled_from(FRAME_WORDS), max_size=25))
    segment = draw(st.binary(max_size=60)) + "".join(words).encode()
    return b"hj212/MN000007/up", b"##%04d%s%04X\r\n" % (len(segment), segment, crc16(segment))


@st.composite
def damaged(draw: st.DrawFn) -> RawMessage:
    """Draw a seed with some bytes of topic or payload changed."""
    parts = [bytearray(part) for part in draw(st.sampled_from(SEEDS))]
    for _ in range(draw(st.integers(1, 4))):
        part = parts[draw(st.integers(0, 1))]
        if part:
            part[draw(st.integers(0, len(part) - 1))] = draw(st.integers(0, 255))
    return bytes(parts[0]), bytes(parts[1])


ANYTHING = st.tuples(
    st.binary(max_size=80) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace")), st.binary()
)
MESSAGES = st.one_of(native(), aircraft(), frame(), damaged(), ANYTHING)


@settings(max_examples=500)
@given(st.lists(MESSAGES, min_size=1, max_size=6))
@example([(b"city/v1/\xff\xfe/gas_alarm/x/telemetry", b"{}"), (b"", b""), (b"\0", b"\0")])
@example([(b"city/v1/demo/gas_alarm/gas-0042/telemetry", LONE.encode())])
@example([(b"city/v1/demo/gas_alarm/gas-0042/telemetry", LONE.encode()[:-20] + b"\xed\xa0\x80" + b'"}}')])
def test_any_messages_have_their_fates(messages: list[RawMessage]) -> None:
    judged(messages)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "around",
    [
        '{"ts":1767225600123,"data":{"conc_pct_lel":%s}}',
        '{"ts":%s,"data":{"conc_pct_lel":1}}',
        '{"id":%s,"ts":1767225600123,"data":{"conc_pct_lel":1}}',
        '{"seq":%s,"data":{"state":%s}}',
    ],
)
def test_any_number_anywhere(around: str, number: str) -> None:
    payload = around.replace("%s", number).encode()
    judged([(b"city/v1/demo/gas_alarm/gas-0042/telemetry", payload), (b"thing/product/NEVERSEEN/osd", payload)])


@pytest.mark.parametrize("depth", [100, 990, 5_000, 200_000])
@pytest.mark.parametrize("nest", [("[", "]"), ('{"data":', "}"), ('{"conc_pct_lel":', "}")])
def test_any_depth(nest: tuple[str, str], depth: int) -> None:
    payload = ('{"ts":1767225600123,"data":' + nest[0] * depth + "1" + nest[1] * depth + "}").encode()
    judged([(b"city/v1/demo/gas_alarm/gas-0042/telemetry", payload), (b"thing/product/NEVERSEEN/osd", payload)])


def test_what_the_fuzzer_begins_from_has_every_fate() -> None:
    assert [unpacked(packed(message)) for message in SEEDS] == list(SEEDS)
    fates = [judged([message]) for message in SEEDS]
    assert {fate for (fate,) in fates} == {"decoded", "quarantined"}
    assert judged([SEEDS[0], SEEDS[0]]) == ["decoded", "duplicate"]
