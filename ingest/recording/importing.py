"""A recording, or a CSV of messages, into a journal of its own."""

import csv
import os
import shutil
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from pathlib import Path

from devices.errors import RecordingError, shown
from devices.points import MAX_BYTES
from devices.recording import Message, Reader
from devices.site import Site
from ingest.errors import InstantError
from ingest.instants import instant
from ingest.journal import Journal
from ingest.places import Places
from ingest.recording.exporting import Progress
from ingest.recording.scope import Scope, of_header
from ingest.records import TICK, of_the_city

_SECOND_MS = 1_000
_BLOCK = 10_000
# Each second of the span becomes a tick.
_MOST_S = 366 * 86_400
# A payload of 1 MiB, in base64 or with every quote doubled.
csv.field_size_limit(2 * MAX_BYTES)
_COLUMNS = ("received_at", "topic")
_BODIES = ("payload", "payload_base64")
# What MQTT allows of a topic that is published to.
_TOPIC_BYTES = 65_535
_WILD = frozenset("+#\0")


@dataclass(frozen=True, slots=True)
class Imported:
    """How many messages came in, and what a reader should know."""

    messages: int
    warnings: tuple[str, ...] = ()


def import_file(site: Site, path: Path, folder: Path, progress: Progress) -> Imported:
    """Make a data folder whose journal holds a recording; on any fault the folder stays as it was.

    Raises:
        RecordingError: the folder is not empty, or the file cannot be used.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RecordingError(f"{folder} is not empty; a recording is brought into a new or empty folder")
    if not path.is_file():
        raise RecordingError(f"{path}: no such file")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-importing-"))
    except OSError as error:
        raise RecordingError(f"{folder} cannot be filled: {error}") from error
    try:
        found = _fill(site, path, Places(beside).journal, progress)
        os.rename(beside, folder)
    except OSError as error:
        raise RecordingError(f"{folder} cannot be filled: {error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return found


def _fill(site: Site, path: Path, journal_folder: Path, progress: Progress) -> Imported:
    journal = Journal(journal_folder, durable=False)
    taken = 0
    warnings: tuple[str, ...] = ()
    try:
        if path.suffix.lower() == ".csv":
            rows = _rows(path, site)
            blocks, whole = _blocks(_ticked(rows)), len(rows)
            scope = Scope(heard_only=True)
        else:
            reader = Reader(path)
            check_kinds(reader, site)
            blocks, whole = reader.blocks(), 0
            scope = of_header(reader.header)
            warnings = scope.warnings(site)
        scope.note(journal_folder)
        for block in blocks:
            parts = [
                ([(each.topic, each.payload) for each in part], part[0].received_ms) for part in _by_instant(block)
            ]
            journal.append_each(parts)
            taken += sum(message.topic != TICK for message in block)
            progress(taken, whole or taken)
    finally:
        journal.close()
    if not taken:
        raise RecordingError(f"{path} holds no message")
    return Imported(taken, warnings)


def check_kinds(reader: Reader, site: Site) -> None:
    """Check that a site knows the kinds of a recording.

    Raises:
        RecordingError: it has a kind the site does not know.
    """
    unknown = sorted(reader.header.kinds.keys() - site.catalog.kinds.keys())
    if unknown:
        raise RecordingError(
            f"the recording has the kind {', '.join(unknown)}, which this site does not know; name a site file whose "
            "[site] kinds has it"
        )


def _by_instant(messages: list[Message]) -> Iterator[list[Message]]:
    part: list[Message] = []
    for message in messages:
        if part and message.received_ms != part[0].received_ms:
            yield part
            part = []
        part.append(message)
    if part:
        yield part


def _rows(path: Path, site: Site) -> list[Message]:
    """Read a CSV of messages, in order of their receipt."""
    found = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            columns = rows.fieldnames or ()
            body = next((name for name in _BODIES if name in columns), None)
            if body is None or any(name not in columns for name in _COLUMNS):
                raise RecordingError(f"{path}: expected the columns received_at, topic and payload (or payload_base64)")
            for row in rows:
                if None in row or None in row.values():
                    cells = sum(value is not None for key, value in row.items() if key) + len(row.get(None, ()))
                    raise RecordingError(f"{path}, line {rows.line_num}: {cells} cells, expected {len(columns)}")
                found.append(_message(row, body, f"{path}, line {rows.line_num}", site))
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(f"{path} is no CSV in UTF-8: {error}") from error
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from error
    return sorted(found, key=lambda message: message.received_ms)


def _message(row: dict[str, str | None], body: str, where: str, site: Site) -> Message:
    at, topic, payload = row["received_at"] or "", row["topic"] or "", row[body] or ""
    if not topic or not of_the_city(topic):
        raise RecordingError(f"{where}: topic {topic!r} is no topic of a device")
    if not _WILD.isdisjoint(topic) or len(topic.encode()) > _TOPIC_BYTES:
        raise RecordingError(f"{where}: topic {shown(topic)} is none that a device can send to")
    received_ms = _received(at, where, site)
    if body == "payload":
        return Message(received_ms, topic, payload.encode())
    try:
        return Message(received_ms, topic, b64decode(payload, validate=True))
    except ValueError as error:
        raise RecordingError(f"{where}: payload_base64 is not base64: {error}") from error


def _received(at: str, where: str, site: Site) -> int:
    if at.isdecimal() and at.isascii() and len(at) == 13:
        return int(at)
    try:
        return instant(at, f"{where}: received_at", site.timezone)
    except InstantError as error:
        raise RecordingError(f"{error}, or epoch ms of 13 digits") from error


def _blocks(messages: Iterator[Message]) -> Iterator[list[Message]]:
    while block := list(islice(messages, _BLOCK)):
        yield block


def _ticked(messages: list[Message]) -> Iterator[Message]:
    """Add a tick a second: whoever wrote these messages down was listening all the time."""
    if not messages:
        return iter(())
    first, last = messages[0].received_ms // _SECOND_MS, messages[-1].received_ms // _SECOND_MS
    if last - first > _MOST_S:
        begin, end = (datetime.fromtimestamp(at, UTC).date() for at in (first, last))
        raise RecordingError(f"the rows reach from {begin} to {end}: expected at most a year; is one of them mistyped?")
    ticks = (Message(second * _SECOND_MS, TICK, b"") for second in range(first + 1, last + 1))
    return merge(messages, ticks, key=lambda message: message.received_ms)
