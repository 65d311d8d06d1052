"""Gateways: the boxes in cabinets through which poles and gas alarms speak."""

from devices.kind import Example, Kind, Label, Measurement, NoData, number

KIND = Kind(
    "gateway",
    "汇聚网关",
    "Gateway",
    source=Label(
        "CityDeck 报文约定；数据中断按 GB/T 45839-2025 §5.5.1",
        "CityDeck native contract; GB/T 45839-2025 §5.5.1 for its silence",
    ),
    period_s=30,
    stale_after_s=100,
    headline="children",
    shape="ring",
    no_data=NoData(100, "health", "GB/T 45839 §5.5.1: ≤ 100 s", "A"),
    measurements=(
        Measurement(
            "gateway",
            "网关",
            "Gateway",
            ("telemetry",),
            (
                number("uptime_s", "运行时间", "Uptime", "s", 0, None, 1),
                number("children", "下级设备", "Children", "count", 0, 65535, 1, live=True),
                number("rssi_dbm", "信号强度", "Signal strength", "dBm", -150, 0, 1, sentinels=(99,)),
            ),
        ),
    ),
    examples=(
        Example(
            source="3GPP TS 27.007 §8.5: +CSQ 99 means unknown; native envelope",
            topic="city/v1/demo/gateway/gw-s01/telemetry",
            payload=b'{"v":1,"ts":1767225600123,"seq":3,"data":{"uptime_s":86400,"children":212,"rssi_dbm":99}}',
            at_ms=1767225600123,
            expect={"gateway": {"uptime_s": 86400.0, "children": 212.0}},
            absent=("rssi_dbm",),
        ),
    ),
)
