"""A span of the journal into a file."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec

from devices.errors import RecordingError
from devices.recording import Header, Message, Writer, digests, versions
from devices.site import Site
from ingest.comparison import position_at
from ingest.journal import Journal
from ingest.places import MAIN
from ingest.recording.choosing import Choice
from ingest.recording.pseudonyms import Pseudonyms
from ingest.recording.scope import Scope, of_journal
from ingest.records import TICK, Record, Records, of_the_city

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
        RecordingError: the span holds nothing or is turned round, a kind or district is unknown, or the file cannot be
            written.
        JournalError: the journal cannot be read.
    """
    if wish.from_ms >= wish.to_ms:
        raise RecordingError("--from must lie before --to")
    for what, wanted, known in (
        ("kind", wish.kinds, site.catalog.kinds.keys()),
        ("district", wish.districts, {district.key for district in site.districts}),
    ):
        if unknown := wanted - known:
            raise RecordingError(f"no {what} {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
    if not any(journal_folder.glob("[0-9]*.db")):
        raise RecordingError(f"{journal_folder} holds no journal")
    scope = _limited(of_journal(journal_folder), wish)
    journal = Journal(journal_folder)
    first, behind = position_at(journal, wish.from_ms), position_at(journal, wish.to_ms)
    if first >= behind:
        raise RecordingError("nothing was received in that span")
    writer = Writer(
        path,
        Header(
            software=f"citydeck {version('citydeck')}",
            site={"zh": site.label.zh, "en": site.label.en},
            district=site.district,
            timezone=site.timezone.key,
            from_ms=wish.from_ms,
            to_ms=wish.to_ms,
            kinds=versions(site.catalog, frozenset(scope.only.get("kind", ()))),
            only=scope.only,
            pseudonymised=scope.pseudonymised,
            shard=scope.shard if shard == MAIN else shard,
            heard_only=scope.heard_only,
            # By which register a CSV was written nobody knows.
            digests=scope.digests or ({} if scope.heard_only else digests(site)),
        ),
    )
    taken = 0
    choice = Choice(site, wish.kinds, wish.districts)
    names = Pseudonyms(site, secrets.token_bytes(32)) if wish.pseudonymise else None
    try:
        after = first - 1
        while after + 1 < behind:
            records = journal.read(after, _BATCH).upto(behind - 1)
            after = records[-1].position
            messages = [Message(r.received_ms, r.topic, r.payload) for r in _wanted(records, choice)]
            if names is not None:
                messages = [*_under_pseudonyms(messages, names)]
            writer.write(messages)
            taken += sum(message.topic != TICK for message in messages)
            progress(after + 1 - first, behind - first)
        if not taken:
            raise RecordingError(_nothing(wish, names.left_out if names is not None else 0))
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    finally:
        journal.close()
    return Exported(taken, 0 if names is None else names.left_out)


def _limited(scope: Scope, wish: Wish) -> Scope:
    """Return of whom a part of a journal speaks that may itself have been filled from a part."""
    only = dict(scope.only)
    for what, wanted in (("kind", wish.kinds), ("district", wish.districts)):
        if wanted:
            only[what] = sorted(wanted & set(only.get(what) or wanted))
    return msgspec.structs.replace(scope, only=only, pseudonymised=scope.pseudonymised or wish.pseudonymise)


def _nothing(wish: Wish, left_out: int) -> str:
    whose = " of such devices" if wish.kinds or wish.districts else ""
    but = f" but {left_out} that could not be read for names" if left_out else ""
    return f"no message{whose} was received in that span{but}"


def _wanted(records: Records, choice: Choice) -> Iterator[Record]:
    for record in records:
        # What the collector wrote for itself is not of the city, but for the ticks: they say that it listened.
        if record.topic == TICK or (of_the_city(record.topic) and choice.takes(record.topic, record.payload)):
            yield record


def _under_pseudonyms(messages: list[Message], names: Pseudonyms) -> Iterator[Message]:
    for message in messages:
        if message.topic == TICK:
            yield message
            continue
        found = names.of(message.topic, message.payload)
        if found is not None:
            yield Message(message.received_ms, *found)
