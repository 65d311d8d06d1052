"""The watchdog: once a minute the collector publishes a message to itself that is an alarm, through the real path.

Broker, session, journal, engine and alarm database have to work for that alarm to be written, born closed. Where it is
missing for three minutes, :mod:`ingest.alarms.absence` says so. The messages are journaled and counted like any other,
as those of the collector itself.
"""

from collections.abc import Callable
from typing import Annotated

import msgspec

ROOT = "citydeck/v1/watchdog"
EVERY_S = 60.0


class _Beat(msgspec.Struct):
    # Anybody may publish there: a number beyond every clock is none of ours.
    at: Annotated[int, msgspec.Meta(ge=0, lt=10**13)]


_read = msgspec.json.Decoder(_Beat).decode
Publish = Callable[[str, bytes, int], None]


def topic_of(shard: str) -> str:
    """Return the topic of a collector's watchdog."""
    return f"{ROOT}/{shard}"


def read_beat(topic: str, payload: bytes) -> tuple[str, int] | None:
    """Return whose watchdog's message it is and when it was sent, None when it is none."""
    if not topic.startswith(f"{ROOT}/"):
        return None
    try:
        return topic.removeprefix(f"{ROOT}/"), _read(payload).at
    except msgspec.DecodeError:
        return None


class Watchdog:
    """Publishes when it is time."""

    def __init__(self, shard: str, publish: Publish, every_s: float, now_ms: int) -> None:
        self._topic = topic_of(shard)
        self._publish = publish
        self._every_ms = round(every_s * 1000)
        self._next_ms = now_ms + self._every_ms

    def look(self, now_ms: int) -> None:
        """Publish if it is time."""
        if not self._next_ms - self._every_ms <= now_ms < self._next_ms:
            self._next_ms = now_ms + self._every_ms
            self._publish(self._topic, msgspec.json.encode(_Beat(now_ms)), 1)
