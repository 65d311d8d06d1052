"""How much faster than real time a recording is decoded, judged and stored: replay, back-test and catching up.

The recording is a journal as the collector writes it, with times in the past; what reads it is the collector's own
Decoder, Engine and store.
"""

import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import load
from benchmarks.report import Column, Report
from benchmarks.rig import Rig, write_site
from benchmarks.settings import Settings
from devices.readings import Reading
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.engine import Engine
from ingest.decoding import Decoder, Unregistered
from ingest.journal import Journal
from ingest.places import Places
from ingest.records import TICK
from ingest.store import Store, open_store

COLUMNS: Final = (
    Column("speed", "× real time"),
    Column("rate", "msg/s"),
    Column("cpu_us", "CPU µs/msg", 1),
)
_RECORDED_S = 3_600.0
_RATE = 1_000
_READ = 2_000
_BATCH = 5_000
_BROKER_PORT = 1_883


def run(settings: Settings) -> Report:
    """Write one recording, and read it as often as asked into nothing, SQLite and InfluxDB."""
    recorded_s = round(settings.length_s(_RECORDED_S, 5.0))
    report = Report(
        "replay",
        "Replay of a recording",
        f"{recorded_s:,} s at {_RATE:,} msg/s from {settings.devices:,} devices",
        COLUMNS,
    )
    with tempfile.TemporaryDirectory(prefix="citydeck-bench-") as name:
        folder = Path(name)
        settings.say(f"replay: writing {recorded_s * _RATE:,} messages")
        _record(folder / "journal", settings.devices, recorded_s, time.time_ns() // 1_000_000)
        for number in range(settings.runs):
            for target in ("judged only", "into SQLite", "into InfluxDB"):
                settings.say(f"replay, run {number + 1} of {settings.runs}: {target}")
                report.row(target).add(_replayed(folder, target, settings.devices, recorded_s, settings.say))
    return report


def _record(folder: Path, devices: int, seconds: int, now_ms: int) -> None:
    topics = [load.topic(load.device_id(number)) for number in range(devices)]
    journal = Journal(folder)
    try:
        number = 0
        for second in range(seconds):
            received_ms = now_ms - (seconds - second) * 1_000
            batch = [(TICK, b"")]
            for place in range(_RATE):
                seq, device = divmod(number, devices)
                body = load.payload(received_ms - 1_000 + place * 1_000 // _RATE, seq, device)
                batch.append((topics[device], body))
                number += 1
            journal.append(batch, received_ms)
    finally:
        journal.close()


def _replayed(folder: Path, target: str, devices: int, recorded_s: int, say: Callable[[str], None]) -> dict[str, float]:
    if target == "into InfluxDB":
        with Rig(devices) as rig:
            site = load_site(rig.site_file)
            store = open_store(site, Places(rig.folder / "var"))
            found = _read(folder, site, store, recorded_s, say)
            if rig.kept() != recorded_s * _RATE:
                raise RuntimeError(f"InfluxDB holds {rig.kept():,} points, expected {recorded_s * _RATE:,}")
            return found
    site = load_site(write_site(folder, _BROKER_PORT, "embedded", devices))
    with tempfile.TemporaryDirectory(prefix="citydeck-bench-") as name:
        places = Places(Path(name))
        return _read(folder, site, None if target == "judged only" else open_store(site, places), recorded_s, say)


def _read(
    folder: Path, site: Site, store: Store | None, recorded_s: int, say: Callable[[str], None]
) -> dict[str, float]:
    journal = Journal(folder / "journal")
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    position = stored = transitions = 0
    waiting: list[Reading] = []
    gc.collect()
    started_s, cpu_s = time.perf_counter(), time.process_time()
    try:
        while records := journal.read(position, _READ):
            position = records[-1].position
            outcomes = decoder.outcomes(records)
            transitions += len(engine.feed(outcomes))
            if store is None:
                continue
            waiting.extend(reading for outcome in outcomes for reading in outcome.readings)
            if len(waiting) >= _BATCH:
                stored += store.write(waiting, position).stored
                waiting = []
        if store is not None and waiting:
            stored += store.write(waiting, position).stored
        took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    finally:
        journal.close()
        if store is not None:
            store.close()
    messages = recorded_s * _RATE
    if position != messages + recorded_s or (store is not None and stored != messages):
        raise RuntimeError(f"read to position {position:,} and stored {stored:,}, expected {messages:,} messages")
    say(f"  {messages:,} messages in {took_s:.1f} s, {transitions:,} transitions")
    return {"speed": recorded_s / took_s, "rate": messages / took_s, "cpu_us": cpu_s / messages * 1e6}
