"""Evidence packs: all that is there, exactly; what is gone is told; the page reads alone in both languages."""

import json
import re
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa

from cockpit.texts import texts
from devices.units import UNITS
from ingest.alarms.tables import audit_head
from ingest.errors import Refused
from ingest.evidence.pack import MANIFEST, SEAL
from ingest.notices.deliveries import KEPT_DAYS
from tests.cockpit.evidence_reading import Files, Reading, lines, table, unpacked
from tests.cockpit.evidence_scene import MINUTE_MS, Scene
from tests.ingest.messages import T_MS

DAY_MS = 86_400_000


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
    assert rule["numbers"]["source"]["zh"].startswith("GB/T 50493")


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
