"""Lamp switching over the API: the test is the pole. One lamp by one person, a circuit by two, and what is refused."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cockpit.acting import post
from tests.cockpit.lit_town import Pole, lit_town
from tests.cockpit.town import Town
from tests.servers.waiting import wait_until


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town with three circuits; one more pole has an air station and no lamp."""
    with lit_town(tmp_path_factory.mktemp("lit")) as town:
        yield town


@pytest.fixture
def pole(lit: Town) -> Pole:
    return Pole(lit)


def ordered(town: Town, user: str, path: str, **body: Any) -> dict[str, Any]:
    """Order or approve something, which must be taken, and return the reply."""
    with town.client(user) as client:
        answer = post(client, path, **body)
    assert answer.status_code == (200 if path.endswith("decline") else 202), answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(town: Town, user: str | None, path: str, **body: Any) -> httpx.Response:
    with town.client(user) as client:
        answer = post(client, path, **body)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer


def standing(town: Town, device: str, word: str) -> dict[str, Any]:
    """Wait until a lamp stands so, and return it."""
    found: dict[str, Any] = town.until(f"/api/v1/lamps/{device}", lambda lamp: lamp["standing"] == word)
    return found


def circuit(town: Town, name: str) -> dict[str, Any]:
    (found,) = [each for each in town.get("/api/v1/circuits")["items"] if each["id"] == name]
    return dict(found)


def actions(town: Town, subject: str) -> list[tuple[str, str]]:
    with town.client("leader") as client:
        rows = client.get("/api/v1/audit", params={"limit": 1000}).json()["items"]
    return [(row["actor"], row["action"]) for row in rows if row["point"] == subject]


def test_one_lamp(lit: Town, pole: Pole) -> None:
    """Ordered, sent, accepted, shown by its reading; in the words of the API at every step."""
    before = lit.get("/api/v1/lamps/lamp-4")
    assert (before["standing"], before["command"], before["dim_pct"]) == ("own", None, None)
    reply = ordered(lit, "officer", "/lamps/lamp-4/switch", dim_pct=40, for_s=3600, reason="施工")
    assert (reply["result"], reply["by"], reply["order"]["state"]) == ("ordered", "officer", "ordered")
    lamp = standing(lit, "lamp-4", "following")
    assert (lamp["command"]["state"], lamp["command"]["dim_pct"]) == ("acked", 40)
    # One that is not answered for ten seconds is sent once more.
    sent = pole.commands("lamp-4")[0]
    assert {each["command"] for each in pole.commands("lamp-4")} == {sent["command"]}
    assert (sent["dim_pct"], sent["command"], sent["until"] - sent["ts"]) == (40, lamp["command"]["id"], 3_600_000)
    lit.say("light_pole", "lamp-4", {"dim_pct": 40, "cmd_pct": 40})
    lamp = standing(lit, "lamp-4", "obeyed")
    assert (lamp["dim_pct"], lamp["cmd_pct"], lamp["order"]["reason"]) == (40.0, 40.0, "施工")
    found = circuit(lit, "F-2")
    assert (found["lamps"], found["lit"], found["commanded"], found["waiting"], found["wanted_pct"]) == (1, 1, 1, 0, 40)
    assert (found["standing"], found["request"]) == ({"obeyed": 1}, None)
    lit.until("/api/v1/lamps/lamp-4", lambda lamp: lamp["command"]["obeyed_at"])
    ordered(lit, "leader", "/lamps/lamp-4/switch", auto=True, reason="恢复")
    standing(lit, "lamp-4", "own")
    assert pole.commands("lamp-4")[-1]["auto"] is True
    assert [row["dim_pct"] for row in lit.get("/api/v1/lamp-orders", subject="lamp-4")["items"]] == [None, 40]


def test_a_circuit(lit: Town, pole: Pole) -> None:
    """Asked by one, approved by another; three lamps, of which one refuses and one stays silent."""
    pole.deaf = True
    order = ordered(lit, "officer", "/circuits/F-1/switch", dim_pct=0, reason="检修")["order"]
    assert (order["state"], order["commands"], order["lamps"]) == ("asked", [], 3)
    assert circuit(lit, "F-1")["request"]["id"] == order["id"]
    assert lit.get("/api/v1/lamps/lamp-1")["request"]["asked_by"] == "officer"
    path = f"/lamp-orders/{order['id']}"
    assert refused(lit, "officer", f"{path}/approve").json()["type"] == "same_person"
    assert refused(lit, "officer2", "/circuits/F-1/switch", dim_pct=50, reason="x").json()["type"] == (
        "second_person_pending"
    )
    assert pole.heard == []
    assert ordered(lit, "officer2", f"{path}/approve")["order"]["settled_by"] == "officer2"
    wait_until(lambda: {name for name, _ in pole.heard} == {"lamp-1", "lamp-2", "lamp-3"})
    assert refused(lit, "leader", f"{path}/approve").status_code == 409
    pole.answer("lamp-1", pole.commands("lamp-1")[0]["command"])
    pole.answer("lamp-2", pole.commands("lamp-2")[0]["command"], False, "local control")
    # The third is silent, and another speaks for it.
    pole.answer("lamp-1", pole.commands("lamp-3")[0]["command"])
    found = lit.until(
        "/api/v1/circuits/F-1", lambda found: found["standing"] == {"following": 1, "refused": 1, "waiting": 1}
    )
    assert [lamp["standing"] for lamp in found["items"]] == ["following", "refused", "waiting"]
    assert found["items"][1]["command"]["answer"] == "local control"
    told = lit.get(f"/api/v1{path}")
    assert told["commands_by_state"] == {"acked": 1, "refused": 1, "sent": 1}
    assert {name for name, _ in pole.heard} == {"lamp-1", "lamp-2", "lamp-3"}
    assert sorted(actions(lit, "circuit:F-1")) == [("officer", "lamp_asked"), ("officer2", "lamp_approved")]
    assert sorted(actions(lit, "lamp-2")) == [("lamp-2", "lamp_refused"), ("system", "lamp_sent")]


def test_declined(lit: Town, pole: Pole) -> None:
    order = ordered(lit, "officer", "/circuits/F-3/switch", dim_pct=0, reason="x")["order"]
    reply = ordered(lit, "leader", f"/lamp-orders/{order['id']}/decline", comment="天还没亮")
    assert (reply["result"], reply["order"]["state"], reply["order"]["settled_by"]) == (
        "declined",
        "declined",
        "leader",
    )
    assert circuit(lit, "F-3")["request"] is None
    # A silent lamp of another circuit may still be asked again.
    assert pole.commands("lamp-5") == []


def test_who_may(lit: Town, pole: Pole) -> None:
    """Nobody without log-in, no viewer, no engineer; the attempt is on record."""
    wish = {"dim_pct": 0, "reason": "x"}
    asked = ordered(lit, "officer", "/circuits/F-3/switch", **wish)["order"]["id"]
    for path, body in (
        ("/lamps/lamp-5/switch", wish),
        ("/circuits/F-3/switch", wish),
        (f"/lamp-orders/{asked}/approve", {}),
        (f"/lamp-orders/{asked}/decline", {}),
    ):
        assert refused(lit, None, path, **body).status_code == 401
        for user in ("viewer", "engineer"):
            assert refused(lit, user, path, **body).status_code == 403
    ordered(lit, "officer", f"/lamp-orders/{asked}/decline")
    # A silent lamp of another circuit may still be asked again.
    assert pole.commands("lamp-5") == []
    with lit.client("leader") as client:
        rows = client.get("/api/v1/audit", params={"limit": 1000}).json()["items"]
    assert {row["action"] for row in rows if row["actor"] == "viewer"} >= {
        "lamp_switch_refused", "circuit_switch_refused", "lamp_approve_refused", "lamp_decline_refused",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"dim_pct": 0}, "reason"),
        ({"dim_pct": 0, "reason": ""}, "reason"),
        ({"dim_pct": 0, "reason": "   "}, "reason"),
        ({"reason": "x"}, "auto"),
        ({"dim_pct": 0, "auto": True, "reason": "x"}, "auto"),
        ({"dim_pct": 101, "reason": "x"}, "dim_pct"),
        ({"dim_pct": 40.5, "reason": "x"}, "dim_pct"),
        ({"dim_pct": 40, "for_s": 43_201, "reason": "x"}, "for_s"),
        ({"auto": True, "for_s": 60, "reason": "x"}, "duration"),
    ],
)
def test_what_does_not_fit(lit: Town, body: dict[str, Any], word: str) -> None:
    answer = refused(lit, "officer", "/lamps/lamp-5/switch", **body)
    assert (answer.status_code, word in answer.json()["detail"]) == (422, True), answer.text


def test_what_there_is_not(lit: Town) -> None:
    """No such lamp, circuit or order; a pole that has no lamp is none."""
    for path in ("/lamps/nothing/switch", "/lamps/air-1/switch", "/lamps/gas-1/switch", "/circuits/F-9/switch"):
        assert refused(lit, "officer", path, dim_pct=0, reason="x").status_code == 404
    assert refused(lit, "leader", "/lamp-orders/nothing/approve").status_code == 404
    for path in ("lamps/air-1", "circuits/F-9", "lamp-orders/nothing"):
        assert httpx.get(f"{lit.address}/api/v1/{path}").status_code == 404


def test_a_leaking_lamp(lit: Town, pole: Pole) -> None:
    """It may be switched off, never on, not even by its schedule or with its circuit; one sentence says so."""
    lit.say("light_pole", "lamp-5", {"leak_ma": 68, "dim_pct": 100, "cmd_pct": 100})
    lit.alarm("lamp-5")
    for path in ("/lamps/lamp-5/switch", "/circuits/F-3/switch"):
        for more in ({"dim_pct": 100}, {"auto": True}):
            answer = refused(lit, "leader", path, reason="x", **more)
            assert (answer.status_code, answer.json()["type"]) == (409, "alarm_active")
            assert "leakage alarm of lamp-5 is open" in answer.json()["detail"]
    assert lit.get("/api/v1/lamps/lamp-5")["leaking"] == circuit(lit, "F-3")["leaking"] == ["lamp-5"]
    ordered(lit, "officer", "/lamps/lamp-5/switch", dim_pct=0, reason="漏电")
    standing(lit, "lamp-5", "following")
    assert {body["dim_pct"] for body in pole.commands("lamp-5")} == {0}


def test_the_cockpit_restarts(lit: Town, pole: Pole) -> None:
    """What stood before stands after, and a request of before is approved and sent."""
    ordered(lit, "officer", "/lamps/lamp-4/switch", dim_pct=25, reason="x")
    standing(lit, "lamp-4", "following")
    asked = ordered(lit, "officer", "/circuits/F-2/switch", dim_pct=10, reason="y")["order"]["id"]
    assert lit.stop() == 0
    lit.start()
    again = Pole(lit)
    assert lit.get("/api/v1/lamps/lamp-4")["command"]["dim_pct"] == 25
    assert circuit(lit, "F-2")["request"]["id"] == asked
    ordered(lit, "leader", f"/lamp-orders/{asked}/approve")
    lit.until("/api/v1/lamps/lamp-4", lambda lamp: lamp["command"]["accepted"] and lamp["command"]["dim_pct"] == 10)
    assert {body["dim_pct"] for body in again.commands("lamp-4")} == {10}
