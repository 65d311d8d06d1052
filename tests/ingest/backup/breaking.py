"""Ways a backup may be broken, each with what must be said of it."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

from ingest.archive import FORMAT, HEAD, MANIFEST

CUT, FOREIGN = "is cut off or damaged: ", "is no backup of CityDeck: "


Break = Callable[[Path, Path], None]


def cut(share: float) -> Break:
    return lambda whole, file: file.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)]) and None


def rewritten(change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]) -> Break:
    """Break a backup by packing its members anew, somehow else."""

    def write(whole: Path, file: Path) -> None:
        members = []
        with tarfile.open(whole) as archive:
            for info in archive:
                content = archive.extractfile(info)
                assert content is not None
                members.append((info.name, content.read()))
        with tarfile.open(file, "w:gz") as archive:
            for name, body in change(members):
                info = tarfile.TarInfo(name)
                info.size = len(body)
                archive.addfile(info, io.BytesIO(body))

    return write


def head(**changes: object) -> Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]:
    return lambda members: [(HEAD, json.dumps({**json.loads(members[0][1]), **changes}).encode()), *members[1:]]


def flipped(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(n, bytes([b[0] ^ 1]) + b[1:] if n == "data/secret" else b) for n, b in members]


def other_archive(_: Path, file: Path) -> None:
    with tarfile.open(file, "w:gz") as archive:
        archive.add(__file__, "test.py")


def link(whole: Path, file: Path) -> None:
    rewritten(lambda members: members[:1])(whole, file)
    with tarfile.open(whole) as source, tarfile.open(file, "w:gz") as archive:
        info = source.getmember(HEAD)
        archive.addfile(info, source.extractfile(info))
        escape = tarfile.TarInfo("data/secret")
        escape.type, escape.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(escape)


BROKEN: dict[str, tuple[Break, str]] = {
    "cut in its head": (cut(0.001), FOREIGN),
    "cut after a third": (cut(0.3), CUT),
    "cut after two thirds": (cut(0.7), CUT),
    "cut near its end": (cut(0.999), CUT),
    "empty": (lambda _, file: file.write_bytes(b"") and None, FOREIGN),
    "an empty archive": (rewritten(lambda _: []), "is empty"),
    "without its list": (rewritten(lambda members: members[:-1]), CUT + "its list of contents is missing"),
    "a text": (lambda _, file: file.write_text("no backup\n" * 99) and None, FOREIGN),
    "a packed text": (lambda _, file: file.write_bytes(gzip.compress(b"no backup\n" * 99)) and None, FOREIGN),
    "another archive": (other_archive, FOREIGN + "it begins with 'test.py'"),
    "a head that is none": (rewritten(lambda m: [(HEAD, b"[]"), *m[1:]]), FOREIGN),
    "a newer format": (
        rewritten(head(format=FORMAT + 1, citydeck="9.0")),
        f"has format {FORMAT + 1}, written by CityDeck 9.0; this version reads up to {FORMAT}",
    ),
    "a changed member": (rewritten(flipped), "is damaged: data/secret is not what was written"),
    "a missing member": (
        rewritten(lambda members: [m for m in members if m[0] != "data/alarms.db"]),
        "is damaged: data/alarms.db is not what was written",
    ),
    "one member more": (
        rewritten(lambda members: [*members[:-1], ("data/more", b"x"), members[-1]]),
        "is damaged: data/more is not what was written",
    ),
    "something behind its end": (rewritten(lambda m: [*m, ("data/more", b"x")]), FOREIGN + "it holds 'data/more'"),
    "the same twice": (rewritten(lambda m: [*m[:2], m[1], *m[2:]]), "cannot be unpacked: "),
    "a way out": (rewritten(lambda m: [*m[:-1], ("data/../../x", b"x"), m[-1]]), FOREIGN + "it holds 'data/../../x'"),
    "a place of its own": (rewritten(lambda m: [*m[:-1], ("/tmp/x", b"x"), m[-1]]), FOREIGN + "it holds '/tmp/x'"),
    "a link": (link, FOREIGN + "it holds 'data/secret'"),
    "a list that is none": (rewritten(lambda m: [*m[:-1], (MANIFEST, b"{")]), CUT),
    "a list of nothing": (rewritten(lambda m: [*m[:-1], (MANIFEST, b"[]")]), CUT),
}  # fmt: skip
