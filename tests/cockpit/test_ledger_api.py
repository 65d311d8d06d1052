"""Ledger, quarantine and trying again over HTTP, on the running town; and the tables they are read from."""

import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cockpit.ledger import LedgerBoard, added_up
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.bulletin import upsert
from ingest.ledger_tables import ledger_device, ledger_minute
from tests.cockpit.town import Town
from tests.servers.waiting import wait_until
from tests.sites import small_site

T_MS = 1_767_225_600_000
SECRET = b'{"plate": "\xe6\xb5\x99A12345", '


@pytest.fixture(scope="module")
def group(town: Town) -> dict[str, Any]:
    """Give a group in quarantine: two messages of gas-61 that are no JSON."""
    for _ in range(2):
        town.send("city/v1/demo/gas_alarm/gas-61/telemetry", SECRET)
    # Both of them: a look of the collector may fall between the two.
    told = ("gas-61", 2)
    page = town.until("/api/v1/quarantine", lambda page: told in {(g["device"], g["count"]) for g in page["items"]})
    (found,) = [g for g in page["items"] if g["device"] == "gas-61"]
    assert isinstance(found, dict)
    return found


def test_groups_are_for_all_and_their_words_for_some(town: Town, group: dict[str, Any]) -> None:
    """A sentence quotes the message; plates are in there."""
    assert (group["reason"], group["count"], group["shard"], group["sentence"]) == ("json", 2, "main", None)
    with town.client("engineer") as engineer:
        items = engineer.get("/api/v1/quarantine").json()["items"]
    assert [g["sentence"] for g in items if g["device"] == "gas-61"] != [None]


@pytest.mark.parametrize("path", ["/api/v1/quarantine/json/gas-61", "/api/v1/quarantine/retries"])
def test_raw_messages_are_for_engineers(town: Town, group: dict[str, Any], path: str) -> None:
    with town.client() as nobody:
        assert nobody.get(path).status_code == 401
    for user in ("viewer", "officer", "leader"):
        with town.client(user) as client:
            answer = client.get(path)
            assert (answer.status_code, "engineer" in answer.json()["detail"]) == (403, True)


def test_samples_with_their_bytes(town: Town, group: dict[str, Any]) -> None:
    with town.client("engineer") as engineer:
        items = engineer.get("/api/v1/quarantine/json/gas-61").json()["items"]
        missing = engineer.get("/api/v1/quarantine/json/nobody")
    assert [(item["payload"], item["bytes"]) for item in items] == [('{"plate": "浙A12345", ', 23)] * 2
    assert items[0]["topic"] == "city/v1/demo/gas_alarm/gas-61/telemetry"
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


def test_a_group_without_a_device(town: Town) -> None:
    """A topic may name none."""
    town.send("hj212/", b"")
    town.until("/api/v1/quarantine", lambda page: [g for g in page["items"] if g["reason"] == "topic"])
    with town.client("engineer") as engineer:
        names = [g["device"] for g in engineer.get("/api/v1/quarantine").json()["items"] if g["reason"] == "topic"]
        for name in names:
            assert engineer.get(f"/api/v1/quarantine/topic/{name}").json()["items"]


def test_trying_again_is_asked_once_and_answered(town: Town, group: dict[str, Any]) -> None:
    """The running collector takes it up; what still is no JSON stays, and the request says why."""
    body = {"reason": "json", "device": "gas-61", "idempotency_key": "again-1"}
    with town.client() as nobody:
        assert nobody.post("/api/v1/quarantine/retry", json=body).status_code == 401
    with town.client("officer") as officer:
        assert officer.post("/api/v1/quarantine/retry", json=body).status_code == 403
    with town.client("engineer") as engineer:
        first = engineer.post("/api/v1/quarantine/retry", json=body)
        assert (first.status_code, [row["state"] for row in first.json()["items"]]) == (202, ["waiting"])
        again = engineer.post("/api/v1/quarantine/retry", json=body)
        assert [row["id"] for row in again.json()["items"]] == [row["id"] for row in first.json()["items"]]
        other = engineer.post("/api/v1/quarantine/retry", json={**body, "device": None})
        assert (other.status_code, "another request" in other.json()["detail"]) == (422, True)
        unknown = engineer.post("/api/v1/quarantine/retry", json={"reason": "mood", "idempotency_key": "m"})
        assert unknown.status_code == 404
        assert engineer.post("/api/v1/quarantine/retry", json={"reason": "json"}).status_code == 422

        def done() -> dict[str, Any] | None:
            items = engineer.get("/api/v1/quarantine/retries").json()["items"]
            return next(
                (row for row in items if row["id"] == first.json()["items"][0]["id"] and row["finished_at"]), None
            )

        row = wait_until(done, 30, 0.1)
    assert (row["state"], row["total"], row["landed"], row["asked_by"], row["role"]) == (
        "done", 2, 0, "engineer", "engineer",
    )  # fmt: skip
    assert row["remaining"]["json"]["count"] == 2
    items = town.get("/api/v1/quarantine")["items"]
    assert [g["count"] for g in items if g["device"] == "gas-61"] == [2]


def test_the_live_ledger_by_kind_and_shard(town: Town, group: dict[str, Any]) -> None:
    town.say("gas_alarm", "gas-62", {"conc_pct_lel": 1})

    def settled(ledger: dict[str, Any]) -> bool:
        kinds = ledger["kinds"].values()
        whole = {key: sum(kind["messages"][key] for kind in kinds) for key in ("decoded", "quarantined", "duplicate")}
        readings = {key: sum(kind["readings"][key] for kind in kinds) for key in ("produced", "stored", "refused")}
        return (
            all(ledger["messages"][key] == count for key, count in whole.items())
            and all(ledger["readings"][key] == count for key, count in readings.items())
            and ledger["readings"]["waiting"] == 0
            and ledger["kinds"].get("gas_alarm", {}).get("messages", {}).get("decoded", 0) >= 1
        )

    ledger = town.until("/api/v1/ledger", settled)
    assert ledger["shards"]["main"]["messages"] == ledger["messages"]


def test_the_history_has_minutes(town: Town) -> None:
    page = town.until("/api/v1/ledger/history", lambda page: page["items"])
    assert {"at", "shard", "messages", "readings", "lag_s", "kinds"} == set(page["items"][0])
    with town.client() as nobody:
        assert nobody.get("/api/v1/ledger/history", params={"from": "yesterday"}).status_code == 422
        assert nobody.get("/api/v1/ledger/devices", params={"only": "bad"}).status_code == 422
        assert nobody.get("/api/v1/ledger/devices", params={"limit": 0}).status_code == 422


# The tables by themselves: what takes minutes on a running town.


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return small_site(tmp_path)


@pytest.fixture
def board(site: Site, tmp_path: Path) -> Iterator[LedgerBoard]:
    database = AlarmDatabase(f"sqlite:///{tmp_path / 'alarms.db'}")
    database.migrate()
    names = ("decoded", "quarantined", "duplicate", "produced", "late", "skewed", "stored", "refused")
    with database.write() as connection:
        devices = {"gas-1": (5, 0, 1, 5, 2, 0, 5, 0), "gas-2": (5, 1, 0, 5, 0, 0, 3, 1), "…": (9, 0, 0, 9, 0, 9, 8, 1)}
        rows = [{"shard": "main", "kind": "gas_alarm", "device": name, "updated_at": T_MS} for name in devices]
        for row in rows:
            row.update(zip(names, devices[str(row["device"])], strict=True))
        upsert(connection, ledger_device, rows)
        minute = dict.fromkeys(
            ("received", "journaled", "decoded", "quarantined", "duplicate", "produced", "stored"), 7
        )
        rest = {"refused": 0, "store_lag_s": 0.5, "alarms_lag_s": 0.0, "kinds": '{"gas_alarm":[7,0,0,8,0,0,6,1]}'}
        for shard in ("north", "south"):
            for at in range(3):
                upsert(connection, ledger_minute, [{"shard": shard, "at": T_MS + at * 60_000, **minute, **rest}])
    yield LedgerBoard(database, site)
    database.close()


def test_devices_with_their_equations(board: LedgerBoard) -> None:
    found = {row["device"]: row for row in board.devices({}, None, 10, 0)}
    assert found["gas-2"] == {
        "shard": "main",
        "kind": "gas_alarm",
        "device": "gas-2",
        "messages": {"received": 6, "journaled": 6, "decoded": 5, "quarantined": 1, "duplicate": 0},
        "readings": {"produced": 5, "stored": 3, "refused": 1, "waiting": 1},
        "late": 0,
        "skewed": 0,
        "at": "2026-01-01T08:00:00.000+08:00",
    }
    assert [row["device"] for row in board.devices({}, "differing", 10, 0)] == ["gas-2"]
    assert [row["device"] for row in board.devices({}, "quarantined", 10, 0)] == ["gas-2"]
    assert [row["device"] for row in board.devices({"kind": "gas_alarm"}, None, 2, 1)] == ["gas-2", "…"]
    assert board.devices({"kind": "drone"}, None, 10, 0) == []


def test_history_of_a_span(board: LedgerBoard) -> None:
    found = board.history(T_MS + 60_000, T_MS + 120_000, 10, 0)
    assert [(row["shard"], row["at"]) for row in found] == [
        ("north", "2026-01-01T08:01:00.000+08:00"),
        ("south", "2026-01-01T08:01:00.000+08:00"),
    ]
    assert found[0]["kinds"]["gas_alarm"]["readings"] == {"produced": 8, "stored": 6, "refused": 1, "waiting": 1}
    assert len(board.history(0, 2 * T_MS, 4, 3)) == 3


def test_shards_add_up(site: Site) -> None:
    def ledger(count: int, lag_s: float) -> dict[str, Any]:
        messages = {"received": count, "journaled": count, "decoded": count, "quarantined": 0, "duplicate": 0}
        readings = {"produced": count, "stored": count, "refused": 0, "waiting": 0}
        row = {"messages": messages, "readings": readings, "late": 1, "skewed": 0}
        return {
            "at": T_MS + count,
            "messages": messages,
            "readings": readings,
            "lag_s": {"store": lag_s, "alarms": 0.0},
            "unknown_keys": {"drone": count},
            "kinds": {"drone": row},
        }

    found = added_up({"north": ledger(3, 0.5), "south": ledger(4, 2.0), "silent": {}}, site)
    assert (found["messages"]["decoded"], found["readings"]["stored"], found["lag_s"]["store"]) == (7, 7, 2.0)
    assert (found["kinds"]["drone"]["messages"]["decoded"], found["kinds"]["drone"]["late"]) == (7, 2)
    assert found["unknown_keys"] == {"drone": 7}
    assert found["at"] == "2026-01-01T08:00:00.004+08:00"
    assert {name: shard["messages"]["decoded"] for name, shard in found["shards"].items()} == {"north": 3, "south": 4}


def test_a_connection_that_rested_is_still_there(town: Town) -> None:
    """The page asks every five seconds; a connection closed just as it does fails the question."""
    with closing(http.client.HTTPConnection(urlsplit(town.address).netloc, timeout=60)) as connection:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        before = connection.sock
        assert before is not None
        time.sleep(6)
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
        assert connection.sock is before
