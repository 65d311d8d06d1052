"""A toy kind: a gauge at a river and the gate beside it, as a site would add them."""

from devices.kind import Example, Kind, Level, Limit, Measurement, NoData, code, flag, number, tag, text

HIGH = Limit(
    "high",
    "水位偏高",
    "water high",
    (Level(1, 3.5, "P3"), Level(2, 4.2, "P2")),
    source="flood plan of the toy river",
    grade="C",
    deadband=0.1,
    on_s=30,
)
WIDE = Limit("wide", "超宽", "too wide", (Level(1, 8, "P4"),), source="width of the lock", grade="C", passage=True)
STUCK = Limit("stuck", "闸门卡住", "gate stuck", (Level(1, 2, "P2"),), source="data sheet", grade="C", sense="state")

KIND = Kind(
    "water_level",
    "水位站",
    "Water gauge",
    source="PAYLOADS §5",
    period_s=60,
    stale_after_s=300,
    headline="level_m",
    no_data=NoData(900, "P3", "toy", "C"),
    measurements=(
        Measurement(
            "water_level",
            "水位",
            "Water level",
            ("telemetry",),
            (
                number("level_m", "水位", "Level", "m", -5, 20, 0.01, live=True, limits=(HIGH,)),
                number("rain_mm", "雨量", "Rain", "mm", 0, 500, 0.1, sentinels=(9999,)),
                code(
                    "gate", "闸门", "Gate", {0: ("关", "shut"), 1: ("开", "open"), 2: ("卡", "stuck")}, limits=(STUCK,)
                ),
                flag("mains_ok", "市电", "Mains"),
                tag("river", "河流", "River"),
            ),
        ),
        Measurement(
            "lock_pass",
            "过闸",
            "Lock passage",
            ("event",),
            (text("pass_id", "过闸编号", "Passage"), number("width_m", "船宽", "Width", "m", 0, 40, limits=(WIDE,))),
            passage="pass_id",
        ),
    ),
    examples=(
        Example(
            source="flood plan of the toy river, page 3",
            topic="city/v1/demo/water_level/wl-1/telemetry",
            payload=b'{"ts":1767225600123,"data":{"level_m":4,"rain_mm":9999,"gate":1,"river":"Toy"}}',
            expect={"water_level": {"level_m": 4.0, "gate": 1.0}},
            at_ms=1767225600123,
            absent=("rain_mm",),
        ),
    ),
)
