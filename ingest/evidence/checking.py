"""Checking a pack: its files against its manifest, its seal, its rows against themselves and against the audit."""

import hmac
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from lzma import LZMAError
from pathlib import Path
from typing import Any
from zlib import error as ZlibError

import msgspec
import sqlalchemy as sa

from ingest.alarms.audit import row_hash
from ingest.alarms.tables import audit
from ingest.errors import EvidenceError
from ingest.evidence.files import AUDIT
from ingest.evidence.pack import FORMAT, MANIFEST, SEAL, VERSION, Manifest, seal

_MOST_BYTES = 4 << 30
# What JSON is that is none, or that goes deeper than any of ours.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_LOCKED = 0x1
# What a database can be asked for.
_MOST_SEQ = 2**63 - 1


@dataclass(slots=True)
class Verdict:
    """What a check found: the alarm, how many files and rows were looked at, and a sentence for all that is wrong."""

    alarm: str
    made_at: str
    files: int
    rows: int
    head: tuple[int, str]
    sealed: bool | None = None
    wrong: list[str] = field(default_factory=list)


class Pack:
    """A pack that was opened; nothing of it is believed before it is checked."""

    def __init__(self, path: Path) -> None:
        """Read it whole.

        Raises:
            EvidenceError: it is no pack, or one of a newer version.
        """
        self._files: dict[str, bytes] = {}
        try:
            with zipfile.ZipFile(path) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
                    raise EvidenceError(f"{path}: holds more than {_MOST_BYTES >> 30} GiB, which no pack does")
                for entry in archive.infolist():
                    if entry.filename in self._files:
                        raise EvidenceError(f"{path}: holds {entry.filename} twice")
                    if entry.flag_bits & _LOCKED:
                        raise EvidenceError(f"{path}: {entry.filename} is locked with a password, as in no pack")
                    self._files[entry.filename] = archive.read(entry)
        except OSError as error:
            raise EvidenceError(f"{path}: cannot be read: {error.strerror or error}") from error
        except (zipfile.BadZipFile, ZlibError, LZMAError, EOFError, NotImplementedError, UnicodeDecodeError) as error:
            # In zipfile's order: no zip, a bad block (or one packed by LZMA), a cut one, a way of packing it does not
            # know, a name that is no text.
            raise EvidenceError(f"{path}: is no whole zip file: {str(error) or 'it is cut off'}") from error
        if MANIFEST not in self._files:
            raise EvidenceError(f"{path}: is no evidence pack; it holds no {MANIFEST}")
        self._manifest = _manifest(path, self._files[MANIFEST])

    def verdict(self, secret: bytes | None) -> Verdict:
        """Check the pack by itself; the seal only where the site's secret is given."""
        told = self._manifest
        found = Verdict(
            told.alarm, told.made_at, len(told.files), len(told.rows), (told.head["seq"], told.head["hash"])
        )
        found.wrong.extend(self._files_wrong())
        if secret is not None:
            given = self._files.get(SEAL, b"").decode("latin-1").strip()
            found.sealed = hmac.compare_digest(given.encode(), seal(self._files[MANIFEST], secret).encode())
            if not found.sealed:
                found.wrong.append(f"{MANIFEST}: the seal is not the one this site gives it")
        rows = self._rows(found.wrong)
        found.wrong.extend(_rows_wrong(told, rows))
        return found

    def against(self, connection: sa.Connection) -> Iterator[str]:
        """Yield a sentence for each row, and for the head, that is not what the audit of the site says."""
        ignored: list[str] = []
        for row in self._rows(ignored):
            found = connection.execute(sa.select(audit.c.hash).where(audit.c.seq == row.get("seq"))).scalar()
            if found is None:
                yield f"audit row {row.get('seq')}: the audit of this site has no such row"
            elif found != row_hash(row):
                yield f"audit row {row['seq']}: is not what the audit of this site says"
        head = self._manifest.head
        stands = connection.execute(sa.select(audit.c.hash).where(audit.c.seq == head["seq"])).scalar()
        if head["seq"] and stands != head["hash"]:
            yield f"{MANIFEST}: the head of the chain, row {head['seq']}, is not what the audit of this site says"

    def _files_wrong(self) -> Iterator[str]:
        told = self._manifest.files
        for name in sorted(told.keys() | self._files.keys() - {MANIFEST, SEAL}):
            if name not in self._files:
                yield f"{name}: is missing"
            elif name not in told:
                yield f"{name}: is not in the manifest"
            elif sha256(self._files[name]).hexdigest() != told[name].get("sha256"):
                yield f"{name}: was altered; its SHA-256 is not that of the manifest"

    def _rows(self, wrong: list[str]) -> list[dict[str, Any]]:
        rows = []
        for number, line in enumerate(self._files.get(AUDIT, b"").splitlines(), 1):
            try:
                row = msgspec.json.decode(line)
            except _UNREADABLE as error:
                wrong.append(f"{AUDIT}, line {number}: is no JSON: {error}")
                continue
            if isinstance(row, dict) and _is_number(row.get("seq")) and not any(map(_holds_more, row.values())):
                rows.append(row)
            else:
                wrong.append(f"{AUDIT}, line {number}: is no row of an audit")
        return rows


def _manifest(path: Path, data: bytes) -> Manifest:
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except _UNREADABLE as error:
        raise EvidenceError(f"{path}: {MANIFEST} cannot be read: {error}") from error
    if found.format != FORMAT:
        raise EvidenceError(f"{path}: is no evidence pack; its format is {found.format!r}")
    if found.version > VERSION:
        raise EvidenceError(f"{path}: is of version {found.version}; this program knows versions up to {VERSION}")
    if not _is_number(found.head.get("seq")) or not isinstance(found.head.get("hash"), str):
        raise EvidenceError(f"{path}: {MANIFEST} names no head of the chain")
    return found


def _is_number(seq: object) -> bool:
    return isinstance(seq, int) and 0 <= seq <= _MOST_SEQ


def _holds_more(value: object) -> bool:
    return isinstance(value, dict | list)


def _rows_wrong(told: Manifest, rows: list[dict[str, Any]]) -> Iterator[str]:
    if [row["seq"] for row in rows] != told.rows:
        yield f"{AUDIT}: its rows are not those the manifest names"
    before: dict[str, Any] = {}
    for row in rows:
        if row.get("hash") != row_hash(row):
            yield f"audit row {row['seq']}: was changed after it was written"
        if before and row["seq"] == before["seq"] + 1 and row.get("prev_hash") != before.get("hash"):
            yield f"audit row {row['seq']}: does not follow the row before it"
        if row["seq"] > told.head["seq"]:
            yield f"audit row {row['seq']}: lies behind the head of the chain, row {told.head['seq']}"
        elif row["seq"] == told.head["seq"] and row.get("hash") != told.head["hash"]:
            yield f"audit row {row['seq']}: is not the head of the chain that the manifest names"
        before = row
