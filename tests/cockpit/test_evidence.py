"""Evidence packs: all that is there, exactly; what is gone is told; what was altered is found; the page reads alone."""

import csv
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cockpit.texts import texts
from devices.units import UNITS
from ingest.alarms.audit import row_hash
from ingest.alarms.tables import audit, audit_head
from ingest.errors import EvidenceError, InstantError, Refused
from ingest.evidence.checking import Pack
from ingest.evidence.pack import MANIFEST, SEAL, seal
from ingest.evidence.span import duration, span_of
from ingest.notices.deliveries import KEPT_DAYS
from ingest.places import site_secret
from tests.cockpit.evidence_scene import AROUND, MINUTE_MS, Scene
from tests.ingest.messages import T_MS

DAY_MS = 86_400_000
Files = dict[str, bytes]


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


def unpacked(pack: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def test_a_pack_holds_these_files(files: Files) -> None:
    assert sorted(files) == [
        "README.txt", "alarm.json", "audit.jsonl", "case.json", "evidence.en.html", "evidence.zh.html", "limits.csv",
        "manifest.json", "messages.jsonl", "missing.json", "notices.json", "readings.csv", "rules.json", "seal.txt",
    ]  # fmt: skip
    told = json.loads(files[MANIFEST])["files"]
    assert {name: each["sha256"] for name, each in told.items()} == {
        name: sha256(data).hexdigest() for name, data in files.items() if name not in (MANIFEST, SEAL)
    }


def test_the_readings_are_those_of_the_device_and_its_neighbour(files: Files) -> None:
    rows = table(files["readings.csv"])
    own = [(row["at"], float(row["value"])) for row in rows if row["of"] == "own"]
    assert len(own) == 30
    assert own[0] == ("2026-01-01T08:00:00.000+08:00", 1.0)
    assert own[8] == ("2026-01-01T08:01:20.000+08:00", 25.0)
    assert {row["device"] for row in rows if row["of"] == "own"} == {"gas-1"}
    near = [row for row in rows if row["of"] == "neighbour"]
    assert {row["device"] for row in near} == {"gas-3"}
    assert len(near) == 20
    assert 40 < float(near[0]["away_m"]) < 60
    assert {row["unit"] for row in rows} <= UNITS.keys()
    assert "pole-1" not in {row["device"] for row in rows}


def test_the_limits_are_those_in_force(files: Files) -> None:
    own = [row for row in table(files["limits.csv"]) if row["device"] == "gas-1"]
    assert [(row["level"], row["priority"], row["value"], row["deadband"]) for row in own] == [
        ("1", "P2", "25", "5"),
        ("2", "P1", "50", "5"),
    ]
    (rule,) = json.loads(files["rules.json"])
    assert (rule["rule"], rule["revision"]) == ("gas_alarm.conc_pct_lel.high", 0)
    assert rule["version"] == json.loads(files["alarm.json"])["rule_version"]
    assert rule["numbers"]["source"].startswith("GB/T 50493")


def test_the_messages_are_as_they_came_and_of_no_other_device(files: Files) -> None:
    rows = lines(files["messages.jsonl"])
    assert len(rows) == 31
    assert {row["topic"] for row in rows} == {"city/v1/demo/gas_alarm/gas-1/telemetry"}
    assert rows[0]["received_at"] == "2026-01-01T08:00:00.000+08:00"
    assert json.loads(rows[0]["payload"])["data"] == {"conc_pct_lel": 1.0}
    (garbled,) = [row for row in rows if "payload_base64" in row]
    assert garbled["received_ms"] == T_MS + 201_000
    assert [row["position"] for row in rows] == sorted({row["position"] for row in rows})


def test_the_acts_are_those_of_the_audit(scene: Scene, files: Files) -> None:
    rows = lines(files["audit.jsonl"])
    assert [(row["actor"], row["action"], row["state_after"]) for row in rows] == [
        ("system", "raise", "UNACK"),
        ("officer", "register", "REGISTERED"),
        ("officer", "ack", "ACKED"),
        ("officer", "comment", "ACKED"),
        ("system", "return", "LATCHED"),
        ("officer", "reset", "CLOSED"),
    ]
    with scene.database.read() as connection:
        head = connection.execute(sa.select(audit_head)).one()
    manifest = json.loads(files[MANIFEST])
    assert manifest["head"] == {"seq": head.seq, "hash": head.hash}
    assert manifest["rows"] == [row["seq"] for row in rows]
    case = json.loads(files["case.json"])["case"]
    assert (case["id"], case["sub_class"]) == (json.loads(files["alarm.json"])["case"], "gas_leak")
    assert json.loads(files["notices.json"])["announcements"][0]["why"] == "raise"


def test_the_same_alarm_gives_the_same_bytes(scene: Scene) -> None:
    first, again = scene.pack(), scene.pack()
    assert first == again
    later = unpacked(scene.pack(now_ms=scene.now_ms + 2 * MINUTE_MS))
    changed = {name for name, data in unpacked(first).items() if data != later[name]}
    assert changed == {MANIFEST, SEAL, "evidence.zh.html", "evidence.en.html"}


class Reading(HTMLParser):
    """What a document asks for, and the words it shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.asked: list[str] = []
        self.words = ""
        self._silent = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.asked += [value or "" for key, value in attributes if key in ("src", "href", "srcset", "data", "action")]
        self._silent = tag == "style"

    def handle_data(self, text: str) -> None:
        if not self._silent:
            self.words += text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_reads_alone_in_both_languages(files: Files, language: str) -> None:
    text = files[f"evidence.{language}.html"].decode()
    page, say = Reading(text), texts(language)
    other = "en" if language == "zh" else "zh"
    assert page.asked == [f"evidence.{other}.html"]
    assert "url(" not in text
    assert "script" not in page.tags
    assert page.tags.count("svg") >= 2
    for key in ("facts", "readings", "rules", "acts", "case", "notices", "messages", "proof", "files"):
        assert say(f"pack.{key}") in page.words
    shown = ("<script>alert(1)</script> 现场核实", "阀门已关", "浓度归零", "2026-01-01 08:01:20", "gas-3")
    for words in (*shown, say("state.CLOSED"), say("act.reset"), say("cases.act_register"), say("priority.P2")):
        assert words in page.words
    # Nothing is left in the words of the program.
    assert not re.search(r"\b(?:UNACK|LATCHED|NORM|REGISTERED|co_witness|conc_pct_lel)\b(?!\.)", _outside(page.words))


def _outside(words: str) -> str:
    """Return the words without raw messages and the names of rules."""
    return re.sub(r"\{.*?\}\}|gas_alarm\.\S+", "", words)


def test_what_is_gone_is_told(tmp_path: Path) -> None:
    """Months later neither journal nor readings nor notices are there; the alarm, its acts and rules are."""
    later = Scene(tmp_path)
    later.leak()
    later.close()
    shutil.rmtree(later.places.journal)
    for path in later.places.data.glob("readings.db*"):
        path.unlink()
    with later.database.write() as connection:
        connection.execute(sa.text("DELETE FROM announcement"))
    found = unpacked(later.pack(now_ms=later.now_ms + (KEPT_DAYS + 1) * DAY_MS))
    assert [each["word"] for each in json.loads(found["missing.json"])] == ["readings_gone", "notices", "journal_none"]
    assert "messages.jsonl" not in found
    assert len(lines(found["audit.jsonl"])) == 6
    for language in ("zh", "en"):
        say, words = texts(language), Reading(found[f"evidence.{language}.html"].decode()).words
        for key in ("gone_readings_gone", "gone_journal_none"):
            assert say(f"pack.{key}") in words
        assert say("pack.gone_notices", days=KEPT_DAYS) in words
        assert say("pack.no_notices") not in words
    assert not list(later.places.journal.glob("*"))
    later.database.close()


def test_an_alarm_that_is_none_is_refused(scene: Scene) -> None:
    with pytest.raises(Refused, match="There is no alarm 'nothing'") as found:
        scene.pack("nothing")
    assert found.value.why == "not_found"


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
    ],
    ids=["reading", "page", "removed", "added", "manifest", "row", "row removed", "no json"],
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


def test_a_pack_of_a_newer_version_is_refused(files: Files, tmp_path: Path) -> None:
    newer = {**files, MANIFEST: files[MANIFEST].replace(b'"version": 1', b'"version": 9')}
    with pytest.raises(EvidenceError, match="is of version 9; this program knows versions up to 1"):
        Pack(packed(tmp_path / "newer.zip", newer))


@pytest.mark.parametrize(("text", "length_ms"), [("90s", 90_000), ("30m", 1_800_000), ("24h", DAY_MS), ("0m", 0)])
def test_durations(text: str, length_ms: int) -> None:
    assert duration(text, "before") == length_ms


@pytest.mark.parametrize("text", ["30", "m", "-5m", "25h", "1d", "1.5h", ""])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(InstantError, match=f"^before {text!r}: expected a duration such as 90s, 30m or 2h"):
        duration(text, "before")


def test_the_span_of_an_alarm() -> None:
    alarm = {"raised_at": 1_000_000, "noticed_at": 1_000_500, "returned_at": None, "active": True}
    assert span_of(alarm, 100, 50, 1_200_000).to_ms == 1_200_051
    over = {**alarm, "active": False, "returned_at": 1_100_000}
    assert (span_of(over, 100, 50, 9_000_000).from_ms, span_of(over, 100, 50, 9_000_000).to_ms) == (999_900, 1_100_051)
    long = span_of(alarm, *AROUND, 1_000_000 + 3 * DAY_MS)
    assert long.cut
    assert long.to_ms == 1_000_000 + DAY_MS + AROUND[1] + 1
