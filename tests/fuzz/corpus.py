"""Messages to begin from: the kinds' own examples, and one of every sort the tests of ingest send."""

from tests.devices.test_fuzz import EXAMPLES
from tests.fuzz.fates import RawMessage
from tests.ingest.messages import T_MS, dji, gas, hj212, native, passage
from tests.ingest.test_decoding import POISON, UNREADABLE

_BACKFILL = (
    b'[{"id":"a","ts":"2026-01-01T08:00:00.5+08:00","hist":true,"data":{"conc_pct_lel":51}},'
    b'{"seq":2,"ts":1767225600123456,"q":"bad","qf":["temp_c:comm","calib"],"loc":{"lat":29.9,"lon":121.6},"data":{}}]'
)
_AIRCRAFT = {
    "mode_code": 5, "latitude": 30.1, "longitude": 120.1, "height": 130.2, "horizontal_speed": 0, "wind_speed": 35,
    "battery": {"capacity_percent": 80, "batteries": [{"voltage": 24100, "temperature": 31.5}]},
    "position_state": {"gps_number": 12, "is_fixed": 2, "rtk_number": 20},
}  # fmt: skip
_DOCK = {"cover_state": 0, "drone_in_dock": 1, "network_state": {"type": 2}, "wireless_link": {"4g_quality": 5}}

SEEDS: tuple[RawMessage, ...] = tuple(
    (topic.encode("utf-8", "surrogatepass"), payload)
    for topic, payload in (
        *((example.topic, example.payload) for example in EXAMPLES),
        *(message for _, message, _ in UNREADABLE),
        *(message for _, message in POISON),
        gas("gas-0042", 60, ts=T_MS, id="a", q="uncertain", qf=["conc_pct_lel:calib"]),
        ("city/v1/demo/gas_alarm/gas-0042/telemetry", _BACKFILL),
        ("city/v1/demo/gas_alarm/gas-0042/status", b"offline"),
        native("light_pole", "pole-0007", {"dim_pct": 255, "leak_ma": 45, "pm25_ugm3": 260}, seq=1, ts=T_MS // 1000),
        native("refuse_truck", "truck-014", {"lift_id": "l1", "net_kg": 60}, "event", id=7, ts=T_MS),
        passage("wim-07", "p-1", T_MS, 36_000),
        dji("1581F5BKD2310ABCDEFG", _AIRCRAFT),
        dji("4TADKAQ000002J", _DOCK),
        hj212("MN000007", "a34004-Rtd=261.5,a34004-Flag=N;a01006-Avg=101.85,a01006-Flag=D;LA-Rtd=54.2"),
        hj212("MN000007", "B01-Rtd=36.91;011-Rtd=231.0,011-Flag=N"),
    )
)
TOPICS = tuple(dict.fromkeys(topic for topic, _ in SEEDS))


def packed(message: RawMessage) -> bytes:
    """Return a message as one string of bytes: the topic's number, or 255, the topic and a zero; then the payload."""
    topic, payload = message
    number = TOPICS.index(topic) if topic in TOPICS else 255
    return bytes([number]) + payload if number < 255 else b"\xff" + topic + b"\0" + payload


def unpacked(found: bytes) -> RawMessage:
    """Return the message that any bytes stand for."""
    number = found[0] if found else 0
    if number < len(TOPICS):
        return TOPICS[number], found[1:]
    topic, _, payload = found[1:].partition(b"\0")
    return topic, payload
