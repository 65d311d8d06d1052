"""A span of the journal into a file."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from devices.errors import RecordingError
from devices.recording import Header, Message, Writer, versions
from devices.site import Site
from ingest.comparison import position_at
from ingest.decoding import Decoder, Unregistered
from ingest.journal import Journal
from ingest.recording.pseudonyms import Pseudonyms
from ingest.records import TICK, Record, of_the_city

Progress = Callable[[int, int], None]
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What to take: received in [from, to) (epoch ms), of some kinds and districts (none named: all)."""

    from_ms: int
    to_ms: int
    kinds: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()
    pseudonymise: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """How many messages went into the file, and how many could not because names in them could not be found."""

    messages: int
    left_out: int


def export(site: Site, shard: str, journal_folder: Path, path: Path, wish: Wish, progress: Progress) -> Exported:
    """Write a recording; a file that could not be finished is removed.

    Raises:
        RecordingError: the span is empty or turned round, a kind is unknown, or the file cannot be written.
        JournalError: the journal cannot be read.
    """
    if wish.from_ms >= wish.to_ms:
        raise RecordingError("--from must lie before --to")
    unknown = wish.kinds - site.catalog.kinds.keys()
    if unknown:
        raise RecordingError(f"no kind {', '.join(sorted(unknown))}; known are {', '.join(sorted(site.catalog.kinds))}")
    if not any(journal_folder.glob("[0-9]*.db")):
        raise RecordingError(f"{journal_folder} holds no journal")
    journal = Journal(journal_folder)
    first, behind = position_at(journal, wish.from_ms), position_at(journal, wish.to_ms)
    if first >= behind:
        raise RecordingError("nothing was received in that span")
    only = {"kind": sorted(wish.kinds), "district": sorted(wish.districts)}
    writer = Writer(
        path,
        Header(
            software=f"citydeck {version('citydeck')}",
            site={"zh": site.label.zh, "en": site.label.en},
            district=site.district,
            timezone=site.timezone.key,
            from_ms=wish.from_ms,
            to_ms=wish.to_ms,
            kinds=versions(site.catalog, wish.kinds),
            only={what: names for what, names in only.items() if names},
            pseudonymised=wish.pseudonymise,
            shard=shard,
        ),
    )
    taken = 0
    names = Pseudonyms(site, secrets.token_bytes(32)) if wish.pseudonymise else None
    try:
        after = first - 1
        while after + 1 < behind:
            records = [record for record in journal.read(after, _BATCH) if record.position < behind]
            after = records[-1].position
            messages = [Message(r.received_ms, r.topic, r.payload) for r in _wanted(site, records, wish)]
            if names is not None:
                messages = [*_under_pseudonyms(messages, names)]
            writer.write(messages)
            taken += sum(message.topic != TICK for message in messages)
            progress(after + 1 - first, behind - first)
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    finally:
        journal.close()
    return Exported(taken, 0 if names is None else names.left_out)


def _wanted(site: Site, records: list[Record], wish: Wish) -> Iterator[Record]:
    # What the collector wrote for itself is not of the city, but for the ticks: they say that it listened.
    heard = [record for record in records if record.topic == TICK or of_the_city(record.topic)]
    if not wish.kinds and not wish.districts:
        yield from heard
        return
    decoder = Decoder(site, Unregistered())
    for record in heard:
        if record.topic == TICK:
            yield record
            continue
        outcome = decoder.outcome(record)
        districts = {reading.district for reading in outcome.readings}
        if (not wish.kinds or outcome.kind in wish.kinds) and (not wish.districts or districts & wish.districts):
            yield record


def _under_pseudonyms(messages: list[Message], names: Pseudonyms) -> Iterator[Message]:
    for message in messages:
        if message.topic == TICK:
            yield message
            continue
        found = names.of(message.topic, message.payload)
        if found is not None:
            yield Message(message.received_ms, *found)
