"""An officer of one street in a running town: what they may act on, what they are offered, how they are given it."""

from tests.cockpit.acting import leak, post
from tests.cockpit.test_account_api import command
from tests.cockpit.town import PASSWORD, Town

ROLES = ("--role", "officer", "--role", "dispatcher")


def line_of(town: Town, name: str) -> str:
    return next(line for line in town.citydeck("user", "list").splitlines() if line.startswith(name))


def alarm_of(town: Town, pole: str) -> str:
    town.say("light_pole", pole, {"door_open": True})
    return str(town.until("/api/v1/alarms", lambda page: page["items"], device=pole)["items"][0]["id"])


def test_an_officer_of_one_street(town: Town) -> None:
    """403 with a sentence and the alarm, on record; in their own street they act, and cases of others offer nothing."""
    town.citydeck("user", "add", "wang-s01", *ROLES, "--area", "s01")
    assert " s01 " in line_of(town, "wang-s01")
    here, there = leak(town, "gas-1", 30), leak(town, "gas-2", 30)
    with town.client("wang-s01") as wang:
        assert wang.get("/api/v1/session").json()["areas"] == ["s01"]
        answer = post(wang, f"/alarms/{there['id']}/ack", seen_level=1)
        assert (answer.status_code, answer.json()["type"]) == (403, "wrong_area")
        assert answer.json()["detail"] == "gas-2 is outside your area (s01)."
        assert answer.json()["alarm"]["acked"] is False
        assert post(wang, f"/alarms/{here['id']}/ack", seen_level=1, decision="case").json()["result"] == "acked"
        where = {"sub_class": "other", "description": "x"}
        mine = post(wang, "/cases", street="s01", **where).json()
        other = post(wang, "/cases", street="s02", **where).json()
        assert "register" in mine["acts"] and other["acts"] == []
        answer = post(wang, f"/cases/{other['id']}/register")
        assert (answer.status_code, answer.json()["type"]) == (403, "wrong_area")
        # An alarm of their own street joins no case of another one.
        lamp = alarm_of(town, "pole-1")
        answer = post(wang, f"/alarms/{lamp}/ack", seen_level=1, decision="merge", case=other["id"])
        assert (answer.status_code, answer.json()["type"]) == (403, "wrong_area")
        assert town.get(f"/api/v1/alarms/{lamp}")["acked"] is False
        waiting = {each["id"] for each in wang.get("/api/v1/cases", params={"mine": "true"}).json()["items"]}
        assert mine["id"] in waiting and other["id"] not in waiting
    last = town.get(f"/api/v1/alarms/{there['id']}/history")["items"][-1]
    assert (last["actor"], last["action"], last["reason"]) == (
        "wang-s01", "ack_refused", "gas-2 is outside your area (s01).",
    )  # fmt: skip


def test_areas_are_changed_at_the_command_line(town: Town) -> None:
    """By keys of streets or districts, several by commas; whoever is logged in is out; nothing unknown is taken."""
    town.citydeck("user", "add", "zhao-area", *ROLES, "--area", "s01,s02")
    there = leak(town, "gas-2", 30)
    with town.client("zhao-area") as zhao:
        assert zhao.get("/api/v1/session").json()["areas"] == ["s01", "s02"]
        town.citydeck("user", "areas", "zhao-area", "--area", "s01")
        town.eventually(lambda: zhao.get("/api/v1/session").json()["user"] is None)
    with town.client("zhao-area") as zhao:
        assert post(zhao, f"/alarms/{there['id']}/comment", comment="x").status_code == 403
    town.citydeck("user", "areas", "zhao-area", "--area", "demo")
    with town.client("zhao-area") as zhao:
        assert post(zhao, f"/alarms/{there['id']}/comment", comment="x").status_code == 200
    town.citydeck("user", "areas", "zhao-area")
    assert "whole city" in line_of(town, "zhao-area")
    done = command(town, "user", "add", "li-area", *ROLES, "--area", "s09,s01", CITYDECK_USER_PASSWORD=PASSWORD)
    assert done.returncode == 1
    assert "--area: found 's09', expected keys of districts and streets: demo, s01, s02" in done.stderr
    assert "li-area" not in town.citydeck("user", "list")
