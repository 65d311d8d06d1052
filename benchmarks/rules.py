"""What alarm rules cost while nothing happens: the engine's CPU a message, with few and with a thousand rules.

A site file changes the thresholds of rules and adds none, so a thousand rules come from kinds made here for it.
"""

import gc
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from benchmarks import load
from benchmarks.report import Column, Ratio, Report
from benchmarks.settings import Settings
from devices.catalog import Catalog, load_catalog
from devices.kind import Kind, Level, Limit, Measurement, number
from devices.site import Device, Site
from devices.site_file import load_site
from ingest.alarms.engine import Engine
from ingest.decoding import Decoder, Unregistered
from ingest.records import Record

COLUMNS: Final = (
    Column("rules", "rules"),
    Column("apply", "of them on one message"),
    Column("feed_us", "Engine.feed CPU µs/msg", 2),
    Column("decode_us", "decode CPU µs/msg", 2),
)
_DEVICES = 60_000
_FIELDS = 10
_BATCH = 1_000
_ROUNDS = 3
_PERIOD_MS = 60_000
_STARTED_MS = 1_767_225_600_000
_PLAIN = "10 fields, no rules"


@dataclass(frozen=True)
class _Setting:
    """So many kinds, whose ten fields carry so many limits each; no kinds means the project's own light pole."""

    name: str
    kinds: int = 0
    limits: int = 0


_SETTINGS: Final = (
    _Setting("light pole, its own rules"),
    _Setting(_PLAIN, 50, 0),
    _Setting("1,000 rules: 50 kinds with 20 each", 50, 2),
    _Setting("1,000 rules: all on one kind", 1, 100),
)


def run(settings: Settings) -> Report:
    """Feed every setting, as often as asked."""
    devices = 1_000 if settings.quick else _DEVICES
    report = Report(
        "rules",
        "What rules cost while nothing happens",
        f"{devices:,} devices, each heard once to begin with, then {_ROUNDS} times measured; batches of {_BATCH:,}",
        COLUMNS,
        (Ratio("feed_us", _PLAIN, "feed ÷ no rules"),),
    )
    for run_number in range(settings.runs):
        for setting in _SETTINGS:
            settings.say(f"rules, run {run_number + 1} of {settings.runs}: {setting.name}")
            report.row(setting.name).add(_fed(setting, devices))
    return report


def _fed(setting: _Setting, devices: int) -> dict[str, float]:
    site = _site(setting, devices)
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    feed_s = decode_s = 0.0
    measured = 0
    gc.collect()
    for records in _batches(site, setting):
        first_round = records[0].position <= devices
        begun_s = time.process_time()
        outcomes = decoder.outcomes(records)
        decoded_s = time.process_time()
        engine.feed(outcomes)
        done_s = time.process_time()
        if first_round:
            continue
        if any(not outcome.readings for outcome in outcomes):
            raise RuntimeError(f"{setting.name}: a message was not decoded: {outcomes[0].sentence}")
        decode_s += decoded_s - begun_s
        feed_s += done_s - decoded_s
        measured += len(records)
    kinds = [site.catalog.kinds[load.KIND]] if not setting.kinds else list(site.catalog.kinds.values())
    rules = sum(len(field.limits) for kind in kinds for m in kind.measurements for field in m.fields)
    on_message = setting.limits * _FIELDS if setting.kinds else _applying(kinds[0])
    return {
        "rules": rules,
        "apply": on_message,
        "feed_us": feed_s / measured * 1e6,
        "decode_us": decode_s / measured * 1e6,
    }


def _applying(kind: Kind) -> int:
    """Return how many limits of a kind look at a message of the usual load."""
    sent = json.loads(load.payload(_STARTED_MS, 0))["data"]
    return sum(len(kind.field(key).limits) for key in sent)


def _site(setting: _Setting, devices: int) -> Site:
    own = load_site()
    street = next(iter(own.streets))
    catalog = Catalog({kind.key: kind for kind in _kinds(setting)}) if setting.kinds else load_catalog()
    keys = [*catalog.kinds] if setting.kinds else [load.KIND]
    rows = [Device(load.device_id(place), keys[place % len(keys)], own.district, street) for place in range(devices)]
    return replace(own, catalog=catalog, devices={row.id: row for row in rows}, by_foreign={})


def _kinds(setting: _Setting) -> Iterator[Kind]:
    for place in range(setting.kinds):
        fields = tuple(
            number(
                f"value_{field}", "数值", "Value", "1", 0, 1_000, 0.1,
                limits=tuple(
                    # Above what is sent, each at a value of its own.
                    Limit(f"high_{step}", "偏高", "high", (Level(1, 500 + step, "P4"),), "benchmark", "C",
                          deadband=1, on_s=60, off_s=60)
                    for step in range(setting.limits)
                ),
            )
            for field in range(_FIELDS)
        )  # fmt: skip
        measurement = Measurement(f"toy_{place}", "测量", "Measured", ("telemetry",), fields)
        yield Kind(
            f"toy_{place}", "测量", "Measured", source="benchmark", period_s=60, stale_after_s=300,
            measurements=(measurement,), examples=(), headline="value_0",
        )  # fmt: skip


def _batches(site: Site, setting: _Setting) -> Iterator[list[Record]]:
    position = 0
    batch: list[Record] = []
    topics = [f"city/v1/{site.district}/{row.kind}/{row.id}/telemetry" for row in site.devices.values()]
    for turn in range(1 + _ROUNDS):
        for place, topic in enumerate(topics):
            position += 1
            # Spread over the period: each device reports once in it, as registered.
            at_ms = _STARTED_MS + turn * _PERIOD_MS + place * _PERIOD_MS // len(topics)
            batch.append(Record(position, at_ms, topic, _body(setting, at_ms, turn, place)))
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _body(setting: _Setting, at_ms: int, turn: int, place: int) -> bytes:
    if not setting.kinds:
        return load.payload(at_ms, turn, place)
    values = ",".join(f'"value_{field}":{(place + turn * 7 + field) % 400}.5' for field in range(_FIELDS))
    return f'{{"v":1,"ts":{at_ms},"seq":{turn},"data":{{{values}}}}}'.encode()
