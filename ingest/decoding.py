"""Journal records → outcomes: each message is decoded, a repeat, or in quarantine; exactly one of the three."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from devices.decode import decode
from devices.errors import Undecodable
from devices.readings import Decoded, Reading
from devices.site import Site
from ingest.journal import AWAY, TICK, Record
from ingest.repeats import Repeats

log = logging.getLogger(__name__)

Fate = Literal["tick", "decoded", "duplicate", "quarantined"]
NEW_PER_HOUR = 1_000
_HOUR_MS = 3_600_000


@dataclass(slots=True)
class Outcome:
    """What became of one record.

    A quarantined message may still have readings: those of its fields that could be read.
    """

    position: int
    received_ms: int
    topic: str
    fate: Fate
    kind: str = ""
    device: str = ""
    readings: Sequence[Reading] = ()
    status: bool | None = None
    reason: str = ""
    sentence: str = ""
    unknown: int = 0


@dataclass
class Unregistered:
    """Devices the site does not list: admitted up to 1,000 new ones an hour of journal time.

    ``admitted`` maps a device to the position of its first message; up to ``judged`` all is decided, so a second
    reading of the journal (a restart, a store that lags) decides alike and admits nobody.
    """

    admitted: dict[str, int] = field(default_factory=dict)
    fresh: dict[str, int] = field(default_factory=dict)
    hour: int = 0
    count: int = 0
    judged: int = 0

    def admits(self, device: str, position: int, received_ms: int) -> bool:
        """Tell whether a device may come in, and remember it if so."""
        known = self.admitted.get(device)
        if known is not None:
            return known <= position
        if position <= self.judged:
            return False
        self.judged = position
        hour = received_ms // _HOUR_MS
        if hour != self.hour:
            self.hour, self.count = hour, 0
        if self.count >= NEW_PER_HOUR:
            return False
        self.count += 1
        self.admitted[device] = self.fresh[device] = position
        return True


class Decoder:
    """Decodes records in journal order; holds the window of repeats."""

    def __init__(self, site: Site, unregistered: Unregistered) -> None:
        self._site = site
        self._unregistered = unregistered
        self._repeats = Repeats()
        self._faults: set[str] = set()

    def prime(self, records: Iterable[Record]) -> None:
        """Restore the window of repeats from records before the ones to come."""
        for record in records:
            self.outcome(record)

    def outcome(self, record: Record) -> Outcome:
        """Decide what becomes of one record; never raises, whatever the bytes."""
        position, received_ms, topic, payload = record
        if topic == TICK:
            return Outcome(position, received_ms, topic, "tick", status=payload != AWAY)
        try:
            decoded = decode(topic, payload, received_ms, position, self._site)
        except Undecodable as error:
            return _unread(record, error.reason, str(error))
        except Exception as error:  # a fault of ours, or of a kind file, must not stop the city
            name = type(error).__name__
            if name not in self._faults:
                self._faults.add(name)
                log.exception(
                    "decoding failed, the message goes to quarantine position=%d topic=%.200r", position, topic
                )
            return _unread(record, "failure", f"decoding failed: {name}: {error}")
        return self._judged(record, decoded)

    def _judged(self, record: Record, decoded: Decoded) -> Outcome:
        position, received_ms, topic, _ = record
        readings: list[Reading] = []
        repeats = 0
        for key, found in decoded.parts:
            if self._repeats.seen(key, position, received_ms, decoded.foreign):
                repeats += 1
            else:
                readings.extend(found)
        outcome = Outcome(
            position,
            received_ms,
            topic,
            "decoded",
            decoded.kind,
            decoded.device,
            readings,
            decoded.status,
            unknown=decoded.unknown,
        )
        if decoded.parts and repeats == len(decoded.parts):
            outcome.fate = "duplicate"
            outcome.status = None
            return outcome
        if (
            decoded.device
            and decoded.device not in self._site.devices
            and not self._unregistered.admits(decoded.device, position, received_ms)
        ):
            outcome.fate, outcome.readings, outcome.reason = "quarantined", (), "unregistered"
            outcome.sentence = (
                f"{decoded.device} is not registered, and {NEW_PER_HOUR} new devices came this hour already"
            )
        elif decoded.faults:
            outcome.fate, outcome.reason = "quarantined", decoded.faults[0].reason
            outcome.sentence = "; ".join(fault.sentence for fault in decoded.faults[:5])
        return outcome


def _unread(record: Record, reason: str, sentence: str) -> Outcome:
    position, received_ms, topic, _ = record
    device = topic.split("/")[-2][:64] if topic.count("/") >= 1 else ""
    return Outcome(position, received_ms, topic, "quarantined", device=device, reason=reason, sentence=sentence)
