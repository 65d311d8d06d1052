"""The closed list of units a field may have, and the suffix of a field's name that promises one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement; ``zh`` and ``en`` are what a page prints behind the number."""

    key: str
    zh: str
    en: str


def _unit(key: str, zh: str | None = None, en: str | None = None) -> tuple[str, Unit]:
    return key, Unit(key, key if zh is None else zh, key if en is None else en)


UNITS: dict[str, Unit] = dict(
    (
        _unit("1", "", ""),
        _unit("count", "个", ""),
        _unit("passes", "辆次", "passes"),
        _unit("%"),
        _unit("%LEL"),
        _unit("%LEL/min", "%LEL/分", "%LEL/min"),
        _unit("%VOL"),
        _unit("%RH"),
        _unit("ppm"),
        _unit("m", "米", "m"),
        _unit("km", "公里", "km"),
        _unit("mm", "毫米", "mm"),
        _unit("mm/h", "毫米/时", "mm/h"),
        _unit("m/s", "米/秒", "m/s"),
        _unit("km/h", "公里/时", "km/h"),
        _unit("°"),
        _unit("°C", "℃", "°C"),
        _unit("s", "秒", "s"),
        _unit("h", "小时", "h"),
        _unit("d", "天", "d"),
        _unit("kg", "千克", "kg"),
        _unit("V", "伏", "V"),
        _unit("A", "安", "A"),
        _unit("mA", "毫安", "mA"),
        _unit("W", "瓦", "W"),
        _unit("kWh", "千瓦时", "kWh"),
        _unit("hPa", "百帕", "hPa"),
        _unit("µg/m³", "微克/米³", "µg/m³"),
        _unit("mg/m³", "毫克/米³", "mg/m³"),
        _unit("dB(A)", "分贝(A)", "dB(A)"),
        _unit("dBm"),
        _unit("lx", "勒克斯", "lx"),
        _unit("m³/s", "米³/秒", "m³/s"),
        _unit("mg/L", "毫克/升", "mg/L"),
        _unit("NTU"),
        _unit("µS/cm", "微西/厘米", "µS/cm"),
        _unit("µε", "微应变", "µε"),
        _unit("g"),
        _unit("kN", "千牛", "kN"),
        _unit("m/km", "米/公里", "m/km"),
    )
)

# Longest suffix first: ``conc_pct_lel`` must not be read as a percentage.
SUFFIX_UNITS: tuple[tuple[str, str], ...] = (
    ("_pct_lel", "%LEL"),
    ("_pct_vol", "%VOL"),
    ("_rh_pct", "%RH"),
    ("_ugm3", "µg/m³"),
    ("_m3s", "m³/s"),
    ("_uscm", "µS/cm"),
    ("_ntu", "NTU"),
    ("_mgl", "mg/L"),
    ("_mkm", "m/km"),
    ("_ue", "µε"),
    ("_kn", "kN"),
    ("_mm", "mm"),
    ("_mgm3", "mg/m³"),
    ("_rssi_dbm", "dBm"),
    ("_rsrp_dbm", "dBm"),
    ("_mmh", "mm/h"),
    ("_mps", "m/s"),
    ("_kmh", "km/h"),
    ("_hpa", "hPa"),
    ("_dba", "dB(A)"),
    ("_dbm", "dBm"),
    ("_deg", "°"),
    ("_pct", "%"),
    ("_ppm", "ppm"),
    ("_kwh", "kWh"),
    ("_km", "km"),
    ("_kg", "kg"),
    ("_ma", "mA"),
    ("_c", "°C"),
    ("_m", "m"),
    ("_s", "s"),
    ("_h", "h"),
    ("_v", "V"),
    ("_a", "A"),
    ("_w", "W"),
)


def promised_unit(field_key: str) -> str | None:
    """Return the unit that a field's name promises by its suffix, or None when it promises none."""
    if field_key == "rh_pct":
        return "%RH"
    for suffix, unit in SUFFIX_UNITS:
        if field_key.endswith(suffix):
            return unit
    return None
