"""HJ 212-2017 frames: ``##`` + length + segment + CRC + CRLF, on the topic ``hj212/{mn}/up``.

Source: HJ 212-2017 §6 (frame, CRC) and annex B (factor codes). Times are GMT+8 without saying so.
"""

from datetime import datetime

from devices.errors import Undecodable, shown
from devices.readings import Sample
from devices.site import Site
from devices.topics import DEVICE_ID

# factor code → field, scale into the field's unit
FACTORS: dict[str, tuple[str, float]] = {
    "a34004": ("pm25_ugm3", 1.0),
    "a34002": ("pm10_ugm3", 1.0),
    "a01001": ("temp_c", 1.0),
    "a01002": ("rh_pct", 1.0),
    "a01006": ("pressure_hpa", 10.0),
    "a01007": ("wind_mps", 1.0),
    "a01008": ("wind_dir_deg", 1.0),
    "LA": ("noise_dba", 1.0),
    "a21004": ("no2_ugm3", 1.0),
    "a21026": ("so2_ugm3", 1.0),
    "a05024": ("o3_ugm3", 1.0),
    "O3": ("o3_ugm3", 1.0),
    "a21005": ("co_mgm3", 1.0),
}
_FLAG_CODES = {"D": "sensor_fault", "F": "sensor_fault", "B": "comm", "M": "maint", "C": "calib", "S": "manual"}


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC = tuple(map(_crc_of, range(256)))
_CRC_HIGH = bytes(register >> 8 for register in _CRC)


def owns(topic: str) -> bool:
    """Tell whether a topic carries HJ 212 frames."""
    return topic.startswith("hj212/")


def crc16(segment: bytes) -> int:
    """Return the CRC of HJ 212-2017 annex A: polynomial 0xA001, the running value's high byte meets each byte."""
    if not segment:
        return 0xFFFF
    # Its low byte is shifted out before it counts, so on the way the high byte is all there is.
    high = 0xFF
    for byte in memoryview(segment)[:-1]:
        high = _CRC_HIGH[high ^ byte]
    return _CRC[high ^ segment[-1]]


def framed(segment: bytes) -> bytes:
    """Return a frame with its length and CRC."""
    return b"##%04d%b%04X\r\n" % (len(segment), segment, crc16(segment))


def unframed(payload: bytes) -> bytes:
    """Return the segment of a frame.

    Raises:
        Undecodable: frame, length or CRC is wrong.
    """
    frame = payload.rstrip(b"\r\n")
    if not frame.startswith(b"##") or not frame[2:6].isdigit():
        raise Undecodable("frame", f"expected ## and four digits of length, found {shown(frame[:12])}")
    length = int(frame[2:6])
    segment, check = frame[6 : 6 + length], frame[6 + length :]
    if len(segment) != length or len(check) != 4:
        raise Undecodable("frame", f"length {length} announced, {len(frame) - 10} bytes found before the CRC")
    computed = crc16(segment)
    try:
        announced = int(check, 16)
    except ValueError:
        announced = -1
    if computed != announced:
        raise Undecodable("crc", f"CRC {shown(check)} in the frame, computed {computed:04X}")
    return segment


def samples(topic: str, payload: bytes, site: Site) -> list[Sample]:
    """Read one frame; ``-Rtd`` is preferred, ``-Avg`` taken where a frame has no live value.

    Raises:
        Undecodable: frame, length, CRC, station number or time is wrong.
    """
    parts = topic.split("/")
    if len(parts) != 3 or parts[2] != "up" or not DEVICE_ID.fullmatch(parts[1]):
        raise Undecodable("topic", f"topic {shown(topic)}: expected hj212/station number/up")
    station = parts[1]
    head, content = _divided(unframed(payload))
    if head.get("MN", station) != station:
        raise Undecodable("mismatch", f"MN {shown(head['MN'])} in the frame, but the topic says {station!r}")
    device = site.device_of("HJ212", station)
    data: dict[str, object] = {}
    flags: dict[str, str] = {}
    stamp = head.get("QN", "")[:14]
    for group in content.split(";"):
        items = dict(pair.split("=", 1) for pair in group.split(",") if "=" in pair)
        if "DataTime" in items:
            stamp = items["DataTime"]
            continue
        for key in ("-Rtd", "-Avg"):
            for name, value in items.items():
                if name.endswith(key):
                    _take(name.removesuffix(key), value, items, data, flags)
    return [
        Sample(
            device.kind if device is not None else "light_pole",
            device.id if device is not None else station,
            device.district if device is not None else None,
            "telemetry",
            _at_ms(stamp) if stamp else None,
            data,
            flags=flags,
        )
    ]


def _take(code: str, value: str, items: dict[str, str], data: dict[str, object], flags: dict[str, str]) -> None:
    mapping = FACTORS.get(code)
    if mapping is None:
        data[f"?{code}"] = None
        return
    field, scale = mapping
    if field in data:
        return
    try:
        data[field] = round(float(value) * scale, 6)
    except ValueError:
        data[field] = value
    flag = _FLAG_CODES.get(items.get(f"{code}-Flag", "N"))
    if flag is not None:
        flags[field] = flag


def _divided(segment: bytes) -> tuple[dict[str, str], str]:
    text = segment.decode("gb18030", errors="replace")
    front, found, content = text.partition("CP=&&")
    if not found:
        raise Undecodable("frame", "no CP=&&…&& part")
    head = dict(pair.split("=", 1) for pair in front.split(";") if "=" in pair)
    return head, content.removesuffix("&&")


def _at_ms(stamp: str) -> int:
    try:
        at = datetime.strptime(f"{stamp}+0800", "%Y%m%d%H%M%S%z")
    except ValueError as error:
        raise Undecodable("ts", f"DataTime {shown(stamp)}: expected yyyyMMddHHmmss") from error
    return round(at.timestamp() * 1000)
