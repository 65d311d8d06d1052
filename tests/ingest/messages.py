"""Messages as devices send them, and journal records of them."""

import json
from typing import Any

from ingest.records import Record

T_MS = 1_767_225_600_000
Message = tuple[str, bytes]


def native(kind: str, device: str, data: dict[str, Any], channel: str = "telemetry", /, **envelope: Any) -> Message:
    """Return a message of the native contract; the envelope's fields as they are given."""
    return f"city/v1/demo/{kind}/{device}/{channel}", json.dumps({"v": 1, **envelope, "data": data}).encode()


def gas(device: str, conc: float, /, **envelope: Any) -> Message:
    """Return what a gas alarm measures."""
    return native("gas_alarm", device, {"conc_pct_lel": conc}, **envelope)


def passage(device: str, identifier: str, ts: int, gvw_kg: float = 10_000) -> Message:
    """Return one vehicle on a weighing station."""
    data = {"pass_id": identifier, "gvw_kg": gvw_kg, "axle_count": 2, "speed_kmh": 50, "lane": "1"}
    return native("bridge_wim", device, data, "event", id=identifier, ts=ts)


def dji(serial: str, data: dict[str, Any], tid: str = "t", timestamp: int = T_MS) -> Message:
    """Return an osd message of an aircraft, by the DJI Cloud API."""
    body = {"tid": tid, "bid": "b", "timestamp": timestamp, "gateway": "its-dock", "data": data}
    return f"thing/product/{serial}/osd", json.dumps(body).encode()


def hj212(station: str, content: str, stamp: str = "20260101080000") -> Message:
    """Return a frame of HJ 212-2017."""
    segment = f"QN={stamp}000;ST=22;CN=2011;MN={station};CP=&&DataTime={stamp};{content}&&".encode()
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            register = (register >> 1) ^ (0xA001 if register & 1 else 0)
    return f"hj212/{station}/up", b"##%04d%s%04X\r\n" % (len(segment), segment, register)


def records(messages: list[Message], first: int = 1, received_ms: int = T_MS, step_ms: int = 10) -> list[Record]:
    """Return messages as the journal would hold them."""
    return [Record(first + i, received_ms + i * step_ms, *message) for i, message in enumerate(messages)]
