"""The cockpit as one ASGI application: REST and websocket (FastAPI), pages (Dash on the same server)."""

import asyncio
import hashlib
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from dash import Dash
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from cockpit import problems
from cockpit.accounts.demo import demo_accounts
from cockpit.api import (
    account,
    alarm_acts,
    alarms,
    audit,
    case_acts,
    cases,
    city,
    exports,
    health,
    kpi,
    ledger,
    metrics,
    notices,
    report,
    rules,
    silence,
    suppressions,
)
from cockpit.api.parts import Parts
from cockpit.backtests import Backtests
from cockpit.board import Board
from cockpit.case_board import CaseBoard
from cockpit.city import City
from cockpit.guard import Guard
from cockpit.headers import inline_hashes, policy
from cockpit.kpi import Kpi
from cockpit.link import LiveLink
from cockpit.live import LiveCity
from cockpit.metrics import Measured
from cockpit.pages import build
from cockpit.problems import problem_response
from cockpit.reading import Reader
from cockpit.rule_board import RuleBoard
from cockpit.sessions import Sessions
from cockpit.watch import Watch
from devices.site import Site
from ingest.address import BrokerAddress
from ingest.alarms.database import open_alarms
from ingest.errors import StoreError
from ingest.places import Places, site_secret
from ingest.stewardship import Stewardship
from ingest.store import open_store

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def create_app(site: Site, places: Places, broker: BrokerAddress, password: str) -> ASGIApp:
    """Return the application for a site.

    Args:
        site: what to show.
        places: where the state of this installation is.
        broker: where the live topics come from (MQTT 5).
        password: of the demo users, whom only a simulated site has.

    Raises:
        AlarmError: the alarm database cannot be used.
    """
    database = open_alarms(site, places)
    database.migrate()
    store = open_store(site, places)
    board = Board(database, site)
    version = asset_version()
    now = City(site)
    ruled = RuleBoard(database, site)
    reader = Reader(site, now, store, board, ruled)
    live = LiveCity(site, now, board, version, Watch(database, site, _clock_ms()))
    sessions = Sessions(database, demo_accounts(password, site_secret(places)) if site.simulated else {})
    sessions.look(_clock_ms())

    backtests = Backtests(database, site, places)

    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        try:
            await reader.recall_passages()
        except StoreError as error:
            log.warning("the passages of before are not shown: %s", error)
        live.link = LiveLink(broker, site_secret(places), asyncio.get_running_loop(), live.hear)
        live.link.start()
        running = asyncio.gather(live.run(), sessions.run())
        # Where no collector is left, somebody still has to be told.
        stewardship = Stewardship(site, database, "cockpit", _clock_ms)
        stewardship.start()
        yield
        backtests.close()
        await asyncio.to_thread(stewardship.stop)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await asyncio.to_thread(live.link.stop)
        store.close()
        database.close()

    api = FastAPI(title="CityDeck", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    token = os.environ.get("CITYDECK_METRICS_TOKEN", "")
    cased = CaseBoard(database, site)
    api.state.parts = Parts(
        site, live, reader, board, database, sessions, version, token,
        cases=cased, rules=ruled, backtests=backtests, places=places,
    )  # fmt: skip
    api.state.kpi = Kpi(site, store, database)
    problems.install(api)
    acts = (notices, alarm_acts, suppressions, silence, case_acts, rules)
    for module in (city, alarms, audit, account, health, ledger, metrics, cases, kpi, exports, report, *acts):
        api.include_router(module.router)
    api.include_router(account.pages)
    hashes = _documentation(api)
    api.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")

    async def unknown(rest: str = "") -> JSONResponse:
        return problem_response(404, f"There is nothing at /api/{rest}; /docs lists what there is.")

    # Before Dash, whose last route answers every other address with a page.
    for path in ("/api", "/api/{rest:path}"):
        api.add_api_route(path, unknown, methods=_METHODS, include_in_schema=False)
    dash = Dash(
        __name__,
        server=api,
        backend="fastapi",
        assets_folder=str(_HERE / "assets"),
        routes_pathname_prefix="/",
        requests_pathname_prefix="/",
        serve_locally=True,
    )
    build(dash, site, reader)
    inner = Measured(GZipMiddleware(api, minimum_size=1024), live.metrics.requests)
    return Guard(inner, sessions, policy([*dash.csp_hashes(), *hashes]), open_reading=site.simulated)


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


def asset_version() -> str:
    """Return a digest of everything a browser loads from here; a page with another one reloads itself."""
    digest = hashlib.blake2b(digest_size=8)
    for folder in ("assets", "pages", "static", "texts"):
        for path in sorted((_HERE / folder).rglob("*")):
            if path.is_file() and not {"vendor", "__pycache__"} & set(path.parts):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _documentation(api: FastAPI) -> list[str]:
    """Add the page about the API and return the sources of its inline scripts, for the policy."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="CityDeck API",
        swagger_js_url="/static/vendor/swagger-ui/swagger-ui-bundle.js",
        swagger_css_url="/static/vendor/swagger-ui/swagger-ui.css",
        swagger_favicon_url="/static/icon.svg",
    )

    async def docs() -> HTMLResponse:
        return page

    options: dict[str, Any] = {"include_in_schema": False, "response_class": HTMLResponse}
    api.add_api_route("/docs", docs, **options)
    return inline_hashes(bytes(page.body).decode())
