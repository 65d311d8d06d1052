"""The file of a backup: a tar.gz whose first member says what it is, and whose last one lists all others.

``citydeck-backup.json`` has the format's number, so that a later version can tell what it reads; ``manifest.json`` has
name, size and SHA-256 of each member, times and positions. Data lie below ``data/``, the site's files below ``site/``.
"""

import io
import json
import os
import shutil
import sqlite3
import tarfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ingest.errors import BackupError

FORMAT = 1
HEAD, MANIFEST = "citydeck-backup.json", "manifest.json"
DATA, SITE = "data", "site"
Tell = Callable[[str], None]

_PAGES_A_STEP = 4_000
_LARGE_BYTES = 64 * 1024 * 1024
_CHUNK = 1024 * 1024
_SQLITE = b"SQLite format 3\x00"


class Packing:
    """Fills one archive, member by member, and remembers what went into it."""

    def __init__(self, archive: tarfile.TarFile, stage: Path, tell: Tell) -> None:
        """Take an open archive, an empty folder on the same disk for one copy at a time, and whom to tell progress."""
        self._archive = archive
        self._stage = stage
        self._tell = tell
        self.members: list[dict[str, Any]] = []

    def document(self, member: str, document: Mapping[str, Any]) -> None:
        """Add a JSON document, which describes the others and is not listed itself."""
        body = json.dumps(document, ensure_ascii=False, indent=1).encode()
        self._add(member, io.BytesIO(body), len(body))

    def file(self, path: Path, member: str) -> None:
        """Add a file that nobody writes while it is read, or a database as it is at this instant."""
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) != _SQLITE:
                file.seek(0)
                self._listed(member, file, os.fstat(file.fileno()).st_size)
                return
        self.database(path, member)

    def database(self, path: Path, member: str, look: Callable[[Path], None] | None = None) -> None:
        """Add an SQLite database as it is at this instant, whoever writes to it; ``look`` is shown the copy."""
        copy = self._stage / path.name
        with (
            closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=60, isolation_level=None)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            # One read transaction around all steps: else each write of another process begins the copy anew.
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_master").fetchone()
            source.backup(target, pages=_PAGES_A_STEP, progress=self._progress(member, path), sleep=0)
            # The copy is one file, with no log beside it.
            target.execute("PRAGMA journal_mode=DELETE")
        with copy.open("rb") as file:
            self._listed(member, file, copy.stat().st_size)
        if look is not None:
            look(copy)
        copy.unlink()

    def _progress(self, member: str, path: Path) -> Callable[[int, int, int], None] | None:
        if path.stat().st_size < _LARGE_BYTES:
            return None
        told = 0

        def progress(_status: int, remaining: int, total: int) -> None:
            nonlocal told
            tenths = 10 * (total - remaining) // max(1, total)
            if tenths > told:
                told = tenths
                self._tell(f"  {member} copied {10 * tenths} %")

        return progress

    def _listed(self, member: str, file: IO[bytes], size: int) -> None:
        hashed = _Hashing(file)
        self._add(member, hashed, size)
        self.members.append({"name": member, "size": size, "sha256": hashed.digest.hexdigest()})
        self._tell(f"  {member}  {size_text(size)}")

    def _add(self, member: str, file: "IO[bytes] | _Hashing", size: int) -> None:
        info = tarfile.TarInfo(member)
        info.size, info.mode = size, 0o600
        self._archive.addfile(info, file)


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = sha256()

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size)
        self.digest.update(found)
        return found


def unpack(file: Path, folder: Path, tell: Tell) -> dict[str, Any]:
    """Unpack a backup into an empty folder and return its manifest, when every byte is as it was written.

    Raises:
        BackupError: it is no backup, of a newer format, cut off or changed.
    """
    found: dict[str, tuple[int, str]] = {}
    listed: dict[str, tuple[int, str]] = {}
    manifest: dict[str, Any] | None = None
    head: dict[str, Any] | None = None
    try:
        with tarfile.open(file, mode="r|gz") as archive:
            for info in archive:
                content = archive.extractfile(info) if info.isreg() else None
                if content is None or manifest is not None:
                    raise BackupError(f"{file.name} is no backup of CityDeck: it holds {info.name!r}")
                if head is None:
                    head = _checked_head(file, info, content)
                elif info.name == MANIFEST:
                    manifest = json.loads(content.read())
                    listed = {str(m["name"]): (int(m["size"]), str(m["sha256"])) for m in manifest["members"]}
                else:
                    found[info.name] = _unpacked(file, info, content, folder)
                    tell(f"  {info.name}  {size_text(info.size)}")
    except (EOFError, zlib.error) as error:
        raise BackupError(_cut_off(file, error)) from error
    except (tarfile.TarError, LookupError, TypeError, ValueError) as error:
        why = _cut_off(file, error) if head else f"{file.name} is no backup of CityDeck: {error}"
        raise BackupError(why) from error
    except OSError as error:
        raise BackupError(f"{file} cannot be unpacked: {error}") from error
    if manifest is None:
        raise BackupError(_cut_off(file, "its list of contents is missing") if head else f"{file.name} is empty")
    for name in sorted({*listed, *found}):
        if listed.get(name) != found.get(name):
            raise BackupError(f"{file.name} is damaged: {name} is not what was written")
    return manifest


def size_text(count: int) -> str:
    """Return a size for people."""
    return f"{count / 1024:.0f} KiB" if count < _CHUNK else f"{count / _CHUNK:.1f} MiB"


def _cut_off(file: Path, why: object) -> str:
    return f"{file.name} is cut off or damaged: {why}"


def _checked_head(file: Path, info: tarfile.TarInfo, content: IO[bytes]) -> dict[str, Any]:
    head = json.loads(content.read()) if info.name == HEAD else None
    if not isinstance(head, dict) or not isinstance(head.get("format"), int):
        raise BackupError(f"{file.name} is no backup of CityDeck: it begins with {info.name!r}")
    if head["format"] > FORMAT:
        raise BackupError(
            f"{file.name} has format {head['format']}, written by CityDeck {head.get('citydeck')}; "
            f"this version reads up to {FORMAT}: restore with that one or a later one"
        )
    return head


def _unpacked(file: Path, info: tarfile.TarInfo, content: IO[bytes], folder: Path) -> tuple[int, str]:
    name = PurePosixPath(info.name)
    if name.is_absolute() or ".." in name.parts or name.parts[0] not in (DATA, SITE) or len(name.parts) < 2:
        raise BackupError(f"{file.name} is no backup of CityDeck: it holds {info.name!r}")
    inner = name.relative_to(DATA) if name.parts[0] == DATA else name
    path = folder / inner
    path.parent.mkdir(parents=True, exist_ok=True)
    hashed = _Hashing(content)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        shutil.copyfileobj(hashed, target, _CHUNK)
        target.flush()
        os.fsync(target.fileno())
        return target.tell(), hashed.digest.hexdigest()
