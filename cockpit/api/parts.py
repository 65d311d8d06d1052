"""What the routers of the API share: the parts of the running cockpit, pages of lists, and who is asking."""

from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from cockpit.backtests import Backtests
from cockpit.board import Board
from cockpit.case_board import CaseBoard
from cockpit.guard import current_user
from cockpit.lamp_board import LampBoard
from cockpit.live import LiveCity
from cockpit.past import Past
from cockpit.past_boards import PastBoards
from cockpit.problems import Problem
from cockpit.reading import Reader
from cockpit.rule_board import RuleBoard
from cockpit.sessions import Sessions, User
from devices.site import Site
from ingest.alarms.audit import Person
from ingest.alarms.database import AlarmDatabase
from ingest.commands.dispatch import Dispatcher
from ingest.places import Places

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a request may need."""

    site: Site
    live: LiveCity
    reader: Reader
    board: Board
    database: AlarmDatabase
    sessions: Sessions
    asset_version: str
    metrics_token: str = ""
    cases: CaseBoard = field(kw_only=True)
    rules: RuleBoard = field(kw_only=True)
    backtests: Backtests = field(kw_only=True)
    places: Places = field(kw_only=True)
    lamps: LampBoard = field(kw_only=True)
    past: Past = field(kw_only=True)
    past_boards: PastBoards = field(kw_only=True)
    # Nobody can be commanded in a city that is only played.
    dispatcher: Dispatcher | None = field(kw_only=True)


def parts_of(request: Request) -> Parts:
    """Return the parts of the application that serves a request."""
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts


def require_user() -> User:
    """Return who is logged in.

    Raises:
        Problem: 401.
    """
    user = current_user.get()
    if user is None:
        raise Problem(401, "Log in first: POST /api/v1/login with user and password.", code="log_in")
    return user


def asking(parts: Parts, request: Request) -> Person:
    """Return who is logged in, as somebody who acts.

    Raises:
        Problem: 401.
    """
    user = require_user()
    address = request.client.host if request.client else ""
    return Person(user.name, user.roles, address, parts.board.area(user.areas))


def page(items: list[Any], limit: int, offset: int) -> Document:
    """Return a list document from up to ``limit + 1`` items beginning at ``offset``."""
    return {"items": items[:limit], "next": str(offset + limit) if len(items) > limit else None}


def offset_of(cursor: str | None) -> int:
    """Return where a page begins.

    Raises:
        Problem: 422, the cursor is not one of ours.
    """
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 9):
        raise Problem(422, f"cursor {cursor!r} is not one that this list gave.", code="bad_cursor")
    return int(cursor)
