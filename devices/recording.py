"""The file of a recording: gzip around a header, blocks of messages and a trailer (docs/recordings.md).

The header is one line of JSON. A block is its length and CRC-32 (4 bytes each, big-endian) and a MessagePack array of
(receive time in epoch ms, topic, payload). A block of length 0 ends them, and one line of JSON says how many messages
there were: a file that was cut off does not pass for a whole one.
"""

import gzip
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from devices.catalog import Catalog
from devices.errors import RecordingError
from devices.kind import Kind
from devices.site import Site

# A collector's own mark, once a second: it was listening.
TICK = "$tick"
# What else a collector notes for itself is no part of a recording: a reader would act on it.
_NOTES = frozenset({"$retry", "$rules"})
FORMAT, VERSION = "citydeck-recording", 1
_HEAD = struct.Struct("!II")
_HEADER_BYTES = 4 * 1024 * 1024
# Times have 13 digits until the year 2286.
_MOST_MS = 10**13
_BLOCK_BYTES = 256 * 1024 * 1024


class Message(NamedTuple):
    """One message as it was received; ticks of the collector have the topic ``$tick``."""

    received_ms: int
    topic: str
    payload: bytes


class Header(msgspec.Struct, kw_only=True):
    """What a recording says of itself: instants are epoch ms, ``kinds`` maps a kind to the version of its table.

    With ``heard_only`` nobody knows of devices that say nothing in it; ``digests`` tell the register it was made by.
    """

    format: str = FORMAT
    version: int = VERSION
    software: str
    site: dict[str, str]
    district: str
    timezone: str
    from_ms: int
    to_ms: int
    kinds: dict[str, str]
    only: dict[str, list[str]] = {}
    pseudonymised: bool = False
    shard: str = "main"
    heard_only: bool = False
    digests: dict[str, str] = {}


class _Mark(msgspec.Struct):
    """What comes first of any version's header."""

    format: str
    version: int | str


class _Trailer(msgspec.Struct):
    messages: int


# What JSON or MessagePack is that is none, or that goes deeper than any of ours.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Message]).decode
_mark = msgspec.json.Decoder(_Mark).decode
_header = msgspec.json.Decoder(Header).decode
_trailer = msgspec.json.Decoder(_Trailer).decode


def versions(catalog: Catalog, kinds: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the version of the tables of kinds, by what their messages may hold."""
    return {key: _version(kind) for key, kind in sorted(catalog.kinds.items()) if not kinds or key in kinds}


def _version(kind: Kind) -> str:
    fields = [
        (measurement.key, measurement.channels, [(f.key, f.type, f.unit, f.low, f.high) for f in measurement.fields])
        for measurement in kind.measurements
    ]
    return blake2b(repr(fields).encode(), digest_size=6).hexdigest()


def digests(site: Site) -> dict[str, str]:
    """Return what tells a site's register from another one: that of its devices, and of all that limits them."""
    limits = [
        (
            key,
            kind.stale_after_s,
            kind.no_data,
            kind.groups,
            [(f.key, f.limits) for m in kind.measurements for f in m.fields],
        )
        for key, kind in sorted(site.catalog.kinds.items())
    ]
    return {"devices": _digest(sorted(site.devices.items())), "limits": _digest([limits, site.scoped])}


def _digest(found: object) -> str:
    return blake2b(msgspec.json.encode(found, order="deterministic"), digest_size=6).hexdigest()


class Writer:
    """Writes a recording; the file is whole only after ``close``."""

    def __init__(self, path: Path, header: Header) -> None:
        """Begin a file.

        Raises:
            RecordingError: it exists already or cannot be written.
        """
        self._path = path
        self.messages = 0
        try:
            self._file = gzip.GzipFile(path, "xb", compresslevel=6, mtime=0)
        except FileExistsError:
            raise RecordingError(f"{path}: exists already; name another file") from None
        except OSError as error:
            raise RecordingError(f"{path}: cannot be written: {error}") from error
        self._put(msgspec.json.encode(header) + b"\n")

    def write(self, messages: Sequence[Message]) -> None:
        """Add a block of messages.

        Raises:
            RecordingError: it cannot be written.
        """
        if messages:
            body = _encode(messages)
            self._put(_HEAD.pack(len(body), zlib.crc32(body)) + body)
            self.messages += len(messages)

    def close(self) -> None:
        """End the file.

        Raises:
            RecordingError: it cannot be written.
        """
        self._put(_HEAD.pack(0, 0) + msgspec.json.encode(_Trailer(self.messages)) + b"\n")
        try:
            self._file.close()
        except OSError as error:
            raise RecordingError(f"{self._path}: cannot be written: {error}") from error

    def _put(self, body: bytes) -> None:
        try:
            self._file.write(body)
        except OSError as error:
            raise RecordingError(f"{self._path}: cannot be written: {error}") from error

    def abandon(self) -> None:
        """Remove what was written so far."""
        # What still waits to be written has no room on a full disk, and is not wanted.
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


class Reader:
    """Reads a recording."""

    def __init__(self, path: Path) -> None:
        """Open a file and read its header.

        Raises:
            RecordingError: there is none, or it is no recording, or one of a newer version.
        """
        self._path = path
        try:
            self._file = gzip.GzipFile(path, "rb")
        except OSError as error:
            raise RecordingError(f"{path}: cannot be opened: {error.strerror}") from error
        try:
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def blocks(self) -> Iterator[list[Message]]:
        """Yield the messages, block by block.

        Raises:
            RecordingError: the file is cut off or damaged; what was yielded before is in order.
        """
        found = 0
        while True:
            length, check = _HEAD.unpack(self._take(_HEAD.size))
            if length == 0:
                break
            if length > _BLOCK_BYTES:
                raise self._fault("is damaged: a block is impossibly long")
            body = self._take(length)
            if zlib.crc32(body) != check:
                raise self._fault("is damaged: a block does not have its check sum")
            try:
                messages = _decode(body)
            except _UNREADABLE as error:
                raise self._fault(f"is damaged: {error}") from error
            self._check(messages)
            found += len(messages)
            yield messages
        try:
            told = _trailer(self._line())
        except _UNREADABLE as error:
            raise self._fault("is cut off at its end") from error
        if told.messages != found:
            raise self._fault(f"holds {found} messages, and its end speaks of {told.messages}")
        if self._line():
            raise self._fault("goes on behind its end")

    def _check(self, messages: list[Message]) -> None:
        if not messages:
            raise self._fault("is damaged: a block is empty")
        for message in messages:
            if not 0 <= message.received_ms < _MOST_MS:
                raise self._fault(f"is damaged: a message was received at {message.received_ms} ms")
            if message.topic in _NOTES:
                raise self._fault(f"holds {message.topic!r}, which no device sends")

    def _read_header(self) -> Header:
        line = self._line()
        try:
            mark = _mark(line)
        except _UNREADABLE as error:
            raise self._fault("is no CityDeck recording") from error
        if mark.format != FORMAT:
            raise self._fault("is no CityDeck recording")
        # Who knows how later ones count.
        if isinstance(mark.version, str) or mark.version > VERSION:
            raise self._fault(f"is of version {mark.version}; this CityDeck reads up to {VERSION}")
        if mark.version < 1:
            raise self._fault(f"is of version {mark.version}; the first one is 1")
        try:
            header = _header(line)
        except _UNREADABLE as error:
            raise self._fault(f"has a header that cannot be read: {error}") from error
        self._check_header(header)
        return header

    def _check_header(self, header: Header) -> None:
        for name, at_ms in (("from_ms", header.from_ms), ("to_ms", header.to_ms)):
            if not 0 <= at_ms <= _MOST_MS:
                raise self._fault(f"has a header whose {name} is {at_ms}: expected epoch ms, at most {_MOST_MS}")
        if header.from_ms > header.to_ms:
            raise self._fault(f"has a header whose from_ms {header.from_ms} lies behind its to_ms {header.to_ms}")
        if missing := [name for name in ("zh", "en") if name not in header.site]:
            raise self._fault(f"has a header whose site has no name {' and '.join(missing)}")
        try:
            ZoneInfo(header.timezone)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise self._fault(
                f"has a header whose timezone is {header.timezone[:60]!r}: expected such as Asia/Shanghai"
            ) from error

    def _line(self) -> bytes:
        try:
            return self._file.readline(_HEADER_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise self._fault("is no CityDeck recording, or cut off") from error

    def _take(self, length: int) -> bytes:
        try:
            found = self._file.read(length)
        except (OSError, EOFError, zlib.error) as error:
            raise self._fault(f"is cut off or damaged: {error}") from error
        if len(found) < length:
            raise self._fault("is cut off")
        return found

    def _fault(self, what: str) -> RecordingError:
        return RecordingError(f"{self._path} {what}")
