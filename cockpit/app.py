"""The cockpit as one ASGI application: REST and websocket (FastAPI), pages (Dash on the same server)."""

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from cockpit import problems
from cockpit.api import (
    account,
    alarm_acts,
    alarms,
    audit,
    bench,
    case_acts,
    cases,
    city,
    drills,
    evidence,
    exports,
    handovers,
    health,
    kpi,
    lamps,
    ledger,
    metrics,
    notices,
    past,
    raw,
    report,
    rules,
    silence,
    suppressions,
)
from cockpit.api.parts import Parts
from cockpit.backtests import Backtests
from cockpit.bench.desk import Bench
from cockpit.bench.proxy import PREFIX, CityProxy
from cockpit.board import Board
from cockpit.case_board import CaseBoard
from cockpit.city import City
from cockpit.drill.desk import Drills
from cockpit.drill.manners import DRILL, anybody
from cockpit.drill.manners import PREFIX as DRILL_PREFIX
from cockpit.guard import Guard
from cockpit.headers import inline_hashes, policy
from cockpit.kpi import Kpi
from cockpit.lamp_board import LampBoard
from cockpit.live import LiveCity
from cockpit.metrics import Measured
from cockpit.pages import build
from cockpit.pages.document import Documents
from cockpit.past import Past
from cockpit.past_boards import PastBoards
from cockpit.problems import problem_response
from cockpit.reading import Reader
from cockpit.rule_board import RuleBoard
from cockpit.sessions import Sessions
from cockpit.watch import Watch
from cockpit.world import World
from devices.site import Site
from ingest.alarms.database import open_alarms
from ingest.commands.dispatch import Dispatcher
from ingest.errors import StoreError
from ingest.places import Places
from ingest.stewardship import Stewardship
from ingest.store import open_store

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent
# The next levels save one byte in a hundred of our scripts and maps, and cost up to five times the CPU.
_PACKING = 6
# Questions that may wait for a database at a time, so that a store that hangs holds up no act: more than Python's own
# six of a machine with two cores, and fewer than the alarm database has connections (15).
_ASKING = 14
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def create_app(site: Site, places: Places, world: World) -> ASGIApp:
    """Return the application for a site.

    Args:
        site: what to show; of one that is replayed nobody is told, and nothing can be done in it.
        places: where the state of this installation, or of the replay, is.
        world: where live messages come from, what time it is there, and who may come in.

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
    reader = Reader(site, now, store, board, ruled, world.clock)
    clock_ms = world.clock.now_ms
    live = LiveCity(site, now, board, version, Watch(database, site, clock_ms()), world)
    sessions = Sessions(database, world.accounts)
    sessions.look(clock_ms())
    backtests = Backtests(database, site, places)
    # A city that is played is looked at through the bench, and has none itself.
    tried = None if site.replayed else Bench(site, places, database)
    exercises = None if tried is None else Drills(site, places, database, tried.sources, clock_ms)
    lit = LampBoard(database, site, now)
    dispatcher = None if world.broker is None else Dispatcher(database, world.broker, clock_ms, lit.reading)

    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_ASKING, "asking"))
        try:
            await reader.recall_passages()
        except StoreError as error:
            log.warning("the passages of before are not shown: %s", error)
        world.source.start(asyncio.get_running_loop(), live.hear)
        running = asyncio.gather(live.run(), sessions.run())
        # Where no collector is left, somebody still has to be told; of a replay nobody ever is.
        stewardship = None if site.replayed else Stewardship(site, database, "cockpit", clock_ms)
        if stewardship is not None:
            stewardship.start()
        if dispatcher is not None:
            dispatcher.start()
        if tried is not None:
            tried.runs.begin()
        if exercises is not None:
            await asyncio.to_thread(exercises.begin)
        yield
        if exercises is not None:
            await asyncio.to_thread(exercises.close)
        if tried is not None:
            await asyncio.to_thread(tried.runs.close)
        backtests.close()
        if dispatcher is not None:
            await asyncio.to_thread(dispatcher.stop)
        if stewardship is not None:
            await asyncio.to_thread(stewardship.stop)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await asyncio.to_thread(world.source.stop)
        store.close()
        database.close()

    api = FastAPI(title="CityDeck", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    token = os.environ.get("CITYDECK_METRICS_TOKEN", "")
    cased = CaseBoard(database, site)
    api.state.parts = Parts(
        site, live, reader, board, database, sessions, version, token,
        cases=cased, rules=ruled, backtests=backtests, places=places,
        lamps=lit, dispatcher=dispatcher, past_boards=PastBoards(database, board, cased),
        past=Past(site, store, database, board, reader, world.clock, version),
    )  # fmt: skip
    api.state.kpi = Kpi(site, store, database)
    problems.install(api)
    acts = (notices, alarm_acts, suppressions, silence, case_acts, rules, handovers, lamps)
    shown = (city, raw, alarms, audit, account, health, ledger, metrics, cases, kpi, exports, report, past, evidence)
    for module in (*shown, *acts):
        api.include_router(module.router)
    if tried is not None:
        api.state.bench = tried
        api.include_router(bench.router)
        api.mount(PREFIX, CityProxy(tried.runs), name="bench city")
    if exercises is not None:
        api.state.drills = exercises
        api.include_router(drills.router)
        proxy = CityProxy(exercises.runs, DRILL_PREFIX, anybody, DRILL)
        api.mount(DRILL_PREFIX, proxy, name="drill city")
    api.include_router(account.pages)
    hashes = _documentation(api, world.prefix)
    api.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")

    async def unknown(rest: str = "") -> JSONResponse:
        return problem_response(
            404,
            f"There is nothing at /api/{rest}; /docs lists what there is.",
            code="no_such_path",
            values={"path": rest},
        )

    # Before Dash, whose last route answers every other address with a page.
    for path in ("/api", "/api/{rest:path}"):
        api.add_api_route(path, unknown, methods=_METHODS, include_in_schema=False)
    dash = Documents(
        __name__,
        server=api,
        backend="fastapi",
        assets_folder=str(_HERE / "assets"),
        routes_pathname_prefix="/",
        requests_pathname_prefix=world.prefix,
        serve_locally=True,
    )
    build(dash, site, reader)
    inner = Measured(GZipMiddleware(api, minimum_size=1024, compresslevel=_PACKING), live.metrics.requests)
    return Guard(inner, sessions, policy([*dash.csp_hashes(), *hashes]), open_reading=site.simulated or site.replayed)


def asset_version() -> str:
    """Return a digest of everything a browser loads from here; a page with another one reloads itself."""
    digest = hashlib.blake2b(digest_size=8)
    for folder in ("assets", "pages", "static", "texts"):
        for path in sorted((_HERE / folder).rglob("*")):
            if path.is_file() and not {"vendor", "__pycache__"} & set(path.parts):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _documentation(api: FastAPI, prefix: str) -> list[str]:
    """Add the page about the API and return the sources of its inline scripts, for the policy."""
    page = get_swagger_ui_html(
        openapi_url=f"{prefix}openapi.json",
        title="CityDeck API",
        swagger_js_url=f"{prefix}static/vendor/swagger-ui/swagger-ui-bundle.js",
        swagger_css_url=f"{prefix}static/vendor/swagger-ui/swagger-ui.css",
        swagger_favicon_url=f"{prefix}static/icon.svg",
    )

    async def docs() -> HTMLResponse:
        return page

    options: dict[str, Any] = {"include_in_schema": False, "response_class": HTMLResponse}
    api.add_api_route("/docs", docs, **options)
    return inline_hashes(bytes(page.body).decode())
