"""The quick way and the long way say the same of every message that both can read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import decode as long_way
from devices.decode import decode
from devices.errors import Undecodable
from devices.kind import Field
from devices.plan import Plan
from devices.quick import quick
from devices.readings import Decoded
from tests.devices.small_city import SITE

NOW_MS = 1_767_225_700_000
CHANNELS = [
    (kind.key, channel)
    for kind in SITE.catalog.kinds.values()
    for channel in ("telemetry", "event")
    if kind.measurements_on(channel)
]


def the_long_way(topic: str, payload: bytes, monkeypatch: pytest.MonkeyPatch) -> Decoded | str:
    with monkeypatch.context() as patch:
        patch.setattr(long_way, "quick", lambda *_: None)
        try:
            return decode(topic, payload, NOW_MS, 77, SITE)
        except Undecodable as error:
            return error.reason


def value(field: Field) -> st.SearchStrategy[Any]:
    if field.key == "gas":
        return st.sampled_from(["CH4", " 甲烷", "c3h8", "CO", "O2", "?"])
    if field.tag or field.type == "text":
        return st.text(min_size=1, max_size=20) | st.just("")
    if field.type == "flag":
        return st.sampled_from([0, 1, True, False])
    numbers = st.floats(field.low, field.high, allow_nan=False, allow_infinity=False)
    odd: list[Any] = [0, None, "x", *field.sentinels]
    return numbers | st.sampled_from(odd) | st.integers(-1000, 100_000)


def envelopes(plan: Plan) -> st.SearchStrategy[dict[str, Any]]:
    data = st.fixed_dictionaries({}, optional={key: value(slot.field) for key, slot in plan.slots.items()})
    extra = st.dictionaries(st.text(min_size=1, max_size=5), st.integers(), max_size=1)
    return st.fixed_dictionaries(
        {"ts": st.integers(NOW_MS - 10**6, NOW_MS + 10**6), "data": st.builds(lambda a, b: {**b, **a}, data, extra)},
        optional={
            "v": st.just(1),
            "id": st.text(max_size=5) | st.integers() | st.none() | st.text(min_size=250, max_size=260),
            "seq": st.integers() | st.text(max_size=5) | st.booleans() | st.none(),
            "q": st.sampled_from(["good", "uncertain", "bad"]),
            "qf": st.lists(st.sampled_from(["dup", "temp_c:range"]), max_size=1),
            "hist": st.booleans(),
            "gw": st.text(max_size=5),
            "loc": st.fixed_dictionaries({"lat": st.just(30.1), "lon": st.just(120.1)}),
            "kind": st.sampled_from(["light_pole", "drone"]),
        },
    )


@pytest.mark.parametrize(("kind", "channel"), CHANNELS, ids=str)
@given(data=st.data())
def test_both_ways_agree(kind: str, channel: str, data: st.DataObject) -> None:
    document = data.draw(envelopes(SITE.catalog.plan(kind, channel)))
    payload = json.dumps(document, ensure_ascii=data.draw(st.booleans())).encode(errors="replace")
    topic = f"city/v1/demo/{kind}/new-1/{channel}"
    found = quick(topic, payload, NOW_MS, 77, SITE)
    if found is not None:
        assert found == the_long_way(topic, payload, pytest.MonkeyPatch())


@pytest.mark.parametrize(("kind", "channel"), CHANNELS, ids=str)
def test_the_common_message_goes_the_quick_way(kind: str, channel: str) -> None:
    plan = SITE.catalog.plan(kind, channel)
    data: dict[str, Any] = {}
    for key, slot in plan.slots.items():
        field = slot.field
        low, high = field.low or 0.0, 700.0 if field.high is None else field.high
        data[key] = "a" if field.tag or field.type == "text" else 1 if field.type == "flag" else (2 * low + high) / 3
    payload = json.dumps({"v": 1, "ts": NOW_MS, "seq": 4, "gw": "gw-1", "hist": False, "data": data}).encode()
    found = quick(f"city/v1/demo/{kind}/new-1/{channel}", payload, NOW_MS, 77, SITE)
    assert found is not None
    assert sum(len(reading.values) + len(reading.tags) for _, part in found.parts for reading in part) >= len(data)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"ts":1767225600123,"data":{"dim_pct":1e400}}',
        b'{"ts":1767225600123,"data":{"dim_pct":true}}',
        b'{"ts":1767225600123,"data":{"nope":1}}',
        b'{"ts":1767225600,"data":{"dim_pct":1}}',
        b'{"ts":99999999999999,"data":{"dim_pct":1}}',
        b'[{"ts":1767225600123,"data":{"dim_pct":1}}]',
        b'{"ts":9999999999999,"data":{"dim_pct":1}}',
        b'{"data":{"dim_pct":1}}',
        b"\xff",
        b"[" * 5000,
        b"",
    ],
)
def test_what_is_odd_goes_the_long_way(payload: bytes) -> None:
    assert quick("city/v1/demo/light_pole/pole-9/telemetry", payload, NOW_MS, 1, SITE) is None


@pytest.mark.parametrize(
    "topic", ["", "hj212/x/up", "city/v1/demo/light_pole/pole-9/status", "city/v1/a/b/c/telemetry"]
)
def test_other_topics_go_the_long_way(topic: str) -> None:
    assert quick(topic, b'{"ts":1767225600123,"data":{}}', NOW_MS, 1, SITE) is None


@pytest.mark.parametrize("seq", [2**53, 2**53 + 1, 2**64, -1, -(2**63) - 1, 10**40])
def test_a_number_too_large_to_count_by_still_tells_messages_apart(seq: int) -> None:
    topic = "city/v1/demo/gas_alarm/gas-1/telemetry"
    payload = b'{"v":1,"ts":%d,"seq":%d,"data":{"conc_pct_lel":1}}' % (NOW_MS, seq)
    found = decode(topic, payload, NOW_MS, 1, SITE)
    assert found.seq == (seq if seq == 2**53 else None)
    assert found.parts[0][0].endswith(f":{seq}")
    assert [reading.values for reading in found.parts[0][1]] == [{"conc_pct_lel": 1.0}]


def test_each_channel_may_number_its_messages_from_one() -> None:
    payload = b'{"v":1,"ts":%d,"id":"B","data":{"conc_pct_lel":1}}' % NOW_MS
    keys = {
        decode(f"city/v1/demo/gas_alarm/gas-1/{channel}", payload, NOW_MS, 1, SITE).parts[0][0]
        for channel in ("telemetry", "event")
    }
    assert keys == {"gas-1|telemetry|id:B", "gas-1|event|id:B"}


def test_a_payload_too_large_is_refused_also_where_it_looks_quick() -> None:
    payload = b'{"v":1,"ts":%d,"data":{"conc_pct_lel":1}%s}' % (NOW_MS, b" " * 1_048_576)
    with pytest.raises(Undecodable, match="expected at most 1048576"):
        decode("city/v1/demo/gas_alarm/gas-1/telemetry", payload, NOW_MS, 1, SITE)
