"""What a journal holds: messages as they came, and what the collector writes between them for itself."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import NamedTuple, overload

import msgspec
import numpy as np

from devices import recording
from ingest.lanewise import Instants

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


# The constructor of a NamedTuple costs twice as much as this.
_new = tuple.__new__


class Records(Sequence[Record]):
    """Records in the order of their receipt, by column; one by one they are made where somebody asks for one.

    Attributes:
        positions: of each.
        received_ms: when each was received.
        topics: of each.
        payloads: of each.
    """

    __slots__ = ("payloads", "positions", "received_ms", "topics")

    def __init__(
        self, positions: Instants, received_ms: Instants, topics: Sequence[str], payloads: Sequence[bytes]
    ) -> None:
        self.positions = positions
        self.received_ms = received_ms
        self.topics = topics
        self.payloads = payloads

    @classmethod
    def of(cls, records: Sequence[Record]) -> "Records":
        """Return records as columns."""
        if isinstance(records, Records):
            return records
        positions, received_ms, topics, payloads = zip(*records, strict=True) if records else ((), (), (), ())
        return Records(np.array(positions, dtype=np.int64), np.array(received_ms, dtype=np.int64), topics, payloads)

    @classmethod
    def joined(
        cls, first: int, received_ms: Sequence[int], messages: Sequence[Sequence[tuple[str, bytes]]]
    ) -> "Records":
        """Return batches of messages that follow one another, from a position on, each with its receive time."""
        together = list(chain.from_iterable(messages))
        return Records(
            np.arange(first, first + len(together)),
            np.repeat(np.array(received_ms, dtype=np.int64), list(map(len, messages))),
            [topic for topic, _ in together],
            [payload for _, payload in together],
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.topics)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> "Records": ...
    def __getitem__(self, index: int | slice) -> "Record | Records":
        """Return one of them, or some as columns."""
        if isinstance(index, slice):
            return Records(self.positions[index], self.received_ms[index], self.topics[index], self.payloads[index])
        topic = self.topics[index]
        return Record(int(self.positions[index]), int(self.received_ms[index]), topic, self.payloads[index])

    def __iter__(self) -> Iterator[Record]:
        """Yield one by one."""
        columns = zip(self.positions.tolist(), self.received_ms.tolist(), self.topics, self.payloads, strict=True)
        return map(_new, repeat(Record), columns)

    def __eq__(self, other: object) -> bool:
        """Tell whether others are the same, one by one."""
        return list(self) == list(other) if isinstance(other, Records | list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def upto(self, position: int) -> "Records":
        """Return those up to a position."""
        return self[: bisect_right(self.positions, position)]


_encode = msgspec.msgpack.Encoder().encode
messages_of: Callable[[bytes], list[tuple[str, bytes]]] = msgspec.msgpack.Decoder(list[tuple[str, bytes]]).decode
"""Return the messages in the body of a batch: topic and payload of each."""


def packed_of(received_ms: int, messages: Sequence[tuple[str, bytes]]) -> Packed:
    """Return messages that were received together as a file keeps them."""
    heard = sum([topic not in OWN for topic, _ in messages])
    return Packed(received_ms, len(messages), heard, _encode(messages))
