"""Bridge weigh-in-motion stations: one record per vehicle, and a heartbeat of the station itself."""

from devices.kind import Example, Given, Kind, Label, Level, Limit, Measurement, NoData, Value, number, tag, text

_SOURCE = Label(
    "交通运输部令 2016 年第 62 号；GB 1589-2016；动态称重按 COST 323",
    "Order 62 (2016) of the Ministry of Transport; GB 1589-2016; WIM practice after COST 323",
)

# Legal total mass by number of axles, kg: of a truck, and of a train (a tractor with what it draws).
_TRUCK = {2: 18_000.0, 3: 25_000.0, 4: 31_000.0, 5: 43_000.0}
_TRAIN = {3: 27_000.0, 4: 36_000.0}
_SIX_AXLES, _SIX_AXLES_SINGLE_DRIVE = 49_000.0, 46_000.0
# Two steering axles of a rigid truck stand closer than a tractor's wheelbase ever is.
_TWIN_STEERING_M = 2.4

_OVER = Limit(
    "overload",
    "车辆超限",
    "vehicle over the limit",
    (Level(1, 10, "P4"), Level(2, 30, "P3"), Level(3, 50, "P2"), Level(4, 100, "P1")),
    source=Label(
        "浙江省超限分档 10/30/50 %；≥ 100 %：CityDeck 建议值", "Zhejiang tiers 10/30/50 %; ≥ 100 %: CityDeck proposal"
    ),
    grade="B",
    passage=True,
)
_HEAVY = Limit(
    "hundred_tonnes",
    "百吨王",
    "hundred-tonne truck",
    (Level(1, 100_000, "P1"),),
    source=Label(
        "交通运输部“百吨王”整治，≥ 100 t；等级：CityDeck 建议值",
        "Ministry of Transport campaign against hundred-tonners, ≥ 100 t; priorities: CityDeck proposal",
    ),
    grade="C",
    passage=True,
)
_POSTED = Limit(
    "posted",
    "超过桥梁限载",
    "over the bridge's posted limit",
    (Level(1, 1, "P1"),),
    source=Label("桥梁限载牌；等级：CityDeck 建议值", "posted limit of the bridge; priorities: CityDeck proposal"),
    grade="C",
    passage=True,
)
_DISK = Limit(
    "full",
    "站点磁盘将满",
    "disk of the station nearly full",
    (Level(1, 90, "health"),),
    source=Label("CityDeck 建议值", "CityDeck proposal"),
    grade="C",
    deadband=3,
    off_s=300,
)


def legal_limit_kg(axles: int, groups: str, first_gap_m: Value | None) -> float:
    """Return the legal total mass; where the record does not tell a train from a truck, the truck's.

    ``groups`` counts the axles of each group from the front: three single axles are a tractor with a trailer, a single
    and a pair are a truck. Of four axles a train's first two stand apart. The second group is the one that drives.
    """
    if axles >= 6:
        return _SIX_AXLES_SINGLE_DRIVE if groups[1:2] == "1" else _SIX_AXLES
    train = (axles == 3 and groups == "111") or (
        axles == 4 and groups[:1] == "1" and isinstance(first_gap_m, float) and first_gap_m >= _TWIN_STEERING_M
    )
    return _TRAIN[axles] if train else _TRUCK.get(axles, _TRUCK[2])


def _overload(values: dict[str, Value], given: Given) -> dict[str, str]:
    """Complete limit, excess and percentage where the station does not send them, and check the sum of the axles.

    A limit posted at the bridge counts where it is lower than the legal one, and its excess is a field of its own.

    Source: limits of GB 1589-2016; the axle sum may differ from the gross mass by max(2 %, 200 kg).
    """
    gross, axles = values.get("gvw_kg"), values.get("axle_count")
    facts, flags = given.facts, dict[str, str]()
    if not isinstance(gross, float):
        return flags
    if "limit_kg" not in values and isinstance(axles, float) and axles >= 2:
        legal = legal_limit_kg(int(axles), str(values.get("axle_groups", "")), values.get("axle_gap1_m"))
        values["limit_kg"] = min(legal, facts.get("posted_limit_kg", legal))
    if "posted_limit_kg" in facts:
        values["over_posted_kg"] = max(0.0, gross - facts["posted_limit_kg"])
    limit = values.get("limit_kg")
    if isinstance(limit, float) and limit > 0:
        values.setdefault("over_kg", max(0.0, gross - limit))
        values.setdefault("over_pct", max(0.0, round((gross - limit) / limit * 100.0, 2)))
    loads = [values[f"axle{n}_kg"] for n in range(1, 17) if f"axle{n}_kg" in values]
    if isinstance(axles, float) and len(loads) == int(axles):
        total = sum(load for load in loads if isinstance(load, float))
        if abs(total - gross) > max(0.02 * gross, 200.0):
            flags["gvw_kg"] = "axle_sum"
    return flags


KIND = Kind(
    "bridge_wim",
    "桥梁动态称重",
    "Bridge weigh-in-motion",
    source=_SOURCE,
    period_s=60,
    stale_after_s=180,
    headline="gvw_kg",
    shape="bar",
    no_data=NoData(
        300,
        "P3",
        Label("心跳 60 s，5 min 无数据：CityDeck 建议值", "heartbeat of 60 s, 5 min of silence: CityDeck proposal"),
        "C",
    ),
    measurements=(
        Measurement(
            "wim_pass",
            "过车记录",
            "Vehicle passage",
            ("event",),
            (
                text("pass_id", "过车编号", "Passage", live=True),
                text("plate_hash", "车牌摘要", "Plate hash"),
                text("plate_color", "车牌颜色", "Plate colour"),
                number("speed_kmh", "车速", "Speed", "km/h", 0.5, 200, 0.1, live=True),
                number("axle_count", "轴数", "Axles", "count", 2, 16, 1, live=True),
                *(
                    number(f"axle{n}_kg", f"第{n}轴轴重", f"Axle {n}", "kg", 0, 30000, 10, live=n <= 6)
                    for n in range(1, 17)
                ),
                *(number(f"axle_gap{n}_m", f"第{n}轴间距", f"Axle gap {n}", "m", 0.3, 25, 0.01) for n in range(1, 16)),
                text("axle_groups", "轴组型式", "Axle groups", live=True),
                number("gvw_kg", "车货总质量", "Gross mass", "kg", 0, 150000, 10, live=True, limits=(_HEAVY,)),
                number("limit_kg", "限重", "Limit", "kg", 0, 150000, 10, live=True),
                number("over_kg", "超限量", "Over the limit", "kg", 0, 150000, 10),
                number("over_pct", "超限率", "Over the limit", "%", 0, 500, 0.1, live=True, limits=(_OVER,)),
                number("over_posted_kg", "超限载牌", "Over the posted limit", "kg", 0, 150000, 10, limits=(_POSTED,)),
                number("length_m", "车长", "Length", "m", 0, 60, 0.01),
                number("width_m", "车宽", "Width", "m", 0, 8, 0.01),
                number("height_m", "车高", "Height", "m", 0, 8, 0.01),
                number("headway_s", "车头时距", "Headway", "s", 0, 86400, 0.1),
                number("pave_temp_c", "路面温度", "Pavement temperature", "°C", -40, 90, 0.1),
                number("confidence_pct", "置信度", "Confidence", "%", 0, 100, 1),
                number("warn_bits", "告警位", "Warning bits", "1", 0, 2**32, 1),
                tag("lane", "车道", "Lane"),
                tag("direction", "方向", "Direction"),
                tag("vclass", "车型", "Vehicle class"),
            ),
            passage="pass_id",
            vehicle="plate_hash",
            derive=_overload,
        ),
        Measurement(
            "wim_health",
            "站点心跳",
            "Station heartbeat",
            ("telemetry",),
            (
                number("uptime_s", "运行时间", "Uptime", "s", 0, None, 1),
                number("loops_ok", "线圈正常数", "Loops in order", "count", 0, 64, 1),
                number("temp_c", "机箱温度", "Cabinet temperature", "°C", -40, 90, 0.1),
                number("disk_pct", "磁盘占用", "Disk used", "%", 0, 100, 0.1, limits=(_DISK,)),
                number("passes_today", "今日过车", "Passages today", "passes", 0, None, 1, live=True),
            ),
        ),
    ),
    examples=(
        Example(
            source="GB 1589-2016: two-axle truck, limit 18 t; ten per cent over",
            topic="city/v1/demo/bridge_wim/wim-03/event",
            payload=(
                b'{"v":1,"id":"p-1","ts":1767225600123,"data":{"pass_id":"p-1","axle_count":2,"axle1_kg":6800,'
                b'"axle2_kg":13000,"gvw_kg":19800,"speed_kmh":61.2,"lane":"1","direction":"E","vclass":"11"}}'
            ),
            at_ms=1767225600123,
            expect={
                "wim_pass": {
                    "gvw_kg": 19800.0,
                    "limit_kg": 18000.0,
                    "over_kg": 1800.0,
                    "over_pct": 10.0,
                    "axle2_kg": 13000.0,
                }
            },
        ),
        Example(
            source="GB 1589-2016: six-axle train, limit 49 t; axles that do not add up to the gross mass",
            topic="city/v1/demo/bridge_wim/wim-03/event",
            payload=(
                b'{"v":1,"id":"p-2","ts":1767225600123,"data":{"pass_id":"p-2","axle_count":6,"axle1_kg":6000,'
                b'"axle2_kg":9000,"axle3_kg":9000,"axle4_kg":8000,"axle5_kg":8000,"axle6_kg":8000,"gvw_kg":98000}}'
            ),
            expect={"wim_pass": {"limit_kg": 49000.0, "over_pct": 100.0}},
            flags={"gvw_kg": "axle_sum"},
        ),
    ),
)
