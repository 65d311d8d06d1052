"""Writing CityDeck's own envelope (PAYLOADS §2)."""

import json

from devices.site import Device
from simulators.report import Report
from simulators.wire.rounding import Sent

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def topic(device: Device, channel: str) -> str:
    """Return the native topic of a device's channel."""
    return f"city/v1/{device.district}/{device.kind}/{device.id}/{channel}"


def payload(report: Report, sent: Sent, seq: int) -> bytes:
    """Return the envelope; a passage carries its own id, everything else its number."""
    envelope: dict[str, object] = {"v": 1}
    if report.passage:
        envelope["id"] = f"{report.device.id}-{report.passage}"
    envelope["ts"] = report.at_ms
    envelope["seq"] = seq
    if report.device.parent and not report.direct and report.device.kind in ("light_pole", "gas_alarm"):
        envelope["gw"] = report.device.parent
    envelope["data"] = sent
    return _dumps(envelope).encode()
