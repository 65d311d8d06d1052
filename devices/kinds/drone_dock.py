"""Drone docks: weather-proof boxes on roofs that charge and launch a patrol drone."""

from devices.kind import Example, Kind, Label, Level, Limit, Measurement, NoData, code, number

_DJI = "DJI Cloud API, dock properties (github.com/dji-sdk/Cloud-API-Doc)"

_RAIN = Limit(
    "heavy",
    "降雨不宜飞行",
    "rain, do not fly",
    (Level(1, 2, "P4"), Level(2, 3, "P3")),
    source=Label(
        "DJI Cloud API rainfall 2、3；等级：CityDeck 建议值",
        "DJI Cloud API rainfall 2, 3; priorities: CityDeck proposal",
    ),
    grade="C",
    sense="state",
    on_s=10,
    off_s=60,
)
_COVER = Limit(
    "abnormal",
    "舱盖异常",
    "cover abnormal",
    (Level(1, 3, "P2"),),
    source=Label(
        "DJI Cloud API cover_state 3；等级：CityDeck 建议值",
        "DJI Cloud API cover_state 3; priorities: CityDeck proposal",
    ),
    grade="C",
    sense="state",
    off_s=10,
)
_WIND = Limit(
    "high",
    "风速过大",
    "wind too strong",
    (Level(1, 8, "P4"), Level(2, 12, "P3")),
    source=Label("机场型无人机：8 m/s、12 m/s", "aircraft of docks: 8 m/s, 12 m/s"),
    grade="C",
    deadband=1,
    on_s=10,
    off_s=60,
)

KIND = Kind(
    "drone_dock",
    "无人机机场",
    "Drone dock",
    source=_DJI,
    period_s=30,
    stale_after_s=120,
    headline="wind_mps",
    shape="square",
    no_data=NoData(300, "P3", Label("CityDeck 建议值", "CityDeck proposal"), "C"),
    measurements=(
        Measurement(
            "drone_dock",
            "机场遥测",
            "Dock telemetry",
            ("telemetry",),
            (
                code(
                    "mode",
                    "机场状态",
                    "Dock mode",
                    {
                        0: ("空闲", "idle"),
                        1: ("现场调试", "on-site debugging"),
                        2: ("远程调试", "remote debugging"),
                        3: ("固件升级", "upgrading"),
                        4: ("作业中", "working"),
                    },
                    live=True,
                ),
                code(
                    "cover",
                    "舱盖",
                    "Cover",
                    {0: ("关闭", "closed"), 1: ("打开", "open"), 2: ("半开", "half open"), 3: ("异常", "abnormal")},
                    live=True,
                    limits=(_COVER,),
                ),
                code(
                    "drone_in_dock",
                    "飞机在舱",
                    "Drone in dock",
                    {0: ("舱外", "outside"), 1: ("舱内", "inside")},
                    live=True,
                ),
                code(
                    "rain",
                    "降雨",
                    "Rain",
                    {0: ("无雨", "none"), 1: ("小雨", "light"), 2: ("中雨", "moderate"), 3: ("大雨", "heavy")},
                    live=True,
                    limits=(_RAIN,),
                ),
                number("wind_mps", "风速", "Wind speed", "m/s", 0, 60, 0.1, live=True, limits=(_WIND,)),
                number("env_temp_c", "环境温度", "Outside temperature", "°C", -50, 70, 0.1),
                number("inside_temp_c", "舱内温度", "Inside temperature", "°C", -50, 90, 0.1),
                number("inside_rh_pct", "舱内湿度", "Inside humidity", "%RH", 0, 100, 0.1),
                number("mains_v", "市电电压", "Mains voltage", "V", 0, 300, 1),
                code(
                    "charge_state", "充电状态", "Charging", {0: ("未充电", "not charging"), 1: ("充电中", "charging")}
                ),
                number("batt_pct", "飞机电量", "Battery of the drone", "%", 0, 100, 1, live=True),
                code(
                    "net_type",
                    "网络类型",
                    "Network",
                    {0: ("未知", "unknown"), 1: ("4G", "4G"), 2: ("以太网", "Ethernet"), 3: ("5G", "5G")},
                ),
                code("sdr_q", "图传链路质量", "SDR link quality", {n: (str(n), str(n)) for n in range(6)}),
                code("lte_q", "4G 链路质量", "LTE link quality", {n: (str(n), str(n)) for n in range(6)}),
                number("job_count", "累计作业次数", "Jobs flown", "count", 0, None, 1),
            ),
        ),
    ),
    examples=(
        Example(
            source=_DJI + ": field descriptions of dock osd, first of the fragments a dock sends",
            topic="thing/product/4TADKAQ000002J/osd",
            payload=(
                b'{"tid":"t3","bid":"b3","timestamp":1767225600123,"gateway":"4TADKAQ000002J","data":{"mode_code":4,'
                b'"cover_state":1,"drone_in_dock":0,"rainfall":0,"wind_speed":3.4,"environment_temperature":12,'
                b'"temperature":18.6,"humidity":41,"electric_supply_voltage":228,"drone_charge_state":{"state":0,'
                b'"capacity_percent":95},"network_state":{"type":2,"quality":5,"rate":12.5}}}'
            ),
            at_ms=1767225600123,
            expect={
                "drone_dock": {
                    "mode": 4.0,
                    "cover": 1.0,
                    "drone_in_dock": 0.0,
                    "rain": 0.0,
                    "wind_mps": 3.4,
                    "env_temp_c": 12.0,
                    "inside_temp_c": 18.6,
                    "inside_rh_pct": 41.0,
                    "mains_v": 228.0,
                    "charge_state": 0.0,
                    "batt_pct": 95.0,
                    "net_type": 2.0,
                }
            },
        ),
        Example(
            source=_DJI + ": a second fragment with other keys on the same topic",
            topic="thing/product/4TADKAQ000002J/osd",
            payload=(
                b'{"tid":"t4","bid":"b4","timestamp":1767225600200,"gateway":"4TADKAQ000002J","data":{"job_number":418,'
                b'"wireless_link":{"sdr_quality":5,"4g_quality":4,"link_workmode":1}}}'
            ),
            expect={"drone_dock": {"job_count": 418.0, "sdr_q": 5.0, "lte_q": 4.0}},
            absent=("cover", "wind_mps"),
        ),
    ),
)
