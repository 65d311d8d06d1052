"""What is on record: occurrences by filter and page, the load on the operators, the audit."""

import sqlite3
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.cockpit.acting import act, lamp, refused
from tests.cockpit.town import Town


@pytest.fixture(scope="module")
def calm(town: Town) -> dict[str, Any]:
    """Give a calm alarm with a record: a viewer tried, an officer wrote a comment and acknowledged it."""
    alarm = lamp(town, "records-1")
    assert refused(town, "viewer", f"/alarms/{alarm['id']}/comment", comment="x")[0] == 403
    act(town, "officer", f"/alarms/{alarm['id']}/comment", comment="查看现场")
    acknowledged: dict[str, Any] = act(town, "officer", f"/alarms/{alarm['id']}/ack", seen_level=1)["alarm"]
    return acknowledged


def test_occurrences_are_filtered_and_paged(town: Town) -> None:
    """Every filter narrows, a page follows a page without repeating, nonsense is 422."""
    for number in range(3):
        lamp(town, f"records-page-{number}")
    mine = {"kind": "light_pole", "state": "UNACK", "limit": 2}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        found = town.get("/api/v1/alarms", **mine, **({"cursor": cursor} if cursor else {}))
        seen += [alarm["id"] for alarm in found["items"]]
        cursor = found["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) >= 3
    assert {alarm["device"] for alarm in town.get("/api/v1/alarms", device="records-page-1")["items"]} == {
        "records-page-1"
    }
    assert all(alarm["priority"] == "P1" for alarm in town.get("/api/v1/alarms", priority="P1")["items"])
    assert {a["street"] for a in town.get("/api/v1/alarms", street="s01", state="all")["items"]} <= {"s01"}
    assert town.get("/api/v1/alarms", **{"from": "2030-01-01T00:00:00Z", "state": "all"})["items"] == []
    for wrong in (
        {"state": "LOST"},
        {"priority": "P9"},
        {"cursor": "x"},
        {"suppression": "x"},
        {"from": "x"},
        {"limit": 0},
    ):
        assert httpx.get(f"{town.address}/api/v1/alarms", params=wrong).status_code == 422


@pytest.mark.usefixtures("calm")
def test_operator_load(town: Town) -> None:
    """The figures come with their targets; a window without anything says null, never 0 or 100 %."""
    found = town.get("/api/v1/alarms/load")
    assert found["activations"] > 0 and found["raise_to_ack"]["count"] > 0
    assert found["targets"]["per_10_min"] == {"target": 1, "red": 2}
    empty = town.get("/api/v1/alarms/load", **{"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"})
    assert (empty["activations"], empty["priorities"], empty["busiest_share"], empty["nuisance_rate"]) == (
        0,
        None,
        None,
        None,
    )
    assert empty["raise_to_ack"] == {"count": 0, "median_s": None, "p95_s": None}
    for wrong in ({"from": "x"}, {"from": "2021-01-01T00:00:00Z", "to": "2020-01-01T00:00:00Z"}):
        assert httpx.get(f"{town.address}/api/v1/alarms/load", params=wrong).status_code == 422


def test_the_audit_is_read_and_verified_by_who_may(town: Town, calm: dict[str, Any]) -> None:
    for user, status in ((None, 401), ("viewer", 403), ("officer", 403), ("engineer", 200), ("leader", 200)):
        with town.client(user) as client:
            assert client.get("/api/v1/audit").status_code == status
            assert client.get("/api/v1/audit/verify").status_code == status
    with town.client("leader") as leader:
        whole = leader.get("/api/v1/audit/verify").json()
        rows = leader.get("/api/v1/audit", params={"occurrence": calm["id"], "limit": 2}).json()
        older = leader.get("/api/v1/audit", params={"occurrence": calm["id"], "cursor": rows["next"]}).json()
        refusals = leader.get("/api/v1/audit", params={"actor": "viewer"}).json()["items"]
        wrong = leader.get("/api/v1/audit", params={"cursor": "x"})
    assert whole["whole"] and whole["rows"] > 0 and len(whole["hash"]) == 64
    assert whole["alarms"] > 0 and (whole["altered"], whole["sentences"]) == (0, [])
    numbers = [row["seq"] for row in (*rows["items"], *older["items"])]
    assert numbers == sorted(numbers, reverse=True) and len(rows["items"]) == 2
    assert {row["actor"] for row in refusals} == {"viewer"}
    assert all(row["action"].endswith("_refused") or row["action"] in ("log_in", "log_out") for row in refusals)
    assert wrong.status_code == 422


def test_an_alarm_that_was_changed_by_hand_is_named(town: Town, calm: dict[str, Any]) -> None:
    """The chain of hashes is whole; the alarm is not what it says, and stands with a sentence."""
    changed = "UPDATE occurrence SET activations = activations + ? WHERE id = ?"
    with closing(sqlite3.connect(town.folder / "var" / "alarms.db", timeout=30)) as database:
        try:
            with database:
                database.execute(changed, (7, calm["id"]))
            with town.client("leader") as leader:
                found = leader.get("/api/v1/audit/verify").json()
        finally:
            with database:
                database.execute(changed, (-7, calm["id"]))
    assert (found["whole"], found["broken"], found["altered"]) == (False, None, 1)
    (sentence,) = found["sentences"]
    assert sentence.startswith(f"occurrence {calm['id']} of ") and "activations is 8, the record says 1" in sentence
