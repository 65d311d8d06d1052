"""Refused commands as problems, and the problems that a route may answer with, for its documentation."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict

from cockpit.fault_words import parted
from cockpit.problems import Problem
from ingest.errors import Refused, RefusedWhy

_STATUS: dict[RefusedWhy, int] = {
    "not_found": 404,
    "role": 403,
    "area": 403,
    "same_person": 403,
    "level_unknown": 422,
    "not_allowed": 422,
    "unfit": 422,
    "key_reused": 422,
}
_KINDS: dict[RefusedWhy, str] = {
    "level_changed": "level_changed",
    "closed": "occurrence_closed",
    "state": "wrong_state",
    "pending": "second_person_pending",
    "expired": "request_expired",
    "same_person": "same_person",
    "alarm_active": "alarm_active",
    "area": "wrong_area",
}


class ProblemDocument(BaseModel):
    """RFC 9457: a class of trouble and a sentence for the person who met it; ``alarm`` as it is now, where it helps.

    ``code`` is a stable word for the sentence and ``values`` what it tells, to say it in another language.
    """

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    values: dict[str, str | float | list[str]]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of the problems that a route answers with."""
    media = {"application/problem+json": {"schema": ProblemDocument.model_json_schema()}}
    return {status: {"description": HTTPStatus(status).phrase, "content": media} for status in statuses}


ACT_PROBLEMS = problems(401, 403, 404, 409, 422, 503)


def refusal(error: Refused, **more: Any) -> Problem:
    """Return a refused command as a problem."""
    kind = _KINDS.get(error.why, "about:blank")
    values = dict(error.values)
    if "faults" in values:
        more["faults"] = parted(values.pop("faults"))
    return Problem(_STATUS.get(error.why, 409), str(error), kind, code=error.code, values=values, **more)
