"""Journal records → outcomes: each message is decoded, a repeat, or in quarantine; exactly one of the three."""

import logging
from collections.abc import Container, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
import numpy as np

from devices.decode import decode
from devices.errors import Undecodable
from devices.points import FUTURE_MS
from devices.quick import common, plain, whole
from devices.readings import Decoded, Reading
from devices.site import Site, Way
from ingest import repeats
from ingest.alarms.own_kind import KIND as OWN_KIND
from ingest.alarms.own_kind import own_device
from ingest.alarms.revisions.revision import unpacked as unpacked_revision
from ingest.gathering import gathered
from ingest.lanewise import Instants, Mask
from ingest.outcomes import Batch, Outcome
from ingest.quarantine import Origin
from ingest.records import RETRY, RULES, TICK, Record, Records, read_tick
from ingest.repeats import Repeats
from ingest.sheets import Sheet
from ingest.watchdog import read_beat

log = logging.getLogger(__name__)

NEW_PER_HOUR = 1_000
MOST_UNREGISTERED = 50_000
_HOUR_MS = 3_600_000
# Behind every position: whoever looks back admits nobody.
_NEVER = 2**63
_NO_INSTANTS: Instants = np.empty(0, dtype=np.int64)
_decode_again = msgspec.msgpack.Decoder(tuple[Origin, str, bytes]).decode


@dataclass
class Unregistered:
    """Devices the site does not list: admitted up to ``per_hour`` new ones an hour of journal time, None for all.

    Whoever makes up names for months must not fill the memory: where new ones are bounded, so are all together.
    ``admitted`` maps a device to the position of its first message; up to ``judged`` all is decided, so a second
    reading of the journal (a restart, a store that lags) decides alike and admits nobody.
    """

    admitted: dict[str, int] = field(default_factory=dict)
    fresh: dict[str, int] = field(default_factory=dict)
    hour: int = 0
    count: int = 0
    judged: int = 0
    per_hour: int | None = NEW_PER_HOUR

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
        if self.per_hour is not None and (self.count >= self.per_hour or self.full):
            return False
        self.count += 1
        self.admitted[device] = self.fresh[device] = position
        return True

    @property
    def full(self) -> bool:
        """Whether there are as many as there may be at all."""
        return len(self.admitted) >= MOST_UNREGISTERED


class Decoder:
    """Decodes records in journal order; holds the window of repeats."""

    def __init__(self, site: Site, unregistered: Unregistered) -> None:
        self._site = site
        self._unregistered = unregistered
        self._repeats = Repeats(site.lane)
        self._faults: set[str] = set()

    def prime(self, records: Iterable[Record], quarantined: Container[int] | None = None) -> None:
        """Restore the window of repeats from records before the ones to come.

        ``quarantined`` are the positions of messages in quarantine: what could not be read then was not decoded, even
        if it can be read now, and when it comes again it is news.
        """
        now = Decoder(self._site, Unregistered(dict(self._unregistered.admitted), judged=_NEVER))
        for record in records:
            if quarantined is None:
                never_read = False
            elif record.topic == RETRY:
                never_read = unpacked(record.payload)[0].position in quarantined
            else:
                never_read = record.position in quarantined and now.outcome(record).fate != "quarantined"
            if not never_read:
                self.outcome(record)

    def outcome(self, record: Record) -> Outcome:
        """Decide what becomes of one record; never raises, whatever the bytes."""
        position, received_ms, topic, payload = record
        if topic == TICK:
            connected, own = read_tick(payload)
            return Outcome(position, received_ms, topic, "tick", status=connected, own=own)
        if topic == RETRY:
            return self._again(record)
        if topic == RULES:
            return Outcome(position, received_ms, topic, "tick", revision=unpacked_revision(payload))
        try:
            decoded = decode(topic, payload, received_ms, position, self._site)
        except Undecodable as error:
            return beat_of(record) or _unread(record, error.reason, str(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours, or of a kind file, must not stop the city
            return self._failed(record, error)
        return self._judged(record, decoded)

    def outcomes(self, records: Sequence[Record]) -> Batch:
        """Decide what becomes of records one behind the other, as ``outcome`` does of each."""
        if not records:
            return Batch(_NO_INSTANTS, _NO_INSTANTS, {}, [])
        records = Records.of(records)
        positions, received_ms = records.positions, records.received_ms
        topics, payloads = records.topics, records.payloads
        single: dict[int, Outcome] = {}
        sheets: list[Sheet] = []
        for start, stop in _spans(positions):
            failed: dict[int, Exception] = {}
            tried, others = gathered(self._site, topics[start:stop], payloads[start:stop], start, failed)
            single.update({index: self._failed(records[index], error) for index, error in failed.items()})
            apart = {way.lane for way in others.values() if way is not None}
            for sheet in tried:
                sheet.align(received_ms)
                others.update(sheet.keep(self._news(sheet, apart, int(positions[start]))))
            for index in sorted(others):
                single[index] = self._single(records[index], others[index])
            sheets += [sheet for sheet in tried if sheet.indexes]
        for sheet in sheets:
            sheet.fill(positions)
        return Batch(positions, received_ms, dict(sorted(single.items())), sheets)

    def _news(self, sheet: Sheet, apart: AbstractSet[str], position: int) -> Mask:
        """Tell which rows of a sheet are surely news, and no further ahead than may be.

        Of the lanes ``apart`` other messages come one by one: all of theirs must, to stay in order.
        """
        odd = sheet.at_ms > sheet.received_ms + FUTURE_MS
        if apart:
            odd |= [way.lane in apart for way in sheet.ways]
        if not odd.any():
            return self._repeats.newer(
                position, sheet.lanes, sheet.lanewise, sheet.at_ms, sheet.seqs, sheet.received_ms
            )
        found = ~np.isin(sheet.places, sheet.places[odd])
        rest = (each[found] for each in (sheet.at_ms, sheet.seqs, sheet.received_ms))
        found[found] = self._repeats.newer(position, sheet.lanes, sheet.lanewise.of(found), *rest)
        return found

    def _single(self, record: Record, way: Way | None) -> Outcome:
        """Decide what becomes of a record by itself; of a known topic the quick way where it can be gone."""
        if way is None:
            return self.outcome(record)
        position, received_ms, topic, payload = record
        try:
            said = common(way, payload, received_ms)
            read = None if said is None else plain(way, topic, payload, said, received_ms, position)
        except Exception as error:  # noqa: BLE001 - as in outcome()
            return self._failed(record, error)
        if read is None:
            return self.outcome(record)
        key, readings, seq = read
        if not way.registered or not self._repeats.fresh(key, position, received_ms):
            return self._judged(record, whole(way, read))
        return Outcome(position, received_ms, topic, "decoded", way.kind, way.device, readings, seq)

    def _again(self, record: Record) -> Outcome:
        """Decide on a message of before: read with its own receive time and place, judged with those of now."""
        origin, topic, payload = unpacked(record.payload)
        now = Record(record.position, record.received_ms, topic, payload)
        try:
            decoded = decode(topic, payload, origin.received_ms, origin.position, self._site)
        except Undecodable as error:
            outcome = _unread(now, error.reason, str(error))
        except Exception as error:  # noqa: BLE001 - as in outcome()
            outcome = self._failed(now, error)
        else:
            # Part of it may have been read the first time: it repeats only what was tried again before.
            decoded.parts = [(f"{RETRY} {key}" if key else "", found) for key, found in decoded.parts]
            outcome = self._judged(now, decoded)
            # Of the device as it is now an old message says nothing.
            outcome.status, outcome.seq, outcome.ahead_ms = None, None, 0
            for reading in outcome.readings:
                reading.position, reading.history = record.position, True
        outcome.origin = origin
        return outcome

    def _failed(self, record: Record, error: Exception) -> Outcome:
        name = type(error).__name__
        if name not in self._faults:
            self._faults.add(name)
            log.error(
                "decoding failed, the message goes to quarantine position=%d topic=%.200r",
                record.position, record.topic, exc_info=error,
            )  # fmt: skip
        return _unread(record, "failure", f"decoding failed: {name}: {error}")

    def _judged(self, record: Record, decoded: Decoded) -> Outcome:
        position, received_ms, topic, _ = record
        device = decoded.device
        repeats = 0
        readings: Sequence[Reading]
        if len(decoded.parts) == 1:
            ((key, readings),) = decoded.parts
            if self._repeats.seen(key, position, received_ms, decoded.foreign):
                repeats, readings = 1, ()
        else:
            news = []
            for key, found in decoded.parts:
                if self._repeats.seen(key, position, received_ms, decoded.foreign):
                    repeats += 1
                else:
                    news.extend(found)
            readings = news
        outcome = Outcome(
            position, received_ms, topic, "decoded", decoded.kind, device, readings, decoded.seq, decoded.status,
            unknown=decoded.unknown, ahead_ms=decoded.ahead_ms,
        )  # fmt: skip
        if decoded.parts and repeats == len(decoded.parts):
            outcome.fate = "duplicate"
            outcome.status = None
            return outcome
        if device and device not in self._site.devices and not self._unregistered.admits(device, position, received_ms):
            outcome.fate, outcome.readings, outcome.reason = "quarantined", (), "unregistered"
            already = f"{NEW_PER_HOUR:,} new devices came this hour already"
            if self._unregistered.full:
                already = f"{MOST_UNREGISTERED:,} others are not, either; register the devices that are yours"
            outcome.sentence = f"{device} is not registered, and {already}"
        elif decoded.faults:
            outcome.fate, outcome.reason = "quarantined", decoded.faults[0].reason
            outcome.sentence = "; ".join(fault.sentence for fault in decoded.faults[:5])
        return outcome


def beat_of(record: Record) -> Outcome | None:
    """Return the outcome of a watchdog's message, None for any other."""
    position, received_ms, topic, payload = record
    sent = read_beat(topic, payload)
    if sent is None:
        return None
    shard, at_ms = sent
    own = {"watchdog": max(0.0, (received_ms - at_ms) / 1000)}
    return Outcome(position, received_ms, topic, "decoded", OWN_KIND, own_device(shard), own=own)


def packed(origin: Origin, topic: str, payload: bytes) -> bytes:
    """Return the payload of a record that tries a message again."""
    return msgspec.msgpack.encode((origin, topic, payload))


def unpacked(payload: bytes) -> tuple[Origin, str, bytes]:
    """Return what such a record holds."""
    return _decode_again(payload)


def _spans(positions: Instants) -> list[tuple[int, int]]:
    """Return from where to where records are of one block of positions."""
    blocks = positions // repeats.BLOCK
    if blocks[0] == blocks[-1]:
        return [(0, len(positions))]
    return list(pairwise([0, *(np.flatnonzero(blocks[1:] != blocks[:-1]) + 1).tolist(), len(positions)]))


def _unread(record: Record, reason: str, sentence: str) -> Outcome:
    position, received_ms, topic, _ = record
    device = topic.split("/")[-2][:64] if topic.count("/") >= 1 else ""
    return Outcome(position, received_ms, topic, "quarantined", device=device, reason=reason, sentence=sentence)
