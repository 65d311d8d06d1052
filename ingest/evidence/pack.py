"""The pack: one zip whose manifest says what every file must be, sealed with the site's secret."""

import hmac
import io
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from typing import Any

import msgspec

from ingest.evidence.gathered import Evidence

FORMAT, VERSION = "citydeck-evidence", 1
MANIFEST, SEAL, HOW = "manifest.json", "seal.txt", "README.txt"
# A zip knows no zone and nothing before 1980; a pack must not differ by when it was made but where it says so.
_MADE = (1980, 1, 1, 0, 0, 0)
_README = """\
CityDeck 证据包 / evidence pack

打开 evidence.zh.html 阅读；open evidence.en.html to read.

manifest.json  每个文件的 SHA-256 与生成时的审计链首 digests of all files, and the head of the audit chain
seal.txt       以站点密钥对 manifest.json 的 HMAC-SHA256 of manifest.json by the secret of the site
audit.jsonl    审计记录，一行一条 rows of the audit; hash = SHA-256 of the row as JSON with sorted keys, without "hash"
               and without "case" and "changes" where they are null; prev_hash = hash of the row with seq − 1

校验 to check:  citydeck audit verify --pack FILE.zip
"""


class Manifest(msgspec.Struct, kw_only=True):
    """What the pack says of itself."""

    format: str = FORMAT
    version: int = VERSION
    software: str
    site: dict[str, str]
    alarm: str
    made_at: str
    files: dict[str, dict[str, Any]]
    rows: list[int]
    head: dict[str, Any]


def digests(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Return what a manifest says of files."""
    return {name: {"sha256": sha256(data).hexdigest(), "bytes": len(data)} for name, data in sorted(files.items())}


def seal(manifest: bytes, secret: bytes) -> str:
    """Return the seal of a manifest."""
    return hmac.new(secret, b"citydeck evidence\n" + manifest, sha256).hexdigest()


def packed(
    evidence: Evidence, files: Mapping[str, bytes], site: Mapping[str, str], made_at: str, secret: bytes
) -> bytes:
    """Return the zip; the same evidence gives the same bytes."""
    whole = {**files, HOW: _README.encode()}
    manifest = Manifest(
        software=f"citydeck {version('citydeck')}",
        site=dict(site),
        alarm=evidence.alarm["id"],
        made_at=made_at,
        files=digests(whole),
        rows=[row["seq"] for row in evidence.chain],
        head={"seq": evidence.head[0], "hash": evidence.head[1]},
    )
    told = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    whole |= {MANIFEST: told, SEAL: f"{seal(told, secret)}\n".encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in sorted(whole.items()):
            entry = zipfile.ZipInfo(name, _MADE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return out.getvalue()
