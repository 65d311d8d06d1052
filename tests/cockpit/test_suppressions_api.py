"""Shelved and out of service: hidden for a while, by whom, until when, and shown again."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cockpit.acting import act, lamp, leak, post, refused, shelvable_s
from tests.cockpit.town import Town


def test_shelving(town: Town) -> None:
    """A calm alarm is shelved by an officer and counted as hidden; P1 never, P2 by a leader; a worse level lifts it."""
    alarm = lamp(town, "acts-6")
    path = f"/alarms/{alarm['id']}"
    shelved = act(town, "officer", f"{path}/shelve", reason="等待配件", duration_s=shelvable_s(120))["alarm"]
    assert (shelved["suppression"], shelved["state"]) == ("shelved", "UNACK")
    assert (shelved["suppressed"]["by"], shelved["suppressed"]["reason"]) == ("officer", "等待配件")
    page = town.get("/api/v1/alarms", device="acts-6")
    assert page["counts"] == {"shown": 0, "shelved": 1, "by_design": 0, "out_of_service": 0, "open": 1}
    assert [row["subject"] for row in town.get("/api/v1/suppressions", kind="shelved")["items"]] == [alarm["point"]]
    assert act(town, "officer2", f"{path}/unshelve")["alarm"]["suppression"] == "none"
    assert refused(town, "officer", f"{path}/unshelve") == (409, "wrong_state")
    assert refused(town, "officer", f"{path}/shelve", reason="x", duration_s=8 * 3600 + 1)[0] == 422
    assert refused(town, "officer", f"{path}/shelve", reason="")[0] == 422
    urgent, high = leak(town, "acts-gas-2", 60), leak(town, "acts-gas-3", 30)
    assert refused(town, "leader", f"/alarms/{urgent['id']}/shelve", reason="x")[0] == 422
    assert refused(town, "officer", f"/alarms/{high['id']}/shelve", reason="x")[0] == 403
    assert act(town, "leader", f"/alarms/{high['id']}/shelve", reason="检修")["result"] == "shelved"
    worse = leak(town, "acts-gas-3", 60)
    assert (worse["suppression"], worse["acked"]) == ("none", False)
    ended = town.get("/api/v1/suppressions", state="all", limit=1)["items"][0]
    assert (ended["subject"], ended["ended_by"]) == (high["point"], "system")


def test_out_of_service(town: Town) -> None:
    """Maintenance asks with a permit and an end, a leader agrees; ending it early shows the alarm again."""
    alarm = lamp(town, "acts-8")
    # It is registered nowhere: the cockpit hears of it with the next second of live values.
    town.until("/api/v1/devices", lambda page: "acts-8" in [each["id"] for each in page["items"]], kind="light_pole")
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    wish = {"device": "acts-8", "permit": "WO-17", "reason": "更换灯具", "until": until}
    for user, status in ((None, 401), ("viewer", 403), ("officer", 403)):
        assert refused(town, user, "/out-of-service", **wish)[0] == status
    assert refused(town, "engineer", "/out-of-service", **{**wish, "permit": ""})[0] == 422
    assert refused(town, "engineer", "/out-of-service", **{**wish, "until": "2020-01-01T00:00:00Z"})[0] == 422
    assert refused(town, "engineer", "/out-of-service", **{**wish, "device": "nothing"})[0] == 404
    assert refused(town, "engineer", "/out-of-service", **{**wish, "point": alarm["point"]})[0] == 422
    request = act(town, "engineer", "/out-of-service", **wish)["request"]["id"]
    assert town.get(f"/api/v1/alarms/{alarm['id']}")["suppression"] == "none"
    assert refused(town, "officer", f"/requests/{request}/agree")[0] == 403
    act(town, "leader", f"/requests/{request}/agree")
    hidden = town.get(f"/api/v1/alarms/{alarm['id']}")
    assert (hidden["suppression"], hidden["state"]) == ("out_of_service", "UNACK")
    (standing,) = [row for row in town.get("/api/v1/suppressions")["items"] if row["subject"] == "acts-8"]
    assert (standing["by"], standing["approved_by"], standing["permit"]) == ("engineer", "leader", "WO-17")
    assert refused(town, "viewer", f"/suppressions/{standing['id']}/end")[0] == 403
    act(town, "engineer", f"/suppressions/{standing['id']}/end", reason="完工")
    assert town.get(f"/api/v1/alarms/{alarm['id']}")["suppression"] == "none"
    assert refused(town, "engineer", f"/suppressions/{standing['id']}/end") == (409, "wrong_state")


def test_an_alarm_point_out_of_service(town: Town) -> None:
    """One that stands for the device is taken; one that cannot come about is refused with those there are."""
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    wish = {"permit": "WO-18", "reason": "更换灯具", "until": until}
    for point in ("gas-1/nonsense", "gas-1", "gas-1/", "gas-1/lamp_fail.failed", "wim-1/over_pct.overload"):
        with town.client("engineer") as engineer:
            answer = post(engineer, "/out-of-service", point=point, **wish)
        assert answer.status_code == 404, point
        assert "has no alarm point" in answer.json()["detail"]
    assert "conc_pct_lel.high" in post_detail(town, point="gas-1/nonsense", **wish)
    for point in ("gas-1/no_data", "gas-1/conc_pct_lel.high", "gas-1/clock", "gas-1/expires"):
        done = act(town, "engineer", "/out-of-service", point=point, **wish)
        act(town, "leader", f"/requests/{done['request']['id']}/decline")


def post_detail(town: Town, **body: Any) -> str:
    """Return the sentence of a refused wish to take out of service."""
    with town.client("engineer") as engineer:
        return str(post(engineer, "/out-of-service", **body).json()["detail"])
