"""Writing DJI Cloud API osd messages of aircraft and docks.

Source: field descriptions in github.com/dji-sdk/Cloud-API-Doc.
"""

import json
from collections.abc import Iterator

from simulators.chance import word
from simulators.report import Report
from simulators.wire.rounding import Sent

# field → where it stands in data, and by what it is multiplied
_AIRCRAFT: dict[str, tuple[str, float]] = {
    "mode": ("mode_code", 1), "lat": ("latitude", 1), "lon": ("longitude", 1), "alt_ellipsoid_m": ("height", 1),
    "alt_rel_m": ("elevation", 1), "speed_mps": ("horizontal_speed", 1), "climb_mps": ("vertical_speed", 1),
    "heading_deg": ("attitude_head", 1), "pitch_deg": ("attitude_pitch", 1), "roll_deg": ("attitude_roll", 1),
    "home_dist_m": ("home_distance", 1), "wind_mps": ("wind_speed", 10), "batt_pct": ("battery.capacity_percent", 1),
    "remain_flight_s": ("battery.remain_flight_time", 1), "fix": ("position_state.is_fixed", 1),
    "gnss_sats": ("position_state.gps_number", 1), "rtk_sats": ("position_state.rtk_number", 1),
}  # fmt: skip
_DOCK: dict[str, tuple[str, float]] = {
    "mode": ("mode_code", 1), "cover": ("cover_state", 1), "drone_in_dock": ("drone_in_dock", 1),
    "rain": ("rainfall", 1), "wind_mps": ("wind_speed", 1), "env_temp_c": ("environment_temperature", 1),
    "inside_temp_c": ("temperature", 1), "inside_rh_pct": ("humidity", 1), "mains_v": ("electric_supply_voltage", 1),
    "charge_state": ("drone_charge_state.state", 1), "batt_pct": ("drone_charge_state.capacity_percent", 1),
    "net_type": ("network_state.type", 1), "job_count": ("job_number", 1), "sdr_q": ("wireless_link.sdr_quality", 1),
    "lte_q": ("wireless_link.4g_quality", 1),
}  # fmt: skip
_DOCK_FRAGMENTS = (frozenset(_DOCK) - {"job_count", "sdr_q", "lte_q"}, frozenset({"job_count", "sdr_q", "lte_q"}))


def messages(report: Report, sent: Sent, serial: str, gateway: str, seq: int) -> Iterator[tuple[str, bytes]]:
    """Yield topic and payload; a dock tells what it knows in fragments, as real ones do."""
    if report.device.kind == "drone":
        yield _message(report, _aircraft(sent), serial, gateway, seq, 0)
        return
    for number, keys in enumerate(_DOCK_FRAGMENTS):
        data = _nested({key: value for key, value in sent.items() if key in keys}, _DOCK)
        if data:
            yield _message(report, data, serial, serial, seq, number)


def _aircraft(sent: Sent) -> dict[str, object]:
    data = _nested(sent, _AIRCRAFT)
    heading = data.get("attitude_head")
    if isinstance(heading, int | float) and heading > 180:
        data["attitude_head"] = round(heading - 360, 1)
    cell: dict[str, object] = {"index": 0}
    if "batt_v" in sent:
        cell["voltage"] = round(float(sent["batt_v"]) * 1000)
    if "batt_temp_c" in sent:
        cell["temperature"] = sent["batt_temp_c"]
    battery = data.setdefault("battery", {})
    if isinstance(battery, dict):
        battery["batteries"] = [cell]
    return data


def _nested(sent: Sent, places: dict[str, tuple[str, float]]) -> dict[str, object]:
    data: dict[str, object] = {}
    for key, value in sent.items():
        if key not in places:
            continue
        path, scale = places[key]
        number = round(float(value) * scale) if scale != 1 and not isinstance(value, str) else value
        outer, _, inner = path.partition(".")
        if inner:
            nest = data.setdefault(outer, {})
            if isinstance(nest, dict):
                nest[inner] = number
        else:
            data[outer] = number
    return data


def _message(
    report: Report, data: dict[str, object], serial: str, gateway: str, seq: int, fragment: int
) -> tuple[str, bytes]:
    mark = word(seq, serial, report.at_ms, fragment)
    body = {
        "tid": f"{mark[:8]}-0000-4000-8000-{mark[4:]}",
        "bid": f"{mark[8:]}-0000-4000-8000-{mark[:12]}",
        "timestamp": report.at_ms,
        "gateway": gateway,
        "data": data,
    }
    return f"thing/product/{serial}/osd", json.dumps(body, separators=(",", ":")).encode()
