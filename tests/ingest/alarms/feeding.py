"""Feeding the engine by hand: messages with a receive time become records, records become transitions."""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from devices.site import Site
from ingest.alarms.engine import Engine
from ingest.alarms.transitions import Transition
from ingest.decoding import Decoder, Unregistered
from ingest.records import TICK, Record

T0 = 1_767_225_600_000
"""The instant 0 of alarm tables, epoch ms; all else is in seconds after it."""


def message(at_s: float, kind: str, device: str, data: dict[str, Any], **envelope: Any) -> tuple[float, str, bytes]:
    """Return a telemetry (or ``channel=``) message received at an instant; its device time is the same unless told."""
    channel = envelope.pop("channel", "telemetry")
    ts = T0 + round(envelope.pop("ts_s", at_s) * 1000)
    body = {"v": 1, "ts": ts, "data": data, **envelope}
    return at_s, f"city/v1/demo/{kind}/{device}/{channel}", json.dumps(body).encode()


def status(at_s: float, kind: str, device: str, word: str) -> tuple[float, str, bytes]:
    """Return a status message, as a last will leaves it."""
    return at_s, f"city/v1/demo/{kind}/{device}/status", word.encode()


def tick(at_s: float, payload: bytes = b"") -> tuple[float, str, bytes]:
    """Return a tick of the collector."""
    return at_s, TICK, payload


def ticks(start_s: int, stop_s: int) -> list[tuple[float, str, bytes]]:
    """Return a tick for each second in [start, stop)."""
    return [tick(second) for second in range(start_s, stop_s)]


def records(messages: Iterable[tuple[float, str, bytes]]) -> list[Record]:
    """Return messages as journal records, ordered by receive time."""
    ordered = sorted(messages, key=lambda item: item[0])
    return [Record(n, T0 + round(at_s * 1000), topic, payload) for n, (at_s, topic, payload) in enumerate(ordered, 1)]


def transitions(site: Site, journal: Sequence[Record], splits: Sequence[int] = ()) -> list[Transition]:
    """Return what a fresh engine makes of a journal, fed in batches that end at the given indexes."""
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    found: list[Transition] = []
    edges = [0, *sorted(splits), len(journal)]
    for start, stop in pairwise(edges):
        found.extend(engine.feed([decoder.outcome(record) for record in journal[start:stop]]))
    return found


def story(found: Iterable[Transition]) -> list[tuple[str, str, int, float]]:
    """Return (what, point, level, second of the cause) of transitions that concern an alarm point."""
    return [(t.what, t.point, t.level, (t.at_ms - T0) / 1000) for t in found if t.what not in ("stale", "fresh")]
