"""The collector watches itself by the same means: a kind of its own, fed by the journal's ticks and by its watchdog."""

from devices.kind import Kind, Label, Level, Limit, Measurement, number

KIND = "collector"
# Raised each minute and closed by itself; and the rule on its absence, which the steward judges, not the engine.
WATCHDOG = f"{KIND}.watchdog.beat"
WATCHDOG_ABSENT = f"{KIND}.watchdog"

_SOURCE = Label("CityDeck 建议值", "CityDeck proposal")

COLLECTOR = Kind(
    KIND,
    "采集器",
    "Collector",
    source=Label("采集器自身", "the collector itself"),
    period_s=1,
    stale_after_s=10,
    headline="disk_pct",
    measurements=(
        Measurement(
            KIND,
            "采集器",
            "Collector",
            ("telemetry",),
            (
                number(
                    "disk_pct",
                    "磁盘占用",
                    "Disk used",
                    "%",
                    0,
                    100,
                    0.1,
                    limits=(
                        Limit(
                            "full",
                            "磁盘将满",
                            "disk filling up",
                            (Level(1, 80, "P2"), Level(2, 95, "P1")),
                            _SOURCE,
                            "C",
                            deadband=2,
                        ),
                    ),
                ),
                number(
                    "watchdog",
                    "报警链路自检用时",
                    "Watchdog on its way",
                    "s",
                    0,
                    None,
                    0.001,
                    limits=(
                        Limit(
                            "beat",
                            "报警链路自检",
                            "watchdog",
                            (Level(1, 0, "health"),),
                            _SOURCE,
                            "C",
                            passage=True,
                        ),
                    ),
                ),
                number(
                    "store_lag_s",
                    "入库延迟",
                    "Store lag",
                    "s",
                    0,
                    None,
                    0.1,
                    limits=(
                        Limit(
                            "behind",
                            "历史库落后",
                            "store behind",
                            (Level(1, 60, "health"),),
                            _SOURCE,
                            "C",
                            deadband=30,
                        ),
                    ),
                ),
                number(
                    "recount_off",
                    "报警核对差异",
                    "Alarms off in the recount",
                    "count",
                    0,
                    None,
                    1,
                    limits=(
                        Limit(
                            "differs",
                            "报警核对有漏有多",
                            "recount of the alarms differs",
                            (Level(1, 1, "P2"),),
                            _SOURCE,
                            "C",
                        ),
                    ),
                ),
            ),
        ),
    ),
    examples=(),
)


def own_device(shard: str) -> str:
    """Return the name under which a collector's own alarms stand."""
    return f"{KIND}-{shard}"
