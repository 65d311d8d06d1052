"""What a journal holds: messages as they came, and what the collector writes between them for itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from devices import recording

TICK = recording.TICK
# A message of before that is tried again (ingest.retry); it was received and counted when it first came.
RETRY = "$retry"
# From here on the rules are those of the revision it holds (ingest.alarms.revisions).
RULES = "$rules"
# What the collector writes for itself; a device's topic may begin with $, too.
OWN = frozenset({TICK, RETRY, RULES})
# Where the collector's own messages pass the broker; played to another collector they would speak for that one.
_OWN_ROOT = "citydeck/v1/"
OWN_PREFIXES = ("$", _OWN_ROOT)
"""How all begins that the collector writes for itself; few other topics do."""
# The payload of a tick while the broker is not connected and there is nothing else to tell.
AWAY = b"away"


class _Tick(msgspec.Struct, omit_defaults=True):
    away: bool = False
    own: dict[str, float] = {}


_read_tick = msgspec.json.Decoder(_Tick).decode


def tick_payload(connected: bool, own: Mapping[str, float]) -> bytes:
    """Return what a tick holds: whether the broker is there, and figures of the collector itself."""
    if own:
        return msgspec.json.encode(_Tick(not connected, dict(own)))
    return b"" if connected else AWAY


def read_tick(payload: bytes) -> tuple[bool, Mapping[str, float]]:
    """Return whether the broker was there, and the collector's figures."""
    if payload in (b"", AWAY):
        return payload != AWAY, {}
    try:
        tick = _read_tick(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Of a recording that others wrote: it says that somebody listened, and nothing more.
        return True, {}
    return not tick.away, tick.own


def of_the_city(topic: str) -> bool:
    """Tell whether others than CityDeck itself sent what came under a topic."""
    return topic not in OWN and not topic.startswith(_OWN_ROOT)


class Record(NamedTuple):
    """One journaled message, or a tick (topic ``$tick``)."""

    position: int
    received_ms: int
    topic: str
    payload: bytes


class Packed(NamedTuple):
    """What was received together as a file keeps it: how many records, how many of them messages, and all in one."""

    received_ms: int
    records: int
    messages: int
    body: bytes


class Batch(NamedTuple):
    """Messages that were journaled together: topic and payload of each, from one position on.

    ``body`` is what a file holds of them, where that was asked for and they are read from one, whole.
    """

    first: int
    received_ms: int
    messages: Sequence[tuple[str, bytes]]
    body: bytes | None = None


_encode = msgspec.msgpack.Encoder().encode
messages_of: Callable[[bytes], list[tuple[str, bytes]]] = msgspec.msgpack.Decoder(list[tuple[str, bytes]]).decode
"""Return the messages in the body of a batch: topic and payload of each."""


def packed_of(received_ms: int, messages: Sequence[tuple[str, bytes]]) -> Packed:
    """Return messages that were received together as a file keeps them."""
    heard = sum([topic not in OWN for topic, _ in messages])
    return Packed(received_ms, len(messages), heard, _encode(messages))


# A record is made for every message; the constructor of a NamedTuple costs twice as much as this.
_new = tuple.__new__


def records_of(first: int, received_ms: int, messages: Sequence[tuple[str, bytes]]) -> list[Record]:
    """Return the records of messages that were received together."""
    return [
        _new(Record, (position, received_ms, topic, payload))
        for position, (topic, payload) in enumerate(messages, first)
    ]
