"""What the journal still holds of a device, as it came; journals are of the machine where the collector runs."""

import re
from collections.abc import Sequence, Set
from pathlib import Path

from devices.site import Site
from ingest.errors import JournalError
from ingest.evidence.gathered import Gone, RawMessages
from ingest.evidence.span import Span
from ingest.journal import Journal
from ingest.places import MAIN, Places
from ingest.records import Record

_NATIVE = "city/v1/"


def raw_messages(site: Site, places: Places, devices: Sequence[str], span: Span) -> tuple[RawMessages, list[Gone]]:
    """Return the messages of some devices received in a span, and what of them is gone."""
    records: list[tuple[str, Record]] = []
    kept_from: dict[str, int] = {}
    gone: list[Gone] = []
    foreign = [_number(site, device) for device in devices]
    for shard, folder in _journals(site, places):
        if not any(folder.glob("[0-9]*.db")):
            continue
        try:
            journal = Journal(folder)
            try:
                first = journal.first()
                if not first:
                    continue
                kept_from[shard] = journal.read(first - 1, 1)[0].received_ms
                records += [(shard, each) for each in _of(journal, devices, [n for n in foreign if n], span)]
            finally:
                journal.close()
        except JournalError as error:
            gone.append(Gone("journal_damaged", {"detail": str(error)}))
    begins = min(kept_from.values(), default=None)
    if begins is None:
        if not gone:
            gone.append(Gone("journal_none"))
    elif begins >= span.to_ms:
        gone.append(Gone("journal_gone", {"at": begins}))
    else:
        if begins > span.from_ms:
            gone.append(Gone("journal_from", {"at": begins}))
        if not records:
            gone.append(Gone("journal_silent"))
    return RawMessages(tuple(records), kept_from), gone


def _journals(site: Site, places: Places) -> list[tuple[str, Path]]:
    if not site.shards:
        return [(MAIN, places.journal)]
    return [(name, places.for_shard(name).journal) for name in site.shards]


def _number(site: Site, device: str) -> str:
    """Return the number under which a device of another format speaks, empty for none."""
    found = site.devices.get(device)
    return found.foreign.partition(":")[2] if found is not None else ""


def _of(journal: Journal, devices: Sequence[str], numbers: Sequence[str], span: Span) -> list[Record]:
    names = [name.encode() for name in (*devices, *numbers)]
    if not names:
        return []
    # A name is not part of a longer one.
    named = re.compile(rb"(?<![\w.-])(?:" + b"|".join(map(re.escape, names)) + rb")(?![\w-])")
    return [
        record
        for record in journal.mentioning(names, span.from_ms, span.to_ms)
        if _is_of(record, frozenset(devices), named)
    ]


def _is_of(record: Record, devices: Set[str], named: re.Pattern[bytes]) -> bool:
    if record.topic.startswith(_NATIVE):
        parts = record.topic.split("/")
        return len(parts) > 4 and parts[4] in devices
    # What the collector wrote for itself is not of the city.
    return not record.topic.startswith("$") and bool(
        named.search(record.payload) or named.search(record.topic.encode())
    )
