"""Street-light poles: the lamp, its supply and leakage, and on some poles an environment station."""

from typing import Literal

from devices.kind import (
    PRIORITIES,
    Example,
    Field,
    GroupLimit,
    Kind,
    Label,
    Level,
    Limit,
    Measurement,
    NoData,
    flag,
    number,
    tag,
)
from devices.signals import (
    Arming,
    Daylight,
    Deviation,
    Learned,
    Mean,
    Night,
    Permitted,
    Share,
    Together,
    Total,
    While,
)

_SOURCE = Label(
    "TALQ 2.7.1 灯具执行器、OMA LwM2M 对象 3416/3418/3428；环境监测 HJ 212-2017",
    "TALQ 2.7.1 lamp actuator and OMA LwM2M objects 3416/3418/3428; HJ 212-2017 for pole_env",
)

_SUPPLY_LOW = Limit(
    "low",
    "供电电压偏低",
    "supply voltage low",
    (Level(1, 198, "P4"),),
    source="GB/T 12325-2008: 220 V +7/−10 %",
    grade="B",
    sense="below",
    deadband=2,
    on_s=60,
    off_s=60,
)
_SUPPLY_HIGH = Limit(
    "high",
    "供电电压偏高",
    "supply voltage high",
    (Level(1, 235.4, "P4"),),
    source="GB/T 12325-2008: 220 V +7/−10 %",
    grade="B",
    deadband=2,
    on_s=60,
    off_s=60,
)
_LEAK = Limit(
    "leakage",
    "漏电",
    "leakage current",
    (Level(1, 30, "P1"),),
    source="GB/T 13955: 30 mA",
    grade="B",
    deadband=5,
    off_s=60,
    latch=True,
    cap=30,
)
_ON = While("cmd_pct", low=10)
# A controller that says itself what is wrong needs no second alarm that says it again.
_SOUND = While("lamp_fail", high=0, unknown=True)
_DIMMING = Limit(
    "deviation",
    "亮度偏离指令",
    "dimming differs from the command",
    (Level(1, 10, "P4"),),
    source=Label("偏差 > 10 点持续 5 min：CityDeck 建议值", "off by > 10 points for 5 min: CityDeck proposal"),
    grade="C",
    deadband=2,
    on_s=300,
    off_s=60,
    signal=Deviation("cmd_pct"),
    armed=(_SOUND, While("day_burner", high=0, unknown=True)),
)
_USUAL = Learned("cmd_pct", 10, 20, judged=(_ON,), normal=(_ON, _SOUND, While("dim_pct", low=10, unknown=True)))
_CURRENT_LOW = Limit(
    "current_low",
    "灯具电流过低",
    "lamp current far below its usual",
    (Level(1, 10, "P4"),),
    source=Label(
        "< 学习值 10 % 持续 5 min：CityDeck 建议值", "< 10 % of what was learned for 5 min: CityDeck proposal"
    ),
    grade="C",
    sense="below",
    deadband=5,
    on_s=300,
    off_s=60,
    signal=_USUAL,
    unit="%",
    armed=(_SOUND,),
)
_CURRENT_HIGH = Limit(
    "current_high",
    "灯具电流过高",
    "lamp current far above its usual",
    (Level(1, 130, "P4"),),
    source=Label(
        "> 学习值 130 % 持续 5 min：CityDeck 建议值", "> 130 % of what was learned for 5 min: CityDeck proposal"
    ),
    grade="C",
    deadband=5,
    on_s=300,
    off_s=60,
    signal=_USUAL,
    unit="%",
)
_NOISE = Limit(
    "high",
    "噪声超标",
    "noise above its class",
    (Level(1, 5, "P4"), Level(2, 10, "P3")),
    source=Label(
        "GB 3096-2008 0–4b 类昼夜限值；连续两个 10 min、+5/+10 dB(A)：CityDeck 建议值",
        "GB 3096-2008 day and night limits of classes 0–4b; two times 10 min, +5/+10 dB(A): CityDeck proposal",
    ),
    grade="C",
    deadband=1,
    signal=Mean(
        600,
        10,
        0.7,
        in_a_row=2,
        energy=True,
        over=Permitted(
            "noise_class",
            {"0": (50, 40), "1": (55, 45), "2": (60, 50), "3": (65, 55), "4a": (70, 55), "4b": (70, 60)},
            6 * 60,
            22 * 60,
        ),
    ),
)


def _lit_rate(road: Literal["main", "branch"], zh: str, en: str, allowed: float, least: int) -> GroupLimit:
    return GroupLimit(
        "street",
        # Of so few that one dark lamp alone would be too many nothing is said.
        Share((_ON,), (While("dim_pct", low=1), _SOUND), least),
        Limit(
            f"lit_rate_{road}",
            f"{zh}亮灯率低",
            f"too few lamps lit on {en}",
            # What is still allowed does not raise.
            (Level(1, allowed - 0.01, "P3"),),
            source=Label(
                f"《城市照明管理规定》及各市规程：≥ {allowed:g} %",
                f"Rules of City Lighting and municipal rules: ≥ {allowed:g} %",
            ),
            grade="B",
            sense="below",
            deadband=0.5,
            on_s=300,
            off_s=300,
            armed=(Night(30, 30),),
        ),
        "%",
        ("road", road),
    )


_GROUPS = (
    _lit_rate("main", "主干道", "main roads", 98, 50),
    _lit_rate("branch", "次干道、支路", "branch roads", 96, 25),
    GroupLimit(
        "circuit",
        Together("lamp_fail.fault", 600),
        Limit(
            "circuit_fault",
            "回路故障",
            "circuit fault",
            (Level(1, 5, "P2"),),
            source=Label(
                "同一回路 10 min 内 5 盏灯故障：CityDeck 建议值",
                "5 lamps of a circuit failing within 10 min: CityDeck proposal",
            ),
            grade="C",
        ),
        "count",
    ),
    GroupLimit(
        "circuit",
        Total("leak_ma"),
        Limit(
            "feeder_leakage",
            "回路漏电",
            "leakage of a whole circuit",
            (Level(1, 100, "P3"), Level(2, 300, "P2"), Level(3, 500, "P1")),
            source=Label(
                "GB 50116：300–500 mA；各杆之和：CityDeck 建议值",
                "GB 50116: 300–500 mA; sum of its poles: CityDeck proposal",
            ),
            grade="C",
            deadband=20,
            off_s=60,
            latch=True,
            cap=100,
        ),
        "mA",
    ),
)


def _fault(zh: str, en: str, *armed: Arming) -> tuple[Limit, ...]:
    return (
        Limit(
            "fault",
            zh,
            en,
            (Level(1, 1, "P4"),),
            Label("TALQ 灯具监测；等级：CityDeck 建议值", "TALQ lamp monitor; priorities: CityDeck proposal"),
            "C",
            "state",
            on_s=0,
            off_s=60,
            armed=armed,
        ),
    )


def _air(key: str, zh: str, en: str, unit: str, high: float, *steps: float) -> Field:
    limits: tuple[Limit, ...] = ()
    if steps:
        # The worst step is P1, the mildest P4.
        levels = tuple(Level(n, value, PRIORITIES[4 - n]) for n, value in enumerate(steps, 1))
        source = "GB 3095-2026 / HJ 633-2026"
        # HJ 633: an hour counts with three quarters of its readings.
        mean = Mean(3600, 12, 0.75)
        limits = (
            Limit("high", f"{zh}小时均值偏高", f"hourly {en} high", levels, source, "B", deadband=5, signal=mean),
        )
    return number(key, zh, en, unit, 0, high, 0.1, live=key == "pm25_ugm3", limits=limits)


KIND = Kind(
    "light_pole",
    "智慧灯杆",
    "Light pole",
    source=_SOURCE,
    period_s=60,
    stale_after_s=360,
    headline="dim_pct",
    shape="circle",
    no_data=NoData(
        300,
        "P4",
        Label(
            "环境监测 5 min，灯控 ≥ 3 个周期：CityDeck 建议值",
            "environment 5 min, lamps ≥ 3 intervals: CityDeck proposal",
        ),
        "C",
    ),
    groups=_GROUPS,
    measurements=(
        Measurement(
            "light_pole",
            "灯具遥测",
            "Lamp telemetry",
            ("telemetry",),
            (
                number(
                    "dim_pct",
                    "实际亮度",
                    "Actual dimming",
                    "%",
                    0,
                    100,
                    1,
                    sentinels=(255, 65535),
                    live=True,
                    limits=(_DIMMING,),
                ),
                number("cmd_pct", "指令亮度", "Commanded dimming", "%", 0, 100, 1, sentinels=(255, 65535), live=True),
                number("supply_v", "供电电压", "Supply voltage", "V", 0, 300, 0.1, limits=(_SUPPLY_LOW, _SUPPLY_HIGH)),
                number(
                    "supply_a",
                    "供电电流",
                    "Supply current",
                    "A",
                    0,
                    20,
                    0.001,
                    limits=(_CURRENT_LOW, _CURRENT_HIGH),
                ),
                number("active_w", "有功功率", "Active power", "W", 0, 2000, 0.1),
                number("pf", "功率因数", "Power factor", "1", -1, 1, 0.001),
                number("energy_kwh", "累计电量", "Energy", "kWh", 0, None, 0.001),
                number("lamp_hours_h", "累计亮灯", "Burning hours", "h", 0, 200000, 0.1),
                number("driver_temp_c", "驱动温度", "Driver temperature", "°C", -40, 120, 0.1),
                number("leak_ma", "漏电流", "Leakage current", "mA", 0, 500, 0.1, live=True, limits=(_LEAK,)),
                number("tilt_deg", "倾角", "Tilt", "°", 0, 90, 0.1),
                flag("lamp_fail", "灯具故障", "Lamp failure", live=True, limits=_fault("灯具故障", "lamp failure")),
                flag("gear_fail", "驱动故障", "Gear failure", limits=_fault("驱动故障", "gear failure")),
                flag("relay_fail", "继电器故障", "Relay failure", limits=_fault("继电器故障", "relay failure")),
                flag("comm_fail", "通信故障", "Communication failure"),
                flag(
                    "day_burner",
                    "白天亮灯",
                    "Burning by day",
                    limits=_fault("白天亮灯", "lamp burning by day", Daylight(30, 30)),
                ),
                flag("door_open", "灯杆门打开", "Door open", limits=_fault("灯杆门打开", "pole door open")),
                tag("feeder", "供电回路", "Feeder"),
            ),
        ),
        Measurement(
            "pole_env",
            "环境监测",
            "Environment",
            ("telemetry",),
            (
                _air("pm25_ugm3", "PM2.5", "PM2.5", "µg/m³", 1000, 60, 115, 150, 250),
                _air("pm10_ugm3", "PM10", "PM10", "µg/m³", 2000),
                number("temp_c", "气温", "Air temperature", "°C", -50, 60, 0.1, live=True),
                number("rh_pct", "相对湿度", "Humidity", "%RH", 0, 100, 0.1),
                number("pressure_hpa", "气压", "Pressure", "hPa", 500, 1100, 0.1),
                number("wind_mps", "风速", "Wind speed", "m/s", 0, 60, 0.1),
                number("wind_dir_deg", "风向", "Wind direction", "°", 0, 360, 1),
                number("noise_dba", "噪声", "Noise", "dB(A)", 20, 140, 0.1, live=True, limits=(_NOISE,)),
                number("lux", "照度", "Illuminance", "lx", 0, 200000, 1),
                number("rain_mmh", "雨强", "Rain rate", "mm/h", 0, 300, 0.1),
                _air("no2_ugm3", "NO₂", "NO₂", "µg/m³", 4000),
                _air("so2_ugm3", "SO₂", "SO₂", "µg/m³", 4000),
                _air("o3_ugm3", "O₃", "O₃", "µg/m³", 2000),
                _air("co_mgm3", "CO", "CO", "mg/m³", 200),
            ),
        ),
    ),
    examples=(
        Example(
            source="LwM2M 3416/3418 resource descriptions: 255 is DALI MASK, no dimming level known; native envelope",
            topic="city/v1/demo/light_pole/pole-0007/telemetry",
            payload=(
                b'{"v":1,"ts":1767225600,"seq":1,"data":{"dim_pct":80,"cmd_pct":255,"supply_v":231,"supply_a":0.66,'
                b'"active_w":146,"pf":0.96,"leak_ma":0,"lamp_fail":false,"feeder":"F-12"}}'
            ),
            at_ms=1767225600000,
            expect={
                "light_pole": {
                    "dim_pct": 80.0,
                    "supply_v": 231.0,
                    "supply_a": 0.66,
                    "active_w": 146.0,
                    "pf": 0.96,
                    "leak_ma": 0.0,
                    "lamp_fail": 0.0,
                }
            },
            absent=("cmd_pct",),
        ),
        Example(
            source="HJ 212-2017 factor codes: a34004, a34002, a01001 °C, a01002 %RH, a01006 kPa, a01007, a01008, LA",
            topic="hj212/MN000007/up",
            payload=(
                b"##0235QN=20260101080000123;ST=22;CN=2011;PW=123456;MN=MN000007;Flag=4;CP=&&DataTime=20260101080000;"
                b"a34004-Rtd=38.5,a34004-Flag=N;a34002-Rtd=61,a34002-Flag=N;a01001-Rtd=7.4,a01001-Flag=N;"
                b"a01006-Rtd=102.31,a01006-Flag=N;LA-Rtd=54.2,LA-Flag=M&&3840\r\n"
            ),
            at_ms=1767225600000,
            expect={
                "pole_env": {
                    "pm25_ugm3": 38.5,
                    "pm10_ugm3": 61.0,
                    "temp_c": 7.4,
                    "pressure_hpa": 1023.1,
                    "noise_dba": 54.2,
                }
            },
            flags={"noise_dba": "maint"},
        ),
    ),
)
