"""Whatever is changed in an evidence pack, or in the audit it was taken from, is found and named."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from ingest.alarms.audit import row_hash
from ingest.alarms.tables import audit
from ingest.errors import EvidenceError
from ingest.evidence.checking import Pack
from ingest.evidence.pack import MANIFEST, SEAL, seal
from ingest.places import site_secret
from tests.cockpit.evidence_reading import Files, lines, packed, unpacked
from tests.cockpit.evidence_scene import Scene

# Deeper than any document is read.
DEEP = b"[" * 20_000 + b"]" * 20_000


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Give a gas alarm that was acknowledged, has a case, and was reset."""
    found = Scene(tmp_path_factory.mktemp("scene"))
    found.leak()
    yield found
    found.close()


@pytest.fixture(scope="module")
def files(scene: Scene) -> Files:
    """Give the files of its pack."""
    return unpacked(scene.pack())


def checked(scene: Scene, path: Path) -> list[str]:
    pack = Pack(path)
    found = pack.verdict(site_secret(scene.places))
    with scene.database.read() as connection:
        return [*found.wrong, *pack.against(connection)]


def resealed(scene: Scene, files: Files) -> Files:
    """Return files with digests and a seal that fit, as one could make who knows the secret."""
    manifest = json.loads(files[MANIFEST])
    for name, each in manifest["files"].items():
        each["sha256"] = sha256(files[name]).hexdigest()
    told = json.dumps(manifest).encode()
    return {**files, MANIFEST: told, SEAL: seal(told, site_secret(scene.places)).encode()}


def row_changed(files: Files) -> Files:
    rows = lines(files["audit.jsonl"])
    rows[2]["comment"] = "nothing to see"
    return {**files, "audit.jsonl": b"\n".join(json.dumps(row).encode() for row in rows)}


def row_and_hash_changed(files: Files) -> Files:
    rows = lines(files["audit.jsonl"])
    rows[2]["comment"] = "nothing to see"
    rows[2]["hash"] = row_hash(rows[2])
    return {**files, "audit.jsonl": b"\n".join(json.dumps(row).encode() for row in rows)}


def row_removed(files: Files) -> Files:
    return {**files, "audit.jsonl": b"\n".join(files["audit.jsonl"].splitlines()[:-1])}


def test_a_whole_pack_is_whole(scene: Scene, files: Files, tmp_path: Path) -> None:
    path = packed(tmp_path / "whole.zip", files)
    assert checked(scene, path) == []
    found = Pack(path).verdict(None)
    assert (found.alarm, found.rows, found.sealed, found.wrong) == (scene.alarm, 6, None, [])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda files: {**files, "readings.csv": files["readings.csv"].replace(b"34.0", b"14.0")},
         "readings.csv: was altered"),
        (lambda files: {**files, "evidence.zh.html": b"<p>nothing</p>"}, "evidence.zh.html: was altered"),
        (lambda files: {name: data for name, data in files.items() if name != "case.json"}, "case.json: is missing"),
        (lambda files: {**files, "more.txt": b"x"}, "more.txt: is not in the manifest"),
        (lambda files: {**files, MANIFEST: files[MANIFEST].replace(b"2026-01-01T08:06", b"2026-01-01T09:06")},
         "the seal is not the one this site gives it"),
        (row_changed, "audit row 5: was changed after it was written"),
        (row_removed, "audit.jsonl: its rows are not those the manifest names"),
        (lambda files: {**files, "audit.jsonl": b"no\n" + files["audit.jsonl"]}, "audit.jsonl, line 1: is no JSON"),
        (lambda files: {**files, "audit.jsonl": b'"\xff"\n' + files["audit.jsonl"]}, "audit.jsonl, line 1: is no JSON"),
        (lambda files: {**files, "audit.jsonl": b'{"seq":%d}\n' % 2**63 + files["audit.jsonl"]},
         "audit.jsonl, line 1: is no row of an audit"),
        (lambda files: {**files, "audit.jsonl": b'{"seq":1,"a":' + DEEP + b"}\n" + files["audit.jsonl"]},
         "audit.jsonl, line 1: is no JSON"),
        (lambda files: {**files, "audit.jsonl": b'{"seq":1,"a":[[]]}\n' + files["audit.jsonl"]},
         "audit.jsonl, line 1: is no row of an audit"),
    ],
    ids=["reading", "page", "removed", "added", "manifest", "row", "row removed", "no json", "utf-8", "63 bits",
         "deep", "a list"],
)  # fmt: skip
def test_an_altered_pack_is_found(
    scene: Scene, files: Files, tmp_path: Path, change: Callable[[Files], Files], sentence: str
) -> None:
    wrong = checked(scene, packed(tmp_path / "altered.zip", change(files)))
    assert any(sentence in each for each in wrong), wrong


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (row_changed, "audit row 5: was changed after it was written"),
        (row_and_hash_changed, "audit row 6: does not follow the row before it"),
        (row_and_hash_changed, "audit row 5: is not what the audit of this site says"),
    ],
)
def test_even_a_pack_that_was_sealed_anew_is_found(
    scene: Scene, files: Files, tmp_path: Path, change: Callable[[Files], Files], sentence: str
) -> None:
    wrong = checked(scene, packed(tmp_path / "forged.zip", resealed(scene, change(files))))
    assert any(sentence in each for each in wrong), wrong
    assert not any("seal" in each or ".jsonl" in each for each in wrong)


def test_a_row_that_the_site_rewrote_is_found(files: Files, tmp_path: Path) -> None:
    """The pack is whole; it is the site's own audit that was changed since."""
    (tmp_path / "site").mkdir()
    other = Scene(tmp_path / "site")
    other.leak()
    path = packed(tmp_path / "pack.zip", unpacked(other.pack()))
    assert checked(other, path) == []
    with other.database.write() as connection:
        connection.execute(audit.update().where(audit.c.seq == 5).values(comment="nothing", hash="0" * 64))
    assert checked(other, path) == ["audit row 5: is not what the audit of this site says"]
    other.close()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"no zip", "is no whole zip file"),
        ({"a.txt": b"x"}, "it holds no manifest.json"),
        ({MANIFEST: b"{"}, "manifest.json cannot be read"),
        ({MANIFEST: b'{"format":"citydeck-evidence"}'}, "manifest.json cannot be read"),
        ({MANIFEST: b'{"format":"\xff"}'}, "manifest.json cannot be read"),
        ({MANIFEST: b'{"a":' + DEEP + b"}"}, "manifest.json cannot be read"),
    ],
)
def test_what_is_no_pack_is_told(tmp_path: Path, data: bytes | Files, sentence: str) -> None:
    path = tmp_path / "pack.zip"
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        packed(path, data)
    with pytest.raises(EvidenceError, match=sentence):
        Pack(path)
    with pytest.raises(EvidenceError, match="cannot be read"):
        Pack(tmp_path / "nowhere.zip")


def zipped(method: int, **altered: tuple[int, bytes]) -> bytes:
    """Return a zip of one file; ``local`` and ``central`` are bytes written over its headers, at an offset of each."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a.txt", b"x" * 500)
    data = bytearray(buffer.getvalue())
    for name, mark in (("local", b"PK\3\4"), ("central", b"PK\1\2")):
        if name in altered:
            offset, body = altered[name]
            begin = data.index(mark) + offset
            data[begin : begin + len(body)] = body
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (zipped(zipfile.ZIP_DEFLATED, local=(35, b"\xff\xff")), "is no whole zip file: Error -3"),
        (zipped(zipfile.ZIP_STORED, central=(20, b"\0\0\1\0\0\0\1\0")), "is no whole zip file: it is cut off$"),
        (zipped(zipfile.ZIP_STORED, local=(8, b"\x63"), central=(10, b"\x63")), "That compression method is not"),
        (zipped(zipfile.ZIP_STORED, local=(6, b"\1"), central=(8, b"\1")), "a.txt is locked with a password"),
        (zipped(zipfile.ZIP_STORED, local=(35, b"y")), "is no whole zip file: Bad CRC-32"),
        (zipped(zipfile.ZIP_LZMA, local=(44, b"\xff" * 8)), "is no whole zip file: Corrupt input data"),
        (zipped(zipfile.ZIP_STORED, central=(9, b"\x08")).replace(b"a.txt", b"\xff.txt"), "file: 'utf-8' codec can't"),
    ],
    ids=["a bad block", "cut", "packed otherwise", "locked", "altered", "by LZMA", "a name that is none"],
)
def test_what_cannot_be_unpacked_is_told(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(data)
    with pytest.raises(EvidenceError, match=sentence):
        Pack(path)


def test_a_pack_of_a_newer_version_is_refused(files: Files, tmp_path: Path) -> None:
    newer = {**files, MANIFEST: files[MANIFEST].replace(b'"version": 1', b'"version": 9')}
    with pytest.raises(EvidenceError, match="is of version 9; this program knows versions up to 1"):
        Pack(packed(tmp_path / "newer.zip", newer))
