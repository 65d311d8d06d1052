"""The way of a message from the broker's bytes to alarms and store, without either: what fuzzing drives.

Whatever arrives has one of the fates, and everything that comes of it can be written down: as UTF-8, as one line for
the store, as a checkpoint of the engine's memory.
"""

from collections.abc import Sequence

import msgspec

from ingest.alarms.engine import Engine
from ingest.alarms.transitions import Transition
from ingest.decoding import Decoder, Unregistered
from ingest.outcomes import AnyOutcome
from ingest.records import RETRY, TICK, Record
from ingest.store.line_protocol import line
from tests.devices.small_city import NOW_MS, SITE

RawMessage = tuple[bytes, bytes]
# The journal's own records; no subscription of a site lets a message of such a topic in.
_OWN = {TICK.encode(), RETRY.encode()}
_FATES = {"decoded", "duplicate", "quarantined"}


class Way:
    """One collector's decoder and engine, as after a start."""

    def __init__(self) -> None:
        self._decoder = Decoder(SITE, Unregistered())
        self._engine = Engine(SITE)
        self._position = 0

    def go(self, messages: Sequence[RawMessage], together: bool = True) -> tuple[list[AnyOutcome], list[Transition]]:
        """Let messages pass, in one batch or each by itself, and check what every later hand relies on."""
        records = [self._journaled(*message) for message in messages if message[0] not in _OWN]
        outcomes: list[AnyOutcome] = (
            self._decoder.outcomes(records) if together else [self._decoder.outcome(each) for each in records]
        )
        batches = [outcomes] if together else [[outcome] for outcome in outcomes]
        transitions = [transition for batch in batches for transition in self._engine.feed(batch)]
        for outcome in outcomes:
            _check(outcome)
        for transition in transitions:
            msgspec.msgpack.encode(transition)
            f"{transition.point} {transition.device} {transition.rule}".encode()
        self._engine.memory.encoded(self._engine.memory.changed)
        return outcomes, transitions

    def _journaled(self, topic: bytes, payload: bytes) -> Record:
        self._position += 1
        try:
            text = topic.decode()
        except UnicodeDecodeError:
            text = repr(topic)
        kept: tuple[str, bytes] = msgspec.msgpack.decode(
            msgspec.msgpack.encode((text, payload)), type=tuple[str, bytes]
        )
        return Record(self._position, NOW_MS + self._position, *kept)


def judged(messages: Sequence[RawMessage]) -> list[str]:
    """Return the fates of messages, delivered once, once more, and in batches of another size."""
    way = Way()
    outcomes, transitions = way.go(messages)
    again, _ = way.go(messages)
    alone, same = Way().go(messages, together=False)
    assert [outcome.fate for outcome in alone] == [outcome.fate for outcome in outcomes]
    assert same == transitions, "the same journal gives the same alarms, whatever the batches"
    assert all(outcome.fate in _FATES for outcome in again)
    return [outcome.fate for outcome in outcomes]


def _check(outcome: AnyOutcome) -> None:
    assert outcome.fate in _FATES
    assert outcome.reason != "failure", outcome.sentence
    assert (outcome.fate == "quarantined") == bool(outcome.reason and outcome.sentence)
    assert outcome.fate != "duplicate" or not outcome.readings
    for text in (outcome.topic, outcome.kind, outcome.device, outcome.reason, outcome.sentence):
        text.encode()
    for reading in outcome.readings:
        written = line(reading)
        written.encode()
        assert "\n" not in written
