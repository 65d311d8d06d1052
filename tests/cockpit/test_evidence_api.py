"""Evidence packs of a running town: over HTTP by role, and by the command line, checked by `citydeck audit verify`."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from cockpit.evidence_commands import main as evidence
from ingest.alarms.verify import main as audit
from tests.cockpit.acting import act, leak
from tests.cockpit.town import Town


def command(town: Town, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `citydeck` about the town."""
    line = [sys.executable, "-m", "cockpit.cli", *arguments]
    line += ["--site", str(town.site), "--data", str(town.folder / "var")]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def test_an_engineer_takes_the_evidence_away(town: Town) -> None:
    alarm = leak(town, "gas-evidence-1", 30)
    act(town, "officer", f"/alarms/{alarm['id']}/ack", seen_level=1, decision="case", comment="on the way")
    act(town, "officer2", f"/alarms/{alarm['id']}/comment", comment="smells of gas")
    town.until("/api/v1/ledger", lambda page: page["readings"]["waiting"] == 0)
    with town.client("engineer") as engineer:
        answer = engineer.get(f"/api/v1/alarms/{alarm['id']}/evidence", params={"before": "5m", "after": "5m"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="citydeck-evidence-{alarm["id"]}.zip"'
    assert answer.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        rows = [json.loads(line) for line in pack.read("audit.jsonl").splitlines()]
        case = json.loads(pack.read("case.json"))["case"]
        messages = [json.loads(line) for line in pack.read("messages.jsonl").splitlines()]
    assert [row["action"] for row in rows if row["occurrence"]] == ["raise", "ack", "comment"]
    assert case["id"] == town.get(f"/api/v1/alarms/{alarm['id']}")["case"]
    assert [json.loads(each["payload"])["data"] for each in messages] == [{"conc_pct_lel": 30}]


@pytest.mark.parametrize(("user", "status"), [(None, 401), ("viewer", 403), ("officer", 403), ("leader", 403)])
def test_raw_messages_are_for_engineers_and_auditors(town: Town, user: str | None, status: int) -> None:
    with town.client(user) as client:
        answer = client.get("/api/v1/alarms/whatever/evidence")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("nothing/evidence", 404, "There is no alarm 'nothing'."),
        ("nothing/evidence?before=yesterday", 422, "before 'yesterday': expected a duration such as 90s, 30m or 2h"),
        ("nothing/evidence?after=25h", 422, "after '25h': expected a duration such as 90s, 30m or 2h, 24h at most."),
    ],
)
def test_bad_requests_are_told(town: Town, path: str, status: int, detail: str) -> None:
    with town.client("engineer") as engineer:
        answer = engineer.get(f"/api/v1/alarms/{path}")
    assert answer.status_code == status
    assert detail in answer.json()["detail"]


def test_the_command_line_makes_and_checks_a_pack(town: Town, tmp_path: Path) -> None:
    alarm = leak(town, "gas-evidence-2", 30)
    out = tmp_path / "pack.zip"
    made = command(town, "evidence", alarm["id"], "--out", str(out))
    assert made.returncode == 0, made.stderr
    assert str(out) in made.stdout
    assert out.stat().st_mode & 0o077 == 0
    whole = command(town, "audit", "verify", "--pack", str(out))
    assert whole.returncode == 0, whole.stdout
    assert f"whole: alarm {alarm['id']}" in whole.stdout
    assert "the seal is that of this site" in whole.stdout
    assert "held against the audit of this site" in whole.stdout

    again = command(town, "evidence", alarm["id"], "--out", str(out))
    assert again.returncode == 1
    assert "is there already; nothing is written over it" in again.stderr

    altered = tmp_path / "altered.zip"
    with zipfile.ZipFile(out) as source, zipfile.ZipFile(altered, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"30.0", b"10.0"))
    found = command(town, "audit", "verify", "--pack", str(altered))
    assert found.returncode == 1
    assert "altered: readings.csv: was altered" in found.stdout
    assert "altered: audit row" in found.stdout
    assert "whole" not in found.stdout


def test_elsewhere_a_pack_is_checked_by_itself(town: Town, tmp_path: Path) -> None:
    alarm = leak(town, "gas-evidence-3", 30)
    out = tmp_path / "pack.zip"
    assert command(town, "evidence", alarm["id"], "--out", str(out)).returncode == 0
    done = CliRunner().invoke(audit, ["verify", "--pack", str(out), "--data", str(tmp_path / "none")])
    assert done.exit_code == 0, done.output
    assert "not held against an audit: there is none here" in done.output
    assert "the seal was not checked" in done.output
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing",), "Error: There is no alarm 'nothing'."),
        (("nothing", "--before", "long"), "Error: --before 'long': expected a duration such as 90s, 30m or 2h"),
    ],
)
def test_the_command_line_tells_what_it_cannot_do(
    town: Town, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    where = ["--site", str(town.site), "--data", str(town.folder / "var"), "--out", str(tmp_path / "pack.zip")]
    done = CliRunner().invoke(evidence, [*arguments, *where])
    assert done.exit_code == 1
    assert sentence in done.output
    assert done.output.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_collector_is_told(tmp_path: Path) -> None:
    done = CliRunner().invoke(evidence, ["x", "--data", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert "no collector has worked in" in done.output
    assert not (tmp_path / "none").exists()


def test_raw_messages_of_a_device(town: Town) -> None:
    """The newest first, as they came, also one that cannot be read; around an instant only those of its minute."""
    town.say("gas_alarm", "gas-raw-1", {"conc_pct_lel": 3})
    town.send("city/v1/demo/gas_alarm/gas-raw-1/telemetry", b"{not json")
    town.until("/api/v1/devices", lambda page: any(each["id"] == "gas-raw-1" for each in page["items"]))
    path = "/api/v1/devices/gas-raw-1/raw"
    with town.client("engineer") as engineer:
        items = town.eventually(lambda: len(found := engineer.get(path).json()["items"]) == 2 and found)
        assert items[0]["payload"] == "{not json" and json.loads(items[1]["payload"])["data"] == {"conc_pct_lel": 3}
        assert items[1]["topic"] == "city/v1/demo/gas_alarm/gas-raw-1/telemetry" and items[1]["shard"] == "main"
        around = engineer.get(path, params={"at": items[1]["received_at"], "limit": 1}).json()
        assert [each["position"] for each in around["items"]] == [items[0]["position"]]
        early = engineer.get(path, params={"at": "2020-01-01T00:00:00Z"}).json()
        assert early["items"] == [] and early["gone"]
        assert engineer.get(path, params={"at": "noon"}).status_code == 422
        assert engineer.get("/api/v1/devices/nobody/raw").status_code == 404
    for user, status in ((None, 401), ("viewer", 403), ("leader", 403)):
        with town.client(user) as client:
            assert client.get(path).status_code == status
