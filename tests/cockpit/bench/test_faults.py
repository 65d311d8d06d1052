"""Faults laid over a scenario in a run: each of them does what it says, and what means nothing is told at once."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from simulators.scenario import COMMAND_FAULTS, FAULTS
from tests.cockpit.gas_town import gas_town
from tests.cockpit.town import Town
from tests.servers.waiting import wait_until

PATIENCE_S = 90
BENCH = "/api/v1/bench"
LEAK, CALM = "gas-0042", "gas-0041"
HIGH, CLOCK = "gas_alarm.conc_pct_lel.high", "gas_alarm.clock"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with gas_town(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture(scope="module")
def engineer(town: Town) -> Iterator[httpx.Client]:
    with town.client("engineer") as client:
        yield client


def played(client: httpx.Client, *faults: str) -> tuple[dict[str, Any], set[tuple[str, str]]]:
    """Play a leak with faults over it, and return the run, and which rule was raised where."""
    answer = client.post(f"{BENCH}/runs", json={"scenario": "gas_leak", "speed": "max", "faults": [*faults]})
    assert answer.status_code == 201, answer.text
    run = f"{BENCH}/runs/{answer.json()['id']}"

    def over() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(run).json()
        return found if found["over"] and (found["messages"] or found["state"] == "failed") else None

    told = wait_until(over, PATIENCE_S, 0.1)
    assert told is not None
    assert told["state"] == "ended", told["sentence"]
    items = client.get(f"{told['city']}api/v1/alarms", params={"state": "all", "limit": 500}).json()["items"]
    assert client.delete(run).status_code == 204
    return told, {(item["rule"], item["device"]) for item in items}


@pytest.fixture(scope="module")
def plain(engineer: httpx.Client) -> tuple[dict[str, Any], set[tuple[str, str]]]:
    return played(engineer)


LAID = {
    "garbled": f"garbled:{LEAK}:share=0.5",
    "clock_wrong": f"clock_wrong:{LEAK}:amount=86400",
    "stuck": f"stuck:{LEAK}:fields=conc_pct_lel",
    "silent": f"silent:{LEAK}",
    "drift": f"drift:{CALM}:amount=0.5:fields=conc_pct_lel",
    "spike": f"spike:{CALM}:amount=60:fields=conc_pct_lel",
    "late": f"late:{LEAK}:amount=2",
    "twice": f"twice:{LEAK}",
}


def test_every_fault_that_can_be_heard_is_laid_here(engineer: httpx.Client) -> None:
    told = {each["key"]: each["needs_amount"] for each in engineer.get(f"{BENCH}/sources").json()["faults"]}
    assert LAID.keys() == told.keys() == FAULTS.keys() - COMMAND_FAULTS
    assert {key for key, needs in told.items() if needs} == {key for key, word in LAID.items() if "amount" in word}


# One of those that change what is said, one that hinders its decoding, one that keeps it back.
IN_SHORT = {"drift", "garbled", "silent"}


@pytest.mark.parametrize(
    "fault", [fault if fault in IN_SHORT else pytest.param(fault, marks=pytest.mark.long) for fault in LAID]
)
def test_a_fault_lies_over_the_scenario_of_a_run(
    engineer: httpx.Client, plain: tuple[dict[str, Any], set[tuple[str, str]]], fault: str
) -> None:
    run, raised = played(engineer, LAID[fault])
    calm, usual = plain
    assert run["faults"] == [LAID[fault]]
    assert ((HIGH, LEAK) in usual, (HIGH, CALM) in usual, calm["faults"], calm["quarantined"]) == (True, False, [], 0)
    assert ((HIGH, LEAK) in raised) == (fault not in ("stuck", "silent"))
    assert ((HIGH, CALM) in raised) == (fault in ("drift", "spike"))
    assert ((CLOCK, LEAK) in raised) == (fault == "clock_wrong")
    assert (run["quarantined"] > 0) == (fault == "garbled")
    assert (run["messages"] > calm["messages"]) == (fault == "twice")
    assert (run["messages"] < calm["messages"]) == (fault == "silent")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"scenario": "gas_leak", "faults": ["stock:gas-0042"]}, "did you mean 'stuck'?"),
        ({"scenario": "gas_leak", "faults": ["silent:gas-9999"]}, "is no device, kind or street of the site"),
        ({"scenario": "gas_leak", "faults": ["--list-scenarios"]}, "expected NAME:WHERE"),
        ({"scenario": "gas_leak", "faults": ["drift:gas-0042"]}, "drift needs an amount"),
        ({"scenario": "gas_leak", "faults": ["silent:gas-0042"] * 21}, "at most 20"),
        ({"journal": {}, "faults": ["silent:gas-0042"]}, "faults are laid over a scenario"),
    ],
)
def test_what_means_nothing_is_told_and_begins_nothing(engineer: httpx.Client, body: dict[str, Any], said: str) -> None:
    answer = engineer.post(f"{BENCH}/runs", json=body)
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
    assert engineer.get(f"{BENCH}/runs").json()["items"] == []
