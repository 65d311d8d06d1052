"""Errors as RFC 9457 problem+json: a title for the class of trouble, a sentence for the person who met it.

The sentence is English. ``code`` is a stable word for it, ``values`` what it tells: by them a page says the same in the
language of its reader, from the texts ``problem.{code}``. Without a code of its own a refusal has that of its status.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ingest.errors import AlarmError, StoreError, plain


class Problem(Exception):
    """A refusal with its status, a sentence, and whatever else helps the client."""

    def __init__(
        self,
        status: int,
        detail: str,
        kind: str = "about:blank",
        *,
        code: str = "",
        values: Mapping[str, object] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.code = code or f"status_{status}"
        self.values = plain(values)
        self.more = more


def problem_response(
    status: int,
    detail: str,
    kind: str = "about:blank",
    *,
    code: str = "",
    values: Mapping[str, object] | None = None,
    **more: Any,
) -> JSONResponse:
    """Return a problem document."""
    document = {
        "type": kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code or f"status_{status}",
        "values": plain(values),
        **more,
    }
    return JSONResponse(document, status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Let every error of an application leave it as a problem."""

    async def _problem(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return problem_response(
            error.status, error.detail, error.kind, code=error.code, values=error.values, **error.more
        )

    async def _http(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return problem_response(error.status_code, str(error.detail))

    async def _validation(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        faults = [f"{'.'.join(map(str, fault['loc'][1:])) or 'body'}: {fault['msg']}" for fault in error.errors()]
        where = ", ".join(dict.fromkeys(".".join(map(str, fault["loc"][1:])) or "body" for fault in error.errors()))
        detail = f"The request does not fit: {'; '.join(faults)}."
        return problem_response(422, detail, code="request_unfit", values={"where": where})

    async def _away(_request: Request, error: Exception) -> JSONResponse:
        return problem_response(503, f"Try again in a moment: {error}.", code="away")

    async def _failed(_request: Request, _error: Exception) -> JSONResponse:
        return problem_response(500, "Something went wrong here; the server's log says what.")

    app.add_exception_handler(Exception, _failed)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(StoreError, _away)
    app.add_exception_handler(AlarmError, _away)
