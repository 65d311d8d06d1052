"""What a back-test on history costs a value: asked of the store, loaded, judged; and by the engines for comparison.

A month of so many light poles is made, supply voltage every five minutes; two in a hundred sag below the limit of an
evening. The draft lowers that limit. Each run reads and judges it as the command does; and once more by a draft whose
limit every device reaches each day, so that all must be loaded and judged: there loading and judging are measured.
"""

import gc
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import urllib3
from numpy.typing import NDArray

from benchmarks import load
from benchmarks.report import Column, Report
from benchmarks.rig import write_site
from benchmarks.settings import Settings
from benchmarks.usage import cpu_s
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.revisions.comparing import Comparison
from ingest.alarms.revisions.revision import SITE_FILE, Revision
from ingest.backtest.history import Judged, batches, judge, judged, look
from ingest.backtest.plan import FieldPlan, plan
from ingest.decoding import Decoder, Unregistered
from ingest.records import Record
from ingest.store import Store
from ingest.store.history import Sought, Source
from ingest.store.influx import InfluxStore
from ingest.store.sqlite import SqliteStore
from tests.servers.influxdb import Influx

COLUMNS: Final = (
    Column("look_us", "look CPU µs/value", 3),
    Column("load_us", "load CPU µs/value", 3),
    Column("judge_us", "judge CPU µs/value", 3),
    Column("server_look_us", "server: look", 3),
    Column("server_load_us", "server: load", 3),
    Column("wall_s", "whole test, s", 1),
    Column("month_min", "60,000 devices, min CPU", 1),
    Column("all_min", "if every one reaches a level, min CPU", 1),
)
_DEVICES, _DAYS, _PERIOD_MS = 600, 30, 300_000
_CITY = 60_000
_SAGGING = 50
_FIRST_MS = 1_767_225_600_000
_DAY_MS = 86_400_000
_LINES = 20_000
_RECORDED = 200_000
_DRAFT = Revision(1, {"light_pole": {"supply_v": {"low": {"levels": [192.0]}}}})
_REACHED = Revision(1, {"light_pole": {"supply_v": {"low": {"levels": [223.0]}}}})


@dataclass(frozen=True, slots=True)
class _Month:
    devices: int
    days: int

    @property
    def each(self) -> int:
        """How many values a device has."""
        return self.days * _DAY_MS // _PERIOD_MS

    @property
    def values(self) -> int:
        """How many there are."""
        return self.devices * self.each

    @property
    def stop_ms(self) -> int:
        """The end of it."""
        return _FIRST_MS + self.days * _DAY_MS

    def series(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the instants and voltages of one pole."""
        random = np.random.default_rng(number)
        t_ms = _FIRST_MS + np.arange(self.each) * _PERIOD_MS + random.integers(0, 1_000)
        hour = (t_ms % _DAY_MS) / 3_600_000
        volts = 226 + 4 * np.sin(hour / 24 * 2 * np.pi) + random.normal(0, 1.0, self.each)
        if number % _SAGGING == 0:
            volts -= np.where((hour >= 10) & (hour < 14), random.uniform(20, 36, self.each), 0)
        return t_ms, volts.round(1)


def run(settings: Settings) -> Report:
    """Make the month in both stores and test the draft on each, as often as asked."""
    month = _Month(20, 2) if settings.quick else _Month(_DEVICES, _DAYS)
    city = _CITY * month.each
    report = Report(
        "backtest",
        "Back-test of a draft on history",
        f"{month.devices:,} light poles × {month.days} days, supply_v every 5 min = {month.values:,} values; "
        f"{(month.devices - 1) // _SAGGING + 1} of them reach a level",
        COLUMNS,
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="citydeck-bench-")))
        site = load_site(write_site(folder, 1_883, "embedded", month.devices))
        settings.say(f"backtest: making {month.values:,} values in the embedded store")
        stores: dict[str, tuple[Store, Callable[[], float]]] = {
            "embedded store": (_in_sqlite(folder, site, month), lambda: 0.0)
        }
        server = Influx(folder)
        stack.callback(server.stop)
        server.start()
        settings.say("backtest: the same in InfluxDB")
        stores["InfluxDB"] = (_in_influx(server, site, month), lambda: cpu_s(server.pid))
        found = set()
        for number in range(settings.runs):
            for name, (store, server_cpu_s) in stores.items():
                settings.say(f"backtest, run {number + 1} of {settings.runs}: {name}")
                measured, alarms = _tested(store, site, month, server_cpu_s, city)
                found.add(alarms)
                report.row(name).add(measured)
            settings.say(f"backtest, run {number + 1} of {settings.runs}: recording")
            report.row("recording, both engines").add(_by_engines(site, month, city))
        for store, _ in stores.values():
            store.close()
    if len(found) != 1 or min(found) == (0, 0):
        raise RuntimeError(f"the stores differ in their alarms: {found}")
    before, after = found.pop()
    most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    report.notes.extend(
        [
            f"{before:,} alarms under the rules in force, {after:,} under the draft, in both stores.",
            f"The last two columns are reckoned, not run: {city:,} values at this slice's figures, server included.",
            f"Highest memory of the measuring process: {most_mb:,} MB.",
        ]
    )
    return report


def _tested(
    store: Store, site: Site, month: _Month, server_cpu_s: Callable[[], float], city: int
) -> tuple[dict[str, float], tuple[int, int]]:
    found = plan(site, SITE_FILE, _DRAFT)
    (each,) = found.fields
    sought = Sought(each.measurement, each.key, _FIRST_MS, month.stop_ms)
    gc.collect()
    begun_s = time.perf_counter()
    result = judged(store, site, found, _FIRST_MS, month.stop_ms)
    wall_s = time.perf_counter() - begun_s
    cpu, server = time.process_time(), server_cpu_s()
    some, _ = look(store, each, sought)
    look_s, server_look_s = time.process_time() - cpu, server_cpu_s() - server
    reached = plan(site, SITE_FILE, _REACHED)
    everybody = {device: [Source(device)] for device in site.devices}
    server = server_cpu_s()
    load_s, judge_s = _loaded(store, site, reached.fields[0], sought, everybody, Judged(reached))
    server_load_s = server_cpu_s() - server
    look_us, load_us, judge_us, server_look_us, server_load_us = (
        spent / month.values * 1e6 for spent in (look_s, load_s, judge_s, server_look_s, server_load_s)
    )
    share = len(some) / month.devices
    once, again = look_us + server_look_us, load_us + judge_us + server_load_us
    alarms = [sum(map(len, side.by_point.values())) for side in (result.before, result.after)]
    return {
        "look_us": look_us, "load_us": load_us, "judge_us": judge_us, "server_look_us": server_look_us,
        "server_load_us": server_load_us, "wall_s": wall_s, "month_min": city * (once + share * again) / 60e6,
        "all_min": city * (once + again) / 60e6,
    }, (alarms[0], alarms[1])  # fmt: skip


def _loaded(
    store: Store, site: Site, each: FieldPlan, sought: Sought, sources: dict[str, list[Source]], result: Judged
) -> tuple[float, float]:
    """Load and judge all devices; return the CPU seconds of either."""
    load_s = judge_s = 0.0
    made = batches(store, sought, sources)
    while True:
        begun_s = time.process_time()
        batch = next(made, None)
        loaded_s = time.process_time()
        load_s += loaded_s - begun_s
        if batch is None:
            return load_s, judge_s
        judge(each, batch, site, result)
        judge_s += time.process_time() - loaded_s


def _by_engines(site: Site, month: _Month, city: int) -> dict[str, float]:
    """Return what the same values cost as messages: decoded, and judged by both engines."""
    records = list(_messages(month))
    decoder, comparison = Decoder(site, Unregistered()), Comparison(site, "main", SITE_FILE, _DRAFT)
    gc.collect()
    wall_s, cpu = time.perf_counter(), time.process_time()
    for first in range(0, len(records), 2_000):
        comparison.feed([decoder.outcome(record) for record in records[first : first + 2_000]])
    spent_us = (time.process_time() - cpu) / len(records) * 1e6
    wall_s = (time.perf_counter() - wall_s) * month.values / len(records)
    return {"judge_us": spent_us, "wall_s": wall_s, "all_min": city * spent_us / 60e6}


def _messages(month: _Month) -> Iterator[Record]:
    series = [month.series(number) for number in range(month.devices)]
    position = 0
    for place in range(month.each):
        for number, (t_ms, volts) in enumerate(series):
            position += 1
            at_ms = int(t_ms[place])
            body = f'{{"v":1,"ts":{at_ms},"seq":{place},"data":{{"supply_v":{volts[place]}}}}}'
            yield Record(position, at_ms, load.topic(load.device_id(number)), body.encode())
            if position == _RECORDED:
                return


def _in_sqlite(folder: Path, site: Site, month: _Month) -> Store:
    path = folder / "readings.db"
    store = SqliteStore(path, site.catalog)
    store.write([], 0)
    # Rows in the order of the key, and the other index at the end: the same file, made quicker.
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous=OFF")
    database.execute('DROP INDEX "light_pole_at"')
    for number in range(month.devices):
        t_ms, volts = month.series(number)
        name = load.device_id(number)
        rows = ((name, at_ms * 1_000_000, volt) for at_ms, volt in zip(t_ms.tolist(), volts.tolist(), strict=True))
        database.executemany(
            'INSERT INTO "light_pole" (device_id, at_ns, district, quality, "supply_v") '
            f"VALUES (?, ?, '{load.DISTRICT}', 0, ?)",
            rows,
        )
    database.execute('CREATE INDEX "light_pole_at" ON "light_pole" (at_ns)')
    database.commit()
    database.close()
    return store


def _in_influx(server: Influx, site: Site, month: _Month) -> Store:
    server.database = "bench"
    server.create_database(server.database)
    http = urllib3.PoolManager()
    url = f"{server.url}/api/v2/write?org={server.org}&bucket={server.database}&precision=ns"
    for number in range(month.devices):
        t_ms, volts = month.series(number)
        head = f"light_pole,device_id={load.device_id(number)},district={load.DISTRICT} supply_v="
        lines = [
            f"{head}{volt},quality=0i {at_ms}000000" for at_ms, volt in zip(t_ms.tolist(), volts.tolist(), strict=True)
        ]
        for first in range(0, len(lines), _LINES):
            answer = http.request("POST", url, body="\n".join(lines[first : first + _LINES]).encode())
            if answer.status != 204:
                raise RuntimeError(f"InfluxDB answers {answer.status} to a write")
    return InfluxStore(f"{server.url}?org={server.org}&bucket={server.database}", site.catalog)
