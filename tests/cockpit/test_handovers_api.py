"""Handing the desk over, over HTTP: what is open now, a note, who takes it, and what is refused."""

import httpx

from tests.cockpit.acting import act, lamp, refused
from tests.cockpit.town import Town


def test_a_shift_hands_over_to_the_next(town: Town) -> None:
    """The note stands with its figures, newest first; another officer takes it over."""
    alarm = lamp(town, "handover-1")
    now = town.get("/api/v1/handovers")["shift"]
    assert now["open"][alarm["priority"]] >= 1 and now["unacked"] >= 1 and now["from"] < now["at"] < now["to"]
    done = act(town, "officer", "/handovers", note="灯具 handover-1 待修")
    name = done["handover"]["id"]
    assert (done["result"], done["handover"]["facts"]["open"]) == ("written", now["open"])
    assert refused(town, "officer", f"/handovers/{name}/accept") == (403, "same_person")
    taken = act(town, "officer2", f"/handovers/{name}/accept", comment="收到")
    assert (taken["result"], taken["handover"]["accepted_by"]) == ("taken", "officer2")
    (kept,) = town.get("/api/v1/handovers", limit=1)["items"]
    assert (kept["id"], kept["note"], kept["accepted_by"]) == (name, "灯具 handover-1 待修", "officer2")
    assert refused(town, "leader", f"/handovers/{name}/accept") == (409, "wrong_state")


def test_who_may_not_and_what_is_none(town: Town) -> None:
    for user, status in ((None, 401), ("viewer", 403)):
        assert refused(town, user, "/handovers", note="x")[0] == status
        assert refused(town, user, "/handovers/x/accept")[0] == status
    assert refused(town, "officer", "/handovers", note="")[0] == 422
    assert refused(town, "officer", "/handovers/x/accept")[0] == 404
    assert httpx.get(f"{town.address}/api/v1/handovers", params={"cursor": "x"}).status_code == 422
