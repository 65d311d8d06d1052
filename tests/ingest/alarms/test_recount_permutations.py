"""What comes twice, out of order, late, or only when it is sent again: no alarm is lost, and none appears by it."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.site import Site
from ingest import pipeline
from ingest.alarms.engine import Engine
from ingest.decoding import Decoder, Unregistered
from ingest.records import Record
from ingest.recount.oracle import Oracle
from ingest.recount.state import Memory
from tests.ingest.alarms.collecting import Town
from tests.ingest.alarms.feeding import message, records, status, ticks

Message = tuple[float, str, bytes]
DEVICES = ("gas-1", "gas-2")


def day(seed: int, seconds: int = 400) -> list[Message]:
    """Return what a few devices say; every message can be told from every other."""
    chance = random.Random(seed)
    found: list[Message] = [*ticks(0, seconds)]
    for n, at_s in enumerate(range(0, seconds, 5)):
        leaking = {"conc_pct_lel": chance.randrange(80)}
        found.append(message(at_s, "gas_alarm", chance.choice(DEVICES), leaking, id=f"g{n}"))
        drone = {"mode": chance.choice([0, 5]), "batt_pct": chance.randrange(40)}
        found.append(message(at_s + 0.5, "drone", "drone-1", drone, id=f"d{n}"))
        passing = {"pass_id": f"p{n}", "axle_count": 2, "gvw_kg": chance.randrange(15_000, 40_000)}
        found.append(message(at_s, "bridge_wim", "wim-1", passing, channel="event", id=f"p{n}"))
        burning = {"dim_pct": chance.choice([50, 80]), "cmd_pct": 80}
        found.append(message(at_s, "light_pole", "pole-1", burning, id=f"l{n}"))
    found.append(status(seconds / 2, "drone", "drone-1", "offline"))
    return sorted(found, key=lambda each: each[0])


@pytest.mark.parametrize("batch", [1, 13, 2_000])
@pytest.mark.parametrize("seed", [1, 2])
def test_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, batch: int) -> None:
    """Whatever the batches, the restarts and the checkpoints that were lost: the same rows to the last hash."""
    messages = day(seed, 150)
    whole, pieces = Town(tmp_path / "whole"), Town(tmp_path / "pieces")
    whole.receive(messages)
    whole.judge()
    monkeypatch.setattr(pipeline, "_BATCH", batch)
    chance = random.Random(batch)
    start = 0.0
    for stop in [*sorted(chance.sample(range(10, 140), 4)), 10_000]:
        checkpoint = pieces.places.checkpoint
        kept = checkpoint.read_bytes() if checkpoint.exists() and chance.random() < 0.5 else None
        pieces.receive([each for each in messages if start <= each[0] < stop])
        pieces.judge()
        if kept is not None:
            # Died with its findings kept and its checkpoint not written: it judges all of that again.
            checkpoint.write_bytes(kept)
        start = stop
    pieces.judge()
    assert pieces.told() == whole.told()
    assert len(pieces.told()) > 50


def peaks(site: Site, journal: Sequence[Record]) -> dict[str, int]:
    """Return the worst level of each alarm point without delays, from a fresh engine."""
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    found: dict[str, int] = {}
    for told in engine.feed([decoder.outcome(record) for record in journal]):
        if told.point.endswith("conc_pct_lel.high") or told.what == "passage":
            found[told.point] = max(found.get(told.point, 0), told.level)
    return found


def reached(messages: Sequence[Message]) -> dict[str, int]:
    """Return the same from the words of the messages alone."""
    found: dict[str, int] = {}
    for _, topic, payload in messages:
        if topic.startswith("$") or topic.endswith("status"):
            continue
        data: dict[str, Any] = json.loads(payload)["data"]
        device = topic.split("/")[-2]
        if "conc_pct_lel" in data:
            level = 2 if data["conc_pct_lel"] >= 50 else 1 if data["conc_pct_lel"] >= 25 else 0
            point = f"{device}/conc_pct_lel.high"
        elif "gvw_kg" in data:
            over = round((data["gvw_kg"] - 18_000) / 18_000 * 100, 2)
            level = sum(over >= tier for tier in (10, 30, 50, 100))
            point = f"{device}/over_pct.overload/{data['pass_id']}"
        else:
            continue
        if level:
            found[point] = max(found.get(point, 0), level)
    return found


def agree(site: Site, journal: Sequence[Record]) -> None:
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    told = engine.feed([decoder.outcome(record) for record in journal])
    decoder, oracle = Decoder(site, Unregistered()), Oracle(site, "main", Memory())
    expected = [each for record in journal for each in oracle.judge(decoder.outcome(record))]
    found = [each for each in told if each.what in ("raise", "change", "return", "passage", "late")]
    assert sorted((each.position, each.point, each.what, each.level, each.at_ms) for each in found) == sorted(
        (each.position, each.point, each.what, each.level, each.at_ms) for each in expected
    )


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(0, 3))
def test_no_order_loses_an_alarm(site: Site, chance: random.Random, seed: int) -> None:
    """Delayed, reordered, repeated, dropped and sent again in the end: the worst of each point is known."""
    messages = day(seed, 100)
    said = [each for each in messages if not each[1].startswith("$")]
    again: list[Message] = []
    for at_s, topic, payload in said:
        fate = chance.random()
        if fate < 0.3:
            again.append((at_s + chance.uniform(0, 300), topic, payload))
        elif fate < 0.5:
            again += [(at_s, topic, payload), (at_s + chance.uniform(0, 50), topic, payload)]
        elif fate < 0.6:
            again.append((500.0, topic, payload))
        else:
            again.append((at_s, topic, payload))
    journal = records([*again, *ticks(0, 520)])
    assert peaks(site, journal) == reached(said)
    agree(site, journal)


@settings(max_examples=15)
@given(st.randoms(use_true_random=False))
def test_repeats_change_nothing(site: Site, chance: random.Random) -> None:
    """A journal in which messages stand again behind themselves gives the same alarms at the same instants."""
    messages = day(1, 100)
    plain = found_in(site, records(messages))
    double = [*messages, *chance.sample([each for each in messages if each[1][0] != "$" and b"data" in each[2]], 30)]
    assert found_in(site, records(double)) == plain


def found_in(site: Site, journal: Sequence[Record]) -> list[tuple[str, str, int, int, int]]:
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    told = engine.feed([decoder.outcome(record) for record in journal])
    return [(each.what, each.point, each.level, each.at_ms, each.now_ms) for each in told if each.what != "health"]
