"""Writing HJ 212-2017 frames; the CRC is written from the standard's annex A, apart from the reader's."""

from datetime import datetime, timedelta, timezone

from simulators.report import Report
from simulators.wire.rounding import Sent

_GMT8 = timezone(timedelta(hours=8))
# field → factor code, divisor into the unit of the frame, decimals
_FACTORS = {
    "pm25_ugm3": ("a34004", 1, 1), "pm10_ugm3": ("a34002", 1, 1), "temp_c": ("a01001", 1, 1),
    "rh_pct": ("a01002", 1, 1),
    "pressure_hpa": ("a01006", 10, 2), "wind_mps": ("a01007", 1, 1), "wind_dir_deg": ("a01008", 1, 0),
    "noise_dba": ("LA", 1, 1), "no2_ugm3": ("a21004", 1, 1), "so2_ugm3": ("a21026", 1, 1), "o3_ugm3": ("a05024", 1, 1),
    "co_mgm3": ("a21005", 1, 1),
}  # fmt: skip


def frame(report: Report, sent: Sent, station: str) -> tuple[str, bytes]:
    """Return topic and frame of a live reading (CN 2011)."""
    at = datetime.fromtimestamp(report.at_ms / 1000, _GMT8)
    values = []
    for key, (code, divisor, decimals) in _FACTORS.items():
        value = sent.get(key)
        if isinstance(value, int | float):
            values.append(f"{code}-Rtd={value / divisor:.{decimals}f},{code}-Flag=N")
    segment = (
        f"QN={at:%Y%m%d%H%M%S}{report.at_ms % 1000:03d};ST=22;CN=2011;PW=123456;MN={station};Flag=4;"
        f"CP=&&DataTime={at:%Y%m%d%H%M%S};{';'.join(values)}&&"
    ).encode("ascii")
    return f"hj212/{station}/up", b"##%04d%s%04X\r\n" % (len(segment), segment, _check(segment))


def _check(segment: bytes) -> int:
    crc = 0xFFFF
    for byte in segment:
        crc = (crc >> 8) ^ byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc
