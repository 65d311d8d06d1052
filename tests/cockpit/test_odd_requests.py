"""What no client of ours sends: refused with a sentence, never as if the cockpit or its database had failed."""

import json
from typing import Any

import pytest

from tests.cockpit.town import Town

HUGE = 10**30


@pytest.mark.parametrize(
    "path", ["/api/v1/alarms/%00", "/api/v1/cases/%00", "/api/v1/audit?point=gas%00", "/api/v1/alarms?device=%00"]
)
def test_a_nul_is_part_of_no_name(town: Town, path: str) -> None:
    """PostgreSQL would refuse it, and that would look like a database that is away."""
    with town.client("leader") as leader:
        answer = leader.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert leader.post(path, json={"idempotency_key": "nul"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/login", {"user": "a\0b", "password": "x"}),
        ("/api/v1/notices/revive", {"keys": ["a\0b"], "idempotency_key": "nul2"}),
    ],
)
def test_a_nul_in_a_body(town: Town, path: str, body: dict[str, Any]) -> None:
    with town.client("leader") as leader:
        assert leader.post(path, json=body).status_code == 422


@pytest.mark.parametrize("number", [HUGE, 2**31, 0, -1])
def test_a_revision_that_no_database_can_count_to(town: Town, number: int) -> None:
    with town.client("engineer") as engineer:
        assert engineer.get(f"/api/v1/rules/revisions/{number}").status_code == 404
        path = f"/api/v1/rules/revisions/{number}/discard"
        body: dict[str, Any] = {"idempotency_key": f"n{number}"}
        assert engineer.post(path, json=body).status_code == 404
        if number > 0:
            body = {"to": number, "reason": "x", "idempotency_key": f"b{number}"}
            assert engineer.post("/api/v1/rules/rollback", json=body).status_code == 404


@pytest.mark.parametrize("where", ["limits", "limits_for", "withdraw"])
def test_half_a_character_in_a_draft(town: Town, where: str) -> None:
    """JSON can spell it; no database keeps it."""
    odd = {"gas_alarm": {"conc_pct_lel": {"source": "\ud800"}}}
    body = {
        "idempotency_key": f"half {where}", "reason": "x", "source": "y", where: odd if where == "limits" else [odd],
    }  # fmt: skip
    content, headers = json.dumps(body), {"Content-Type": "application/json"}
    with town.client("engineer") as engineer:
        answer = engineer.post("/api/v1/rules/revisions", content=content, headers=headers)
    assert answer.status_code == 422
    assert "half of one" in answer.json()["detail"]
