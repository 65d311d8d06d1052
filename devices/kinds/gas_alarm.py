"""Combustible-gas and CO alarms in homes, restaurants, valve wells and stations."""

from devices.kind import Example, Given, Kind, Label, Level, Limit, Measurement, NoData, Value, code, flag, number, tag
from devices.signals import Rate, Registered, Tagged

_SOURCE = Label(
    "GB 15322.2-2019 家用探测器；GB/T 50493-2019；GB/T 45839-2025 状态码",
    "GB 15322.2-2019 household detectors; GB/T 50493-2019; GB/T 45839-2025 status codes",
)

# Lower explosive limits in %VOL after GB/T 50493-2019 annex A, by the names detectors send, in lower case. Natural gas
# counts as methane, LPG as butane, whose limit is the lower of its two.
_METHANE = 5.0
_LEL_PCT_VOL = {
    **dict.fromkeys(("ch4", "methane", "甲烷", "ng", "natural gas", "天然气", "combustible", "可燃气体"), _METHANE),
    **dict.fromkeys(("c3h8", "propane", "丙烷"), 2.1),
    **dict.fromkeys(("c4h10", "butane", "丁烷", "lpg", "液化石油气", "液化气"), 1.5),
    **dict.fromkeys(("c2h2", "acetylene", "乙炔"), 2.5),
    **dict.fromkeys(("h2", "hydrogen", "氢", "氢气"), 4.0),
}
_CO = ("co", "carbon monoxide", "一氧化碳")
# What a detector measures in %VOL without anything that burns.
_NO_FUEL = ("o2", "oxygen", "氧", "氧气", "co2", "carbon dioxide", "二氧化碳", "n2", "nitrogen", "氮气")
_PPM_PER_PCT_VOL = 10_000.0
_FUEL = Tagged("gas", "combustible", tuple(_LEL_PCT_VOL), but=True)

_LEL = Limit(
    "high",
    "燃气浓度",
    "gas concentration",
    (Level(1, 25, "P2"), Level(2, 50, "P1")),
    source="GB/T 50493-2019: ≤ 25 %LEL, ≤ 50 %LEL",
    grade="B",
    deadband=5,
    off_s=60,
    latch=True,
    cap=25,
)
_RISE = Limit(
    "rate",
    "燃气浓度快速上升",
    "gas concentration rising fast",
    (Level(1, 5, "P2"),),
    source=Label("≥ 5 %LEL/min：CityDeck 建议值", "≥ 5 %LEL/min: CityDeck proposal"),
    grade="C",
    deadband=2,
    off_s=60,
    latch=True,
    signal=Rate(120),
    unit="%LEL/min",
    cap=5,
)
# Enclosed places where people come and go: what they breathe there nobody aired or watched.
PUBLIC = ("restaurant", "mall", "hotel", "school", "hospital", "garage")
_PPM = Limit(
    "co",
    "一氧化碳",
    "carbon monoxide",
    (Level(1, 24, "P2"), Level(2, 160, "P1")),
    source=Label("30 mg/m³、200 mg/m³（0 °C）；厂商资料", "30 mg/m³, 200 mg/m³ (0 °C); tables of vendors"),
    grade="B",
    deadband=4,
    off_s=60,
    latch=True,
    armed=(Registered("premises", PUBLIC, but=True), _FUEL),
    cap=24,
)
_PPM_PUBLIC = Limit(
    "co_public",
    "公共场所一氧化碳",
    "carbon monoxide in an enclosed public place",
    (Level(1, 24, "P2"), Level(2, 48, "P1")),
    source=Label(
        "30 mg/m³、60 mg/m³（0 °C）；48 ppm：CityDeck 建议值", "30 mg/m³, 60 mg/m³ (0 °C); 48 ppm: CityDeck proposal"
    ),
    grade="C",
    deadband=4,
    off_s=60,
    latch=True,
    armed=(Registered("premises", PUBLIC), _FUEL),
    cap=24,
)
_STATE = Limit(
    "state",
    "探测器报警",
    "detector alarm",
    (Level(1, 1, "P2"), Level(2, 2, "P1")),
    source=Label(
        "GB/T 45839-2025 附录 D；等级：CityDeck 建议值", "GB/T 45839-2025 App. D; priorities: CityDeck proposal"
    ),
    grade="C",
    sense="state",
    off_s=60,
    latch=True,
    clears=(0,),
    cap=1,
)
_HEALTH = Limit(
    "fault",
    "探测器故障",
    "detector fault",
    (Level(1, 3, "health"), Level(2, 7, "health")),
    source=Label("GB/T 45839-2025 附录 D：3、7", "GB/T 45839-2025 App. D: 3, 7"),
    grade="C",
    sense="state",
    off_s=60,
)


def _explosive(values: dict[str, Value], given: Given) -> dict[str, str]:
    """Complete what the limits judge from what the detector measures: %LEL of fuel, ppm of carbon monoxide.

    What it sends in that unit itself stands. %VOL of a gas without a name, or with one that is not known, is taken for
    methane; ppm are then left to carbon monoxide, which is judged more strictly.
    """
    gas = given.tags.get("gas", "").strip().casefold()
    if gas in _NO_FUEL:
        return {}
    lower = _LEL_PCT_VOL.get(gas)
    vol, ppm = values.get("conc_pct_vol"), values.get("conc_ppm")
    if gas in _CO:
        target, found = "conc_ppm", [("conc_pct_vol", vol, _PPM_PER_PCT_VOL)]
    else:
        target, found = "conc_pct_lel", [("conc_pct_vol", vol, 100.0 / (lower or _METHANE))]
        if lower is not None:
            found.append(("conc_ppm", ppm, 100.0 / (lower * _PPM_PER_PCT_VOL)))
    for source, value, factor in found:
        if isinstance(value, float) and target not in values:
            # Rounded, so that a quarter of the limit is 25 and not a hair less.
            values[target] = round(value * factor, 6)
            return {target: given.flags[source]} if source in given.flags else {}
    return {}


KIND = Kind(
    "gas_alarm",
    "燃气报警器",
    "Gas alarm",
    source=_SOURCE,
    period_s=300,
    stale_after_s=1800,
    headline="conc_pct_lel",
    shape="hexagon",
    no_data=NoData(86400, "health", "GB/T 45839 §5.5.2: ≤ 24 h", "A"),
    measurements=(
        Measurement(
            "gas_alarm",
            "探测器",
            "Detector",
            ("telemetry", "event"),
            (
                number(
                    "conc_pct_lel",
                    "浓度",
                    "Concentration",
                    "%LEL",
                    0,
                    100,
                    0.1,
                    sentinels=(32767, 65535),
                    live=True,
                    limits=(_LEL, _RISE),
                ),
                number(
                    "conc_ppm",
                    "ppm 浓度",
                    "Concentration in ppm",
                    "ppm",
                    0,
                    50000,
                    1,
                    sentinels=(32767, 65535),
                    live=True,
                    limits=(_PPM, _PPM_PUBLIC),
                ),
                number(
                    "conc_pct_vol",
                    "体积浓度",
                    "Concentration by volume",
                    "%VOL",
                    0,
                    100,
                    0.01,
                    sentinels=(32767, 65535),
                ),
                code(
                    "state",
                    "状态",
                    "State",
                    {
                        0: ("正常", "normal"),
                        1: ("低限报警", "low alarm"),
                        2: ("高限报警", "high alarm"),
                        3: ("故障", "fault"),
                        4: ("预热", "preheating"),
                        5: ("消音", "muted"),
                        6: ("自检", "self-test"),
                        7: ("寿命终止", "end of life"),
                    },
                    live=True,
                    limits=(_STATE, _HEALTH),
                ),
                code(
                    "valve",
                    "切断阀",
                    "Valve",
                    {0: ("关闭", "closed"), 1: ("打开", "open"), 2: ("未装", "none")},
                    live=True,
                ),
                flag("fan", "排风扇", "Fan"),
                flag("relay", "继电器", "Relay"),
                number("batt_v", "电池电压", "Battery voltage", "V", 0, 30, 0.01),
                number("batt_pct", "电量", "Battery", "%", 0, 100, 1),
                number("temp_c", "温度", "Temperature", "°C", -50, 90, 0.1),
                number("rssi_dbm", "信号强度", "Signal strength", "dBm", -150, 0, 1),
                number("rsrp_dbm", "RSRP", "RSRP", "dBm", -150, 0, 1),
                number("sensor_life_s", "传感器剩余寿命", "Remaining sensor life", "s", 0, None, 1),
                number("fault_code", "故障码", "Fault code", "1", 0, 65535, 1),
                flag("mains_ok", "市电正常", "Mains in order"),
                tag("gas", "气体", "Gas"),
                tag("premises", "场所", "Premises"),
            ),
            derive=_explosive,
        ),
    ),
    examples=(
        Example(
            source="GB/T 45839-2025 App. D status 2 with concentration 0: the state alone must alarm; native envelope",
            topic="city/v1/demo/gas_alarm/gas-0042/event",
            payload=b'{"v":1,"id":"01JH8Q","ts":1767225600123,"data":{"state":2,"conc_pct_lel":0,"valve":0,"gas":"CH4"}}',
            at_ms=1767225600123,
            expect={"gas_alarm": {"state": 2.0, "conc_pct_lel": 0.0, "valve": 0.0}},
        ),
        Example(
            source="over-range reading of a catalytic detector (GB 15322.2-2019): kept and flagged, still an alarm",
            topic="city/v1/demo/gas_alarm/gas-0042/telemetry",
            payload=b'{"v":1,"ts":1767225600123,"seq":9,"data":{"conc_pct_lel":104.5,"conc_ppm":65535,"batt_v":3}}',
            expect={"gas_alarm": {"conc_pct_lel": 104.5, "batt_v": 3.0}},
            absent=("conc_ppm",),
            flags={"conc_pct_lel": "range"},
        ),
        Example(
            source="methane in %VOL, after ALARMS §8: 100 %LEL of CH4 are 5 %VOL",
            topic="city/v1/demo/gas_alarm/gas-0042/telemetry",
            payload='{"v":1,"ts":1767225600123,"seq":10,"data":{"conc_pct_vol":1.25,"gas":"甲烷"}}'.encode(),
            expect={"gas_alarm": {"conc_pct_vol": 1.25, "conc_pct_lel": 25.0}},
        ),
        Example(
            source="methane in ppm, after ALARMS §8: 100 %LEL of CH4 are 50,000 ppm",
            topic="city/v1/demo/gas_alarm/gas-0042/telemetry",
            payload=b'{"v":1,"ts":1767225600123,"seq":11,"data":{"conc_ppm":26000,"gas":"CH4"}}',
            expect={"gas_alarm": {"conc_ppm": 26000.0, "conc_pct_lel": 52.0}},
        ),
        Example(
            source="carbon monoxide in ppm (GB 15322.2-2019 household detectors): no fuel, nothing is completed",
            topic="city/v1/demo/gas_alarm/gas-0042/telemetry",
            payload=b'{"v":1,"ts":1767225600123,"seq":12,"data":{"conc_ppm":24,"gas":"CO"}}',
            expect={"gas_alarm": {"conc_ppm": 24.0}},
            absent=("conc_pct_lel",),
        ),
    ),
)
