"""What a reading costs by how many are written at once: CPU of InfluxDB and of the store that writes them.

The store is CityDeck's own, given columns as the collector gives them; every device has as many readings as the others.
"""

import time
from typing import Final

import numpy as np

from benchmarks import load
from benchmarks.report import Column, Report
from benchmarks.rig import Rig
from benchmarks.settings import Settings
from benchmarks.usage import cpu_s
from devices.site_file import load_site
from ingest.places import Places
from ingest.store import open_store
from ingest.store.usual import UsualReadings, times_of

COLUMNS: Final = (
    Column("database_us", "InfluxDB CPU µs/reading", 1),
    Column("store_us", "store CPU µs/reading", 1),
    Column("rate", "readings/s, one write after another"),
    Column("missing", "missing at the end"),
)
_FIELDS: Final = ("dim_pct", "supply_v", "active_w", "leak_ma", "pf")
_SIZES: Final = (200, 1_000, 5_000, 10_000, 20_000, 40_000)
_READINGS = 200_000
_STARTED_MS = 1_767_225_600_000
# InfluxDB goes on for a moment with what it has answered.
_TAIL_S = 0.5


def run(settings: Settings) -> Report:
    """Write the same readings in writes of every size, as often as asked, each time into an empty database."""
    count = 4_000 if settings.quick else _READINGS
    report = Report(
        "writes",
        "What a reading costs by how many are written at once",
        f"{count:,} readings of {settings.devices:,} light poles, {len(_FIELDS)} fields each",
        COLUMNS,
    )
    for number in range(settings.runs):
        for size in _SIZES[:2] if settings.quick else _SIZES:
            settings.say(f"writes, run {number + 1} of {settings.runs}: {size:,} at once")
            report.row(f"{size:,} at once").add(_written(settings.devices, count, size))
    return report


def _written(devices: int, count: int, size: int) -> dict[str, float]:
    with Rig(devices) as rig:
        site = load_site(rig.site_file)
        batches = [_batch(first, min(size, count - first), devices) for first in range(0, count, size)]
        store = open_store(site, Places(rig.folder / "var"))
        try:
            before_s, own_s, started_s = cpu_s(rig.influx.pid), time.thread_time(), time.perf_counter()
            stored = sum(store.write([], 0, [batch]).stored for batch in batches)
            took_s, own_s = time.perf_counter() - started_s, time.thread_time() - own_s
        finally:
            store.close()
        time.sleep(_TAIL_S)
        return {
            "database_us": (cpu_s(rig.influx.pid) - before_s) / count * 1e6,
            "store_us": own_s / count * 1e6,
            "rate": stored / took_s,
            "missing": count - rig.kept(),
        }


def _batch(first: int, count: int, devices: int) -> UsualReadings:
    numbers = np.arange(first, first + count)
    values = np.empty((count, len(_FIELDS)))
    # Neither all the same nor longer than what a device sends.
    values[:] = 80.0, 231.0, 140.2, 0.3, 0.96
    values[:, 1] += numbers % 10 / 10
    values[:, 2] += numbers // devices % 10
    names = [load.device_id(number) for number in (numbers % devices).tolist()]
    measured_ms = _STARTED_MS + numbers // devices
    times = times_of(measured_ms, measured_ms, numbers + 1)
    return UsualReadings(load.KIND, load.KIND, _FIELDS, names, [load.DISTRICT] * count, times, values.tobytes())
