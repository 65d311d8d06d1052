"""How much faster than real time a recording is decoded, judged and stored: replay, back-test and catching up.

The recording is a journal as the collector writes it, with times in the past. ``in a sandbox`` is what ``citydeck
replay --sandbox --speed max`` does, journal and alarm database included; the others are its Decoder and Engine alone,
and with InfluxDB behind them.
"""

import gc
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks import load
from benchmarks.report import Column, Report
from benchmarks.rig import Rig, write_site
from benchmarks.settings import Settings
from devices.readings import Reading
from devices.site import Site
from devices.site_file import load_site
from ingest import runtime
from ingest.alarms.engine import Engine
from ingest.decoding import Decoder, Unregistered
from ingest.journal import Journal
from ingest.places import Places
from ingest.records import TICK
from ingest.replay.pace import Pace
from ingest.replay.sandbox import Sandbox
from ingest.replay.source import journal_source
from ingest.store import Store, open_store
from ingest.store.usual import UsualReadings

COLUMNS: Final = (
    Column("speed", "× real time"),
    Column("rate", "msg/s"),
    Column("cpu_us", "CPU µs/msg", 1),
)
_RECORDED_S = 3_600.0
_RATE = 1_000
_TOGETHER = 4
_READ = 2_000
_BATCH = 20_000
_BROKER_PORT = 1_883
Say: TypeAlias = Callable[[str], None]
Payload: TypeAlias = Callable[[int, int, int], bytes]
_RECORDINGS: Final[dict[str, Payload]] = {"lamps": load.payload, "whole-lamps": load.whole_payload}


def run(settings: Settings) -> Report:
    """Write the recordings, and replay them as often as asked in every way."""
    recorded_s = round(settings.length_s(_RECORDED_S, 5.0))
    report = Report(
        "replay",
        "Replay of a recording",
        f"{recorded_s:,} s at {_RATE:,} msg/s from {settings.devices:,} devices",
        COLUMNS,
    )
    runtime.settle()
    with tempfile.TemporaryDirectory(prefix="citydeck-bench-") as name:
        folder = Path(name)
        for recording, payload in _RECORDINGS.items():
            settings.say(f"replay: writing {recorded_s * _RATE:,} messages of {recording}")
            _record(folder / recording, payload, settings.devices, recorded_s, time.time_ns() // 1_000_000)
        for number in range(settings.runs):
            for target, (replayed, recording) in _TARGETS.items():
                settings.say(f"replay, run {number + 1} of {settings.runs}: {target}")
                report.row(target).add(replayed(folder / recording, settings.devices, recorded_s, settings.say))
    return report


def _record(folder: Path, payload: Payload, devices: int, seconds: int, now_ms: int) -> None:
    """Write a journal as the collector does at this rate: a few messages at a time, and a tick each second."""
    topics = [load.topic(load.device_id(number)) for number in range(devices)]
    journal = Journal(folder, durable=False)
    try:
        number = 0
        for second in range(seconds):
            batches: list[tuple[list[tuple[str, bytes]], int]] = []
            for place in range(0, _RATE, _TOGETHER):
                received_ms = now_ms - (seconds - second) * 1_000 + place * 1_000 // _RATE
                batch = [] if place else [(TICK, b"")]
                for _ in range(_TOGETHER):
                    seq, device = divmod(number, devices)
                    batch.append((topics[device], payload(received_ms, seq, device)))
                    number += 1
                batches.append((batch, received_ms))
            journal.append_each(batches)
    finally:
        journal.close()


def _sandbox(recording: Path, devices: int, recorded_s: int, say: Say) -> dict[str, float]:
    site = load_site(write_site(recording.parent, _BROKER_PORT, "embedded", devices))
    source = journal_source(recording, None, None)
    with tempfile.TemporaryDirectory(prefix="citydeck-bench-") as name:
        before_s = _cpu_s()
        with Sandbox(site, Path(name) / "city", apart=True) as sandbox:
            gc.collect()
            started_s = time.perf_counter()
            played = sandbox.play(source, Pace(source.from_ms, 0.0), lambda _: None)
            took_s = time.perf_counter() - started_s
        # Of its second process only the whole is known, and that once it has ended.
        cpu_s = _cpu_s() - before_s
    return _figures(recorded_s, took_s, cpu_s, played.messages, played.readings, played.transitions, say)


def _cpu_s() -> float:
    """Return the processor time of this process and of those it started that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _judged(recording: Path, devices: int, recorded_s: int, say: Say) -> dict[str, float]:
    site = load_site(write_site(recording.parent, _BROKER_PORT, "embedded", devices))
    return _read(recording, site, None, recorded_s, say)


def _influx(recording: Path, devices: int, recorded_s: int, say: Say) -> dict[str, float]:
    with Rig(devices) as rig:
        site = load_site(rig.site_file)
        found = _read(recording, site, open_store(site, Places(rig.folder / "var")), recorded_s, say)
        if rig.kept() != recorded_s * _RATE:
            raise RuntimeError(f"InfluxDB holds {rig.kept():,} points, expected {recorded_s * _RATE:,}")
        return found


_TARGETS: Final = {
    "judged only": (_judged, "lamps"),
    "in a sandbox": (_sandbox, "lamps"),
    "into InfluxDB": (_influx, "lamps"),
    "in a sandbox, all a lamp says": (_sandbox, "whole-lamps"),
}


def _read(recording: Path, site: Site, store: Store | None, recorded_s: int, say: Say) -> dict[str, float]:
    journal = Journal(recording)
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    position = messages = stored = transitions = 0
    waiting: list[Reading] = []
    columns: list[UsualReadings] = []
    gc.collect()
    started_s, cpu_s = time.perf_counter(), time.process_time()
    try:
        while records := journal.read(position, _READ):
            position = records[-1].position
            outcomes = decoder.outcomes(records)
            transitions += len(engine.feed(outcomes))
            readings, usual = outcomes.readings()
            messages += len(readings) + sum(len(each.devices) for each in usual)
            if store is None:
                continue
            waiting += readings
            columns += usual
            if messages - stored >= _BATCH:
                stored += store.write(waiting, position, columns).stored
                waiting, columns = [], []
        if store is not None and messages > stored:
            stored += store.write(waiting, position, columns).stored
        took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    finally:
        journal.close()
        if store is not None:
            store.close()
    return _figures(recorded_s, took_s, cpu_s, messages, messages if store is None else stored, transitions, say)


def _figures(
    recorded_s: int, took_s: float, cpu_s: float, messages: int, stored: int, transitions: int, say: Say
) -> dict[str, float]:
    """Return the figures of a run, which is none unless every message was read and stored."""
    if (messages, stored) != (recorded_s * _RATE, recorded_s * _RATE):
        raise RuntimeError(f"{messages:,} messages read, {stored:,} stored, expected {recorded_s * _RATE:,}")
    say(f"  {messages:,} messages in {took_s:.1f} s, {transitions:,} transitions")
    return {"speed": recorded_s / took_s, "rate": messages / took_s, "cpu_us": cpu_s / messages * 1e6}
