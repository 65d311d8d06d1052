"""Patrol drones: multirotor aircraft that fly inspection routes from a dock."""

from devices.kind import Example, Kind, Label, Level, Limit, Measurement, NoData, code, number, text
from devices.signals import Outside, While

_DJI = "DJI Cloud API, dock aircraft properties (github.com/dji-sdk/Cloud-API-Doc)"
_MODES = {
    0: ("待机", "standby"),
    1: ("起飞准备", "take-off preparation"),
    2: ("起飞准备完毕", "ready for take-off"),
    3: ("手动飞行", "manual flight"),
    4: ("自动起飞", "automatic take-off"),
    5: ("航线飞行", "route flight"),
    6: ("全景拍照", "panorama"),
    7: ("智能跟随", "tracking"),
    8: ("ADS-B 躲避", "ADS-B avoidance"),
    9: ("自动返航", "returning home"),
    10: ("自动降落", "automatic landing"),
    11: ("强制降落", "forced landing"),
    12: ("三桨叶降落", "three-propeller landing"),
    13: ("升级中", "upgrading"),
    14: ("未连接", "not connected"),
    15: ("APAS", "APAS"),
    16: ("虚拟摇杆", "virtual stick"),
    17: ("指令飞行", "live flight controls"),
    18: ("空中 RTK 收敛", "RTK converging in the air"),
    19: ("机场选址", "dock site survey"),
    20: ("POI 环绕", "circling a point"),
}
IN_FLIGHT = (3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 15.0, 16.0, 17.0, 18.0, 20.0)
_FLYING = While("mode", values=IN_FLIGHT, unknown=True)

_BATTERY = Limit(
    "low",
    "电量低",
    "battery low",
    (Level(1, 30, "P3"), Level(2, 20, "P2"), Level(3, 10, "P1")),
    source=Label("CityDeck 建议值；PX4 15/7/5 %", "CityDeck proposal; PX4 15/7/5 %"),
    grade="C",
    sense="below",
    deadband=3,
    off_s=10,
)
_WIND = Limit(
    "high",
    "风速过大",
    "wind too strong",
    (Level(1, 8, "P3"), Level(2, 12, "P2")),
    source=Label("机场型无人机：8 m/s、12 m/s", "aircraft of docks: 8 m/s, 12 m/s"),
    grade="C",
    deadband=1,
    on_s=5,
    off_s=30,
)
_CEILING = Limit(
    "ceiling",
    "超过限高",
    "above the ceiling",
    (Level(1, 120, "P2"),),
    source=Label(
        "《无人驾驶航空器飞行管理暂行条例》（2024）：120 m",
        "Interim Regulation on Unmanned Aircraft Flight (2024): 120 m",
    ),
    grade="B",
    deadband=3,
    on_s=2,
    off_s=10,
)
_FIX = Limit(
    "few",
    "卫星数不足",
    "too few satellites",
    (Level(1, 5, "P3"),),
    source=Label("PX4 / DJI 起飞前检查：≥ 6", "PX4 / DJI pre-flight checks: ≥ 6"),
    grade="A",
    sense="below",
    on_s=5,
    off_s=10,
    armed=(_FLYING,),
)
_PDOP = Limit(
    "poor",
    "定位精度差",
    "position uncertain",
    # 2.5 itself is still allowed; receivers tell hundredths.
    (Level(1, 2.51, "P3"),),
    source="PX4 EKF2_REQ_PDOP 2.5",
    grade="A",
    deadband=0.2,
    on_s=5,
    off_s=10,
    armed=(_FLYING,),
)
_FENCE = Limit(
    "fence",
    "飞出围栏或进入禁飞区",
    "outside the fence or in a no-fly area",
    (Level(1, 1, "P2"),),
    source=Label(
        "《无人驾驶航空器飞行管理暂行条例》（2024）管制空域；等级：CityDeck 建议值",
        "Interim Regulation on Unmanned Aircraft Flight (2024), controlled airspace; priorities: CityDeck proposal",
    ),
    grade="C",
    off_s=10,
    signal=Outside("flight", "no_fly"),
    unit="1",
    armed=(_FLYING,),
)

KIND = Kind(
    "drone",
    "巡查无人机",
    "Patrol drone",
    source=_DJI,
    period_s=1,
    stale_after_s=30,
    headline="batt_pct",
    shape="triangle",
    moving=True,
    no_data=NoData(
        10,
        "P2",
        Label("PX4 / DJI 链路丢失 6–10 s", "PX4 / DJI link loss 6–10 s"),
        "B",
        while_field="mode",
        while_values=IN_FLIGHT,
    ),
    measurements=(
        Measurement(
            "drone",
            "飞行遥测",
            "Flight telemetry",
            ("telemetry",),
            (
                code("mode", "飞行状态", "Flight mode", _MODES, live=True),
                number("lat", "纬度", "Latitude", "°", -90, 90, 1e-7, live=True, limits=(_FENCE,)),
                number("lon", "经度", "Longitude", "°", -180, 180, 1e-7, live=True),
                number("alt_ellipsoid_m", "椭球高", "Height above ellipsoid", "m", -500, 9000, 0.1),
                number(
                    "alt_rel_m",
                    "相对高度",
                    "Height above take-off",
                    "m",
                    -100,
                    1500,
                    0.1,
                    live=True,
                    limits=(_CEILING,),
                ),
                number("speed_mps", "地速", "Ground speed", "m/s", 0, 40, 0.1, live=True),
                number("climb_mps", "升降速度", "Climb rate", "m/s", -20, 20, 0.1),
                number("heading_deg", "航向", "Heading", "°", -180, 360, 0.1, live=True),
                number("pitch_deg", "俯仰角", "Pitch", "°", -180, 180, 0.1),
                number("roll_deg", "横滚角", "Roll", "°", -180, 180, 0.1),
                number("batt_pct", "电量", "Battery", "%", 0, 100, 1, live=True, limits=(_BATTERY,)),
                number("batt_v", "电池电压", "Battery voltage", "V", 0, 80, 0.001),
                number("batt_temp_c", "电池温度", "Battery temperature", "°C", -40, 90, 0.1),
                number("remain_flight_s", "剩余飞行时间", "Remaining flight time", "s", 0, 7200, 1),
                number("home_dist_m", "距起飞点", "Distance from home", "m", 0, 50000, 0.1),
                number("gnss_sats", "GNSS 卫星数", "GNSS satellites", "count", 0, 60, 1, limits=(_FIX,)),
                number("rtk_sats", "RTK 卫星数", "RTK satellites", "count", 0, 80, 1),
                number("pdop", "位置精度因子", "PDOP", "1", 0, 100, 0.01, limits=(_PDOP,)),
                code(
                    "fix",
                    "定位收敛",
                    "Position fix",
                    {
                        0: ("未开始", "not started"),
                        1: ("收敛中", "fixing"),
                        2: ("成功", "fixed"),
                        3: ("失败", "failed"),
                    },
                ),
                number("wind_mps", "风速", "Wind speed", "m/s", 0, 40, 0.1, limits=(_WIND,)),
                number("gimbal_pitch_deg", "云台俯仰", "Gimbal pitch", "°", -180, 180, 0.1),
                number("gimbal_yaw_deg", "云台偏航", "Gimbal yaw", "°", -360, 360, 0.1),
                text("mission_id", "任务编号", "Mission"),
                text("route_id", "航线编号", "Route", live=True),
            ),
        ),
        Measurement(
            "drone_finding",
            "巡查发现",
            "Finding",
            ("event",),
            (
                text("finding_id", "发现编号", "Finding"),
                text("finding_class", "识别类别", "Class"),
                number("confidence_pct", "置信度", "Confidence", "%", 0, 100, 0.1),
                text("picture", "图片", "Picture"),
                text("route_id", "航线编号", "Route"),
                # Of what was seen, not of the aircraft.
                number("spot_lat", "目标纬度", "Latitude of the spot", "°", -90, 90, 1e-7),
                number("spot_lon", "目标经度", "Longitude of the spot", "°", -180, 180, 1e-7),
            ),
            passage="finding_id",
        ),
    ),
    examples=(
        Example(
            source="envelope of the native contract; a road defect of GB/T 30428.2 as an inspection reports it",
            topic="city/v1/demo/drone/drone-01/event",
            payload=(
                b'{"v":1,"id":"drone-01-0077","ts":1767225600123,"data":{"finding_id":"drone-01-0077","finding_class":'
                b'"pothole","confidence_pct":91.5,"picture":"patrol/2026-01-01/0077.jpg","route_id":"R-12",'
                b'"spot_lat":30.3181,"spot_lon":120.1402}}'
            ),
            at_ms=1767225600123,
            expect={
                "drone_finding": {
                    "finding_id": "drone-01-0077",
                    "finding_class": "pothole",
                    "confidence_pct": 91.5,
                    "picture": "patrol/2026-01-01/0077.jpg",
                    "route_id": "R-12",
                    "spot_lat": 30.3181,
                    "spot_lon": 120.1402,
                }
            },
        ),
        Example(
            source=_DJI + ": field descriptions of aircraft osd; integers where floats are meant, as on the wire",
            topic="thing/product/1581F5BKD2310ABCDEFG/osd",
            payload=(
                b'{"tid":"6a7bfe89-c386-4043-b600-b518e10096cc","bid":"42a19f36-5117-4520-bd13-fd61d818d52e",'
                b'"timestamp":1767225600123,"gateway":"4TADKAQ000002J","data":{"mode_code":5,"latitude":30.319,'
                b'"longitude":120.142,"height":61,"elevation":48.2,"horizontal_speed":0,"vertical_speed":-0.5,'
                b'"attitude_head":-90.5,"attitude_pitch":3,"attitude_roll":-1.2,"home_distance":812.4,"wind_speed":32,'
                b'"battery":{"capacity_percent":76,"remain_flight_time":1320,"batteries":[{"voltage":23800,'
                b'"temperature":31.5}]},"position_state":{"is_fixed":2,"gps_number":18,"rtk_number":26},"storage":{}}}'
            ),
            at_ms=1767225600123,
            expect={
                "drone": {
                    "mode": 5.0,
                    "lat": 30.319,
                    "lon": 120.142,
                    "alt_ellipsoid_m": 61.0,
                    "alt_rel_m": 48.2,
                    "speed_mps": 0.0,
                    "climb_mps": -0.5,
                    "heading_deg": -90.5,
                    "batt_pct": 76.0,
                    "batt_v": 23.8,
                    "batt_temp_c": 31.5,
                    "remain_flight_s": 1320.0,
                    "home_dist_m": 812.4,
                    "wind_mps": 3.2,
                    "fix": 2.0,
                    "gnss_sats": 18.0,
                    "rtk_sats": 26.0,
                }
            },
        ),
        Example(
            source=_DJI + ": a fragment without a fix (latitude and longitude 0 mean none)",
            topic="thing/product/1581F5BKD2310ABCDEFG/osd",
            payload=(
                b'{"tid":"t2","bid":"b2","timestamp":1767225601123,"gateway":"4TADKAQ000002J",'
                b'"data":{"mode_code":0,"latitude":0,"longitude":0,"position_state":{"is_fixed":0,"gps_number":4}}}'
            ),
            expect={"drone": {"mode": 0.0, "fix": 0.0, "gnss_sats": 4.0}},
            absent=("lat", "lon", "batt_pct"),
        ),
    ),
)
