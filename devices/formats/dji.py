"""DJI Cloud API: osd, state and events of aircraft and docks on ``thing/product/{sn}/…``.

Source: field descriptions in github.com/dji-sdk/Cloud-API-Doc. Messages arrive as fragments with different keys;
each becomes a sample of the fields it holds, and latest values merge per field further on.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b

from devices.errors import Undecodable, shown
from devices.formats.native import parse_json
from devices.readings import Sample
from devices.site import Site
from devices.topics import DEVICE_ID


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field stands in ``data`` (dotted, ``[]`` for the first of a list), how it scales, what means nothing."""

    path: str
    field: str
    scale: float = 1.0
    sentinels: tuple[float, ...] = ()


AIRCRAFT = (
    Source("mode_code", "mode"),
    Source("latitude", "lat"),
    Source("longitude", "lon"),
    Source("height", "alt_ellipsoid_m"),
    Source("elevation", "alt_rel_m"),
    Source("horizontal_speed", "speed_mps"),
    Source("vertical_speed", "climb_mps"),
    Source("attitude_head", "heading_deg"),
    Source("attitude_pitch", "pitch_deg"),
    Source("attitude_roll", "roll_deg"),
    Source("home_distance", "home_dist_m"),
    Source("wind_speed", "wind_mps", scale=0.1),
    Source("battery.capacity_percent", "batt_pct"),
    Source("battery.remain_flight_time", "remain_flight_s"),
    Source("battery.batteries.[].voltage", "batt_v", scale=0.001, sentinels=(0,)),
    Source("battery.batteries.[].temperature", "batt_temp_c"),
    Source("position_state.is_fixed", "fix"),
    Source("position_state.gps_number", "gnss_sats"),
    Source("position_state.rtk_number", "rtk_sats"),
)
DOCK = (
    Source("mode_code", "mode"),
    Source("cover_state", "cover"),
    Source("drone_in_dock", "drone_in_dock"),
    Source("rainfall", "rain"),
    Source("wind_speed", "wind_mps"),
    Source("environment_temperature", "env_temp_c", sentinels=(32767,)),
    Source("temperature", "inside_temp_c", sentinels=(32767,)),
    Source("humidity", "inside_rh_pct", sentinels=(32767,)),
    Source("electric_supply_voltage", "mains_v", sentinels=(32767,)),
    Source("drone_charge_state.state", "charge_state"),
    Source("drone_charge_state.capacity_percent", "batt_pct", sentinels=(32767,)),
    Source("network_state.type", "net_type"),
    Source("wireless_link.sdr_quality", "sdr_q"),
    Source("wireless_link.4g_quality", "lte_q"),
    Source("job_number", "job_count"),
)
_SOURCES = {"drone": AIRCRAFT, "drone_dock": DOCK}


def owns(topic: str) -> bool:
    """Tell whether a topic belongs to the DJI Cloud API."""
    return topic.startswith("thing/product/")


def samples(topic: str, payload: bytes, site: Site) -> list[Sample]:
    """Read a DJI message; ``state`` and ``events`` yield the same fields where they carry them.

    Raises:
        Undecodable: not JSON, no data, or a serial number that cannot be a device id.
    """
    parts = topic.split("/")
    if len(parts) < 4 or not DEVICE_ID.fullmatch(parts[2]):
        raise Undecodable("topic", f"topic {shown(topic)}: expected thing/product/serial number/osd")
    serial, channel = parts[2], parts[3]
    if channel not in ("osd", "state", "events"):
        return []
    body = parse_json(payload)
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        # What was found is not repeated: these messages may carry keys and addresses that must not reach a log.
        raise Undecodable("envelope", "expected an object whose data is an object")
    gateway = body.get("gateway")
    device = site.device_of("DJI", serial)
    kind = device.kind if device is not None else _kind_of(serial, gateway, data)
    if kind not in _SOURCES:
        raise Undecodable("mismatch", f"serial number {serial} is registered as {kind}, expected drone or drone_dock")
    found = _mapped(data, _SOURCES[kind])
    if kind == "drone" and found.get("lat") == 0 and found.get("lon") == 0:
        del found["lat"], found["lon"]
    if channel == "osd":
        taken = {source.path.split(".")[0] for source in _SOURCES[kind]}
        found.update({f"?{key}": None for key in data if key not in taken})
    stamp = body.get("timestamp")
    if stamp is not None and (not isinstance(stamp, int) or isinstance(stamp, bool) or len(str(stamp)) != 13):
        raise Undecodable("ts", f"timestamp {shown(stamp)}: expected epoch milliseconds")
    tid, bid = (found_id if isinstance(found_id := body.get(key), str) else None for key in ("tid", "bid"))
    return [
        Sample(
            kind,
            device.id if device is not None else serial,
            device.district if device is not None else None,
            "telemetry",
            stamp,
            found,
            # Fragments may share their transaction and their instant, so what they say is part of their identity.
            f"dji:{tid}:{bid}:{stamp}:{channel}:{_digest(payload)}" if tid or bid else None,
            gateway=gateway if isinstance(gateway, str) else None,
        )
    ]


def _kind_of(serial: str, gateway: object, data: Mapping[str, object]) -> str:
    # A dock is its own gateway, an aircraft reports through its dock; without a gateway the keys must tell.
    if isinstance(gateway, str) and gateway:
        return "drone_dock" if gateway == serial else "drone"
    return "drone_dock" if {"cover_state", "drone_in_dock", "wireless_link", "job_number"} & data.keys() else "drone"


def _digest(payload: bytes) -> str:
    return blake2b(payload, digest_size=12).hexdigest()


def _mapped(data: Mapping[str, object], sources: tuple[Source, ...]) -> dict[str, object]:
    found: dict[str, object] = {}
    for source in sources:
        value: object = data
        for step in source.path.split("."):
            if step == "[]":
                value = value[0] if isinstance(value, list) and value else None
            else:
                value = value.get(step) if isinstance(value, dict) else None
        if value is None or value in source.sentinels:
            continue
        if source.scale != 1.0 and isinstance(value, int | float) and not isinstance(value, bool):
            # An integer beyond any float stays what it is, and is refused when the field is judged.
            with suppress(OverflowError):
                value = round(value * source.scale, 9)
        found[source.field] = value
    return found
