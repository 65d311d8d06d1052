"""Refuse trucks with an on-board scale: position, load, and one record per bin that is lifted."""

from devices.kind import Example, Given, Kind, Label, Level, Limit, Measurement, NoData, Value, flag, number, tag, text
from devices.signals import Drop

_SOURCE = Label(
    "CityDeck 报文约定；车载称重按 OIML R 51 / R 134",
    "CityDeck native contract; on-board weighing after OIML R 51 / R 134 practice",
)

_OVER = Limit(
    "overload",
    "超载",
    "overloaded",
    (Level(1, 10, "P4"), Level(2, 30, "P3"), Level(3, 50, "P2")),
    source=Label(
        "登记最大总质量；10/30/50 %：CityDeck 建议值", "registered maximum mass; 10/30/50 %: CityDeck proposal"
    ),
    grade="C",
    deadband=5,
    on_s=30,
    off_s=60,
)
_FULL = Limit(
    "full",
    "满载，线路收运量超出",
    "full, its round holds more than it can take",
    (Level(1, 100, "P4"),),
    source=Label("核定载质量 100 %：CityDeck 建议值", "rated load 100 %: CityDeck proposal"),
    grade="C",
    deadband=5,
    on_s=60,
    off_s=60,
)
_TIPPING = Limit(
    "tipping",
    "疑似偷倒",
    "load dropped away from a transfer station",
    (Level(1, 200, "P2"),),
    source=Label(
        "10 s 内骤减 ≥ 200 kg，非登记场站：CityDeck 建议值",
        "a drop of ≥ 200 kg within 10 s away from registered sites: CityDeck proposal",
    ),
    grade="C",
    deadband=50,
    off_s=60,
    # Ten seconds, and what the clock of a scale that speaks every ten of them may be off.
    signal=Drop(12, "unloading"),
)


def _load_of_rated(values: dict[str, Value], given: Given) -> dict[str, str]:
    """Complete the load in per cent of the rated load, and how far the truck is above its maximum mass.

    The registered maximum mass counts; where there is none, it is the rated load on top of the empty truck.
    """
    load, rated = values.get("load_kg"), given.facts.get("rated_kg")
    if isinstance(load, float) and rated:
        values.setdefault("load_pct", round(load / rated * 100.0, 1))
    gross, tare = values.get("gross_kg"), values.get("tare_kg")
    if gross is None and isinstance(load, float) and isinstance(tare, float):
        gross = load + tare
    most = given.facts.get("max_mass_kg")
    if most is None and rated and isinstance(tare, float):
        most = tare + rated
    if isinstance(gross, float) and most:
        values.setdefault("over_pct", max(0.0, round((gross - most) / most * 100.0, 2)))
    return {}


def _net_from_scale(values: dict[str, Value], _given: Given) -> dict[str, str]:
    """Complete the net mass of a lift, and flag one that disagrees with gross minus tare by more than 2 kg."""
    gross, tare, net = values.get("gross_kg"), values.get("tare_kg"), values.get("net_kg")
    if not isinstance(gross, float) or not isinstance(tare, float):
        return {}
    if net is None:
        values["net_kg"] = gross - tare
    elif isinstance(net, float) and abs(gross - tare - net) > 2.0:
        return {"net_kg": "mismatch"}
    return {}


KIND = Kind(
    "refuse_truck",
    "环卫垃圾车",
    "Refuse truck",
    source=_SOURCE,
    period_s=10,
    stale_after_s=120,
    headline="load_kg",
    shape="diamond",
    moving=True,
    no_data=NoData(600, "P4", Label("CityDeck 建议值", "CityDeck proposal"), "C"),
    measurements=(
        Measurement(
            "refuse_truck",
            "车辆遥测",
            "Truck telemetry",
            ("telemetry",),
            (
                number("lat", "纬度", "Latitude", "°", -90, 90, 1e-6, live=True),
                number("lon", "经度", "Longitude", "°", -180, 180, 1e-6, live=True),
                number("speed_kmh", "车速", "Speed", "km/h", 0, 120, 0.1, live=True),
                number("heading_deg", "方向", "Heading", "°", 0, 360, 1, live=True),
                number("odo_km", "里程", "Odometer", "km", 0, 2e6, 0.1),
                number("load_kg", "载重", "Load", "kg", -200, 40000, 10, live=True, limits=(_TIPPING,)),
                number("gross_kg", "总质量", "Gross mass", "kg", 0, 60000, 10),
                number("tare_kg", "整备质量", "Tare mass", "kg", 0, 30000, 10),
                number("load_pct", "装载率", "Load of rated", "%", -5, 250, 0.1, live=True, limits=(_FULL,)),
                number("over_pct", "超出最大总质量", "Over the maximum mass", "%", 0, 200, 0.1, limits=(_OVER,)),
                *(number(f"axle{n}_kg", f"第{n}轴", f"Axle {n}", "kg", -200, 20000, 10) for n in range(1, 5)),
                number("tilt_deg", "倾角", "Tilt", "°", -90, 90, 0.1),
                flag("body_up", "厢体举升", "Body up", live=True),
                flag("tailgate_open", "尾门打开", "Tailgate open"),
                flag("compactor_on", "压缩机工作", "Compactor on"),
                flag("weigh_stable", "称重稳定", "Weighing stable"),
                tag("body_type", "车厢类型", "Body type"),
            ),
            derive=_load_of_rated,
        ),
        Measurement(
            "bin_lift",
            "收桶记录",
            "Bin lift",
            ("event",),
            (
                text("lift_id", "收桶编号", "Lift"),
                text("bin_rfid", "桶标签", "Bin tag"),
                number("gross_kg", "满桶质量", "Full bin", "kg", -5, 2000, 0.5),
                number("tare_kg", "空桶质量", "Empty bin", "kg", 0, 500, 0.5),
                number("net_kg", "净重", "Net mass", "kg", -5, 1500, 0.5, live=True),
                number("lat", "纬度", "Latitude", "°", -90, 90, 1e-6),
                number("lon", "经度", "Longitude", "°", -180, 180, 1e-6),
                tag("waste_class", "垃圾类别", "Waste class"),
            ),
            passage="lift_id",
            derive=_net_from_scale,
        ),
    ),
    examples=(
        Example(
            source="EU bin sizes after EN 840-2 (1,100 l bin, tare about 52 kg); envelope of the native contract",
            topic="city/v1/demo/refuse_truck/truck-014/event",
            payload=(
                b'{"v":1,"id":"L-20260101-0042","ts":"2026-01-01T08:00:00+08:00","data":{"lift_id":"L-20260101-0042",'
                b'"bin_rfid":"E2000017","gross_kg":214,"tare_kg":52,"waste_class":"kitchen","lat":30.32,"lon":120.14}}'
            ),
            at_ms=1767225600000,
            expect={
                "bin_lift": {
                    "lift_id": "L-20260101-0042",
                    "gross_kg": 214.0,
                    "tare_kg": 52.0,
                    "net_kg": 162.0,
                    "lat": 30.32,
                }
            },
        ),
        Example(
            source="18 t two-axle compactor, data sheet figures (kerb 11,200 kg, rated load 6,800 kg); native envelope",
            topic="city/v1/demo/refuse_truck/truck-014/telemetry",
            payload=(
                b'{"v":1,"ts":1767225600123,"seq":7,"loc":{"lat":30.3181,"lon":120.1402},"data":{"speed_kmh":0,'
                b'"load_kg":6800,"gross_kg":18000,"tare_kg":11200,"load_pct":100,"weigh_stable":true,"body_up":0,'
                b'"tyre_kpa":830}}'
            ),
            at_ms=1767225600123,
            expect={
                "refuse_truck": {
                    "lat": 30.3181,
                    "lon": 120.1402,
                    "speed_kmh": 0.0,
                    "load_kg": 6800.0,
                    "gross_kg": 18000.0,
                    "tare_kg": 11200.0,
                    "load_pct": 100.0,
                    "weigh_stable": 1.0,
                    "body_up": 0.0,
                }
            },
            absent=("tyre_kpa",),
        ),
    ),
)
