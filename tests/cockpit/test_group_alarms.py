"""Alarms of a whole circuit over HTTP: one fault with its members, at a place, with the unit to call."""

import time
from collections.abc import Iterator

import pytest

from tests.cockpit.town import Town
from tests.sites import small_site_text

LAMPS = tuple(f"circuit-lamp-{n}" for n in range(6))
CIRCUIT = "".join(
    f'[[devices]]\nid = "{lamp}"\nkind = "light_pole"\nstreet = "s01"\ngrid = "s01-01"\ncircuit = "F-1"\n'
    f'responsible = "unit-gas"\nlat = 30.3{n}\nlon = 120.1\n'
    for n, lamp in enumerate(LAMPS)
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town of its own with a circuit of six lamps."""
    with Town(tmp_path_factory.mktemp("circuit"), small_site_text(tail=CIRCUIT)) as running:
        yield running


def test_five_lamps_are_one_alarm_that_says_how_many_stand_behind_it(town: Town) -> None:
    for lamp in LAMPS:
        town.say("light_pole", lamp, {"lamp_fail": 1})
    found = town.until(
        "/api/v1/alarms",
        lambda page: any(each["members"] == 6 for each in page["items"]),
        device="circuit:F-1",
    )
    (whole,) = found["items"]
    assert (whole["rule"], whole["priority"], whole["value"]) == ("light_pole.circuit_fault", "P2", 5.0)
    assert whole["device_name"] == {"zh": "回路 F-1", "en": "Circuit F-1"}
    assert whole["rule_name"]["en"] == "circuit fault"
    assert (whole["street"], whole["grid"], round(whole["lat"], 3)) == ("s01", "s01-01", 30.325)
    assert whole["responsible"]["phone"] == "0571-5550-0101"


def test_members_are_folded_under_it_and_counted_as_hidden(town: Town) -> None:
    page = town.get("/api/v1/alarms", kind="light_pole")
    lamps = [each for each in page["items"] if each["device"] in LAMPS]
    assert {each["cause"] for each in lamps} == {"circuit:F-1"}
    assert {each["suppression"] for each in lamps} == {"by_design"}
    assert page["counts"]["by_design"] == 6


def test_a_street_shows_the_alarms_of_its_circuits(town: Town) -> None:
    in_first = {each["device"] for each in town.get("/api/v1/alarms", street="s01")["items"]}
    in_second = {each["device"] for each in town.get("/api/v1/alarms", street="s02")["items"]}
    assert "circuit:F-1" in in_first
    assert "circuit:F-1" not in in_second


def test_when_lamps_shine_again_the_rest_stand_on_their_own(town: Town) -> None:
    now_ms = time.time_ns() // 1_000_000
    for lamp in LAMPS[:2]:
        # A clock a minute ahead is believed; an off-delay counts the time of the device.
        for at_ms in (now_ms, now_ms + 61_000):
            town.say("light_pole", lamp, {"lamp_fail": 0}, ts=at_ms)
    page = town.until(
        "/api/v1/alarms",
        lambda page: all(not each["active"] for each in page["items"]),
        device="circuit:F-1",
    )
    assert page["items"][0]["members"] == 0
    left = town.get("/api/v1/alarms", device=LAMPS[5])["items"]
    assert [(each["cause"], each["suppression"]) for each in left] == [(None, "none")]
