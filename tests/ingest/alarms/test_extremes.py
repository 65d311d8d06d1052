"""Whatever number a device sends in whichever field: nothing fails, and no figure is beyond all numbers."""

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from devices.site import Site
from ingest.alarms.engine import Engine
from ingest.alarms.transitions import Transition
from ingest.decoding import Decoder, Unregistered
from ingest.records import Record
from ingest.recount.oracle import Oracle
from ingest.recount.state import Memory
from tests.ingest.alarms.feeding import T0
from tests.ingest.alarms.rule_city import city

EXTREMES = [9999, -9999, 65535, 32767, 1e308, -1e308, 0, -0.0, 5e-324, -5e-324, True, False, 3100, 1.7e308, -1.7e308]
ORDINARY = [100, 80, 50, 24, 1, 0.6]
CHANNELS = ("telemetry", "event", "state")
JUDGED = ("raise", "change", "return", "passage", "late")
MINUTE_MS = 60_000
BATCH = 50


def lanes(site: Site) -> list[tuple[str, str, list[str]]]:
    """Return topic, device and numeric fields of each channel of a device of each kind, and of one nobody knows."""
    found = []
    for kind in site.catalog.kinds.values():
        known = next((device.id for device in site.devices.values() if device.kind == kind.key), "stranger")
        for channel in CHANNELS:
            fields = [field.key for m in kind.measurements_on(channel) for field in m.quantities]
            if fields:
                found.append((f"city/v1/demo/{kind.key}/{known}/{channel}", known, fields))
    return found


def recorded(messages: Iterable[tuple[int, str, dict[str, object]]]) -> list[Record]:
    found = []
    for n, (at_ms, topic, data) in enumerate(messages, 1):
        body = {"v": 1, "ts": T0 + at_ms, "seq": n, "id": str(n), "data": data}
        found.append(Record(n, T0 + at_ms, topic, json.dumps(body).encode()))
    return found


def steady(site: Site) -> Iterator[tuple[int, str, dict[str, object]]]:
    """Yield the same value in all fields for an hour, as every sentinel that nobody told us of does."""
    at_ms = 0
    for value in EXTREMES:
        for _ in range(20):
            at_ms += 3 * MINUTE_MS
            for topic, _, fields in lanes(site):
                yield at_ms, topic, dict.fromkeys(fields, value)


def every_minute(site: Site, kind: str, fields: list[str]) -> Iterator[tuple[int, str, dict[str, object]]]:
    """Yield the same value for as long as the longest mean of these fields lasts."""
    at_ms = 0
    (topic,) = {topic for topic, _, _ in lanes(site) if f"/{kind}/" in topic and topic.endswith("/telemetry")}
    for value in EXTREMES:
        for _ in range(65):
            at_ms += MINUTE_MS
            yield at_ms, topic, dict.fromkeys(fields, value)


def mixed(site: Site, seed: int) -> Iterator[tuple[int, str, dict[str, object]]]:
    """Yield anything in some of the fields, ordinary values among them, at any pace."""
    chance = random.Random(seed)
    ways = lanes(site)
    at_ms = 0
    for _ in range(4_000):
        at_ms += chance.choice([100, 1_000, 5_000, 20_000, MINUTE_MS])
        topic, _, fields = chance.choice(ways)
        some = chance.sample(fields, min(len(fields), chance.choice([1, 2, 4, 40])))
        yield at_ms, topic, {field: chance.choice(chance.choice([EXTREMES, ORDINARY])) for field in some}


def judged(site: Site, journal: list[Record]) -> list[Transition]:
    """Return what the engine makes of a journal in batches, and check all that it leaves behind."""
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    found: list[Transition] = []
    for start in range(0, len(journal), BATCH):
        outcomes = decoder.outcomes(journal[start : start + BATCH])
        found += engine.feed(outcomes)
        assert [each.sentence for each in outcomes if each.reason == "failure"] == []
    assert [each for each in found if each.value is not None and not math.isfinite(each.value)] == []
    windows = [window for state in engine.memory.devices.values() for window in state.windows.values()]
    assert all(math.isfinite(number) for window in windows for number in window)
    engine.memory.encoded(engine.memory.devices)
    return found


def recounted(site: Site, journal: list[Record]) -> Counter[tuple[object, ...]]:
    decoder, oracle = Decoder(site, Unregistered()), Oracle(site, "main", Memory())
    return Counter(
        (each.position, each.what, each.point, each.level, each.at_ms)
        for record in journal
        for each in oracle.judge(decoder.outcome(record))
    )


def told(found: list[Transition]) -> Counter[tuple[object, ...]]:
    return Counter((t.position, t.what, t.point, t.level, t.at_ms) for t in found if t.what in JUDGED)


def test_every_field_stuck_at_each_extreme() -> None:
    journal = recorded(steady(city()))
    found = judged(city(), journal)
    assert told(found) == recounted(city(), journal)
    # Not because nothing is judged any more.
    assert len({each.rule for each in found if each.what == "raise"}) > 10


@pytest.mark.parametrize("seed", range(2))
def test_anything_in_any_field_at_any_pace(seed: int) -> None:
    journal = recorded(mixed(city(), seed))
    found = judged(city(), journal)
    assert told(found) == recounted(city(), journal)
    raised = {each.rule for each in found if each.what == "raise"}
    assert {"gas_alarm.conc_pct_lel.rate", "light_pole.dim_pct.deviation"} <= raised
    assert len(raised) > 15


def test_the_means_of_an_hour_of_extremes() -> None:
    journal = recorded(every_minute(city(), "light_pole", ["noise_dba", "pm25_ugm3", "no2_ugm3"]))
    found = judged(city(), journal)
    assert told(found) == recounted(city(), journal)
    assert [each for each in found if each.rule == "light_pole.noise_dba.high"] == []


def test_what_no_number_holds_is_judged_by_no_rule() -> None:
    """The difference of two absurd values, and the sum of two of one circuit; one of them alone is judged."""

    def lamps(data: dict[str, object], names: Iterable[str]) -> Iterator[tuple[int, str, dict[str, object]]]:
        for minute in range(20):
            for place, name in enumerate(names):
                yield minute * MINUTE_MS + place, f"city/v1/demo/light_pole/{name}/telemetry", data

    both = {"dim_pct": 1.7e308, "cmd_pct": -1.7e308, "leak_ma": 1.7e308}
    journal = recorded(lamps(both, ["lamp-00", "lamp-01"]))
    found = judged(city(), journal)
    assert told(found) == recounted(city(), journal)
    rules = {"light_pole.dim_pct.deviation", "light_pole.feeder_leakage"}
    assert rules.isdisjoint(each.rule for each in found)
    alone = recorded(lamps({**both, "cmd_pct": 0}, ["lamp-00"]))
    assert rules <= {each.rule for each in judged(city(), alone)}
