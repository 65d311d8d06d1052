"""The pages of the cockpit: Dash draws frames, words and forms; the modules in ``cockpit/static`` keep them alive.

``build`` is all the rest of the cockpit needs to know.
"""

from typing import Any
from urllib.parse import unquote

from dash import ClientsideFunction, Dash, Input, Output

from cockpit.pages import bench, cases, device, drill, duty, health, kpi, lamps, missing, overview, rules, shell, wall
from cockpit.pages.reader import CityReader
from cockpit.texts import texts
from devices.site import Site

__all__ = ["CityReader", "build"]


def build(app: Dash, site: Site, city: CityReader) -> None:
    """Give a Dash application its document, layout and callbacks.

    The application must serve ``cockpit/assets`` as its assets and ``cockpit/static`` under ``static/``.

    Args:
        app: a Dash application on its FastAPI backend.
        site: names, kinds and where devices stand.
        city: history and alarms for what is drawn on the server.
    """
    prefix = app.config.requests_pathname_prefix or "/"
    app.title = site.label.zh
    app.config.update_title = None
    app.config.suppress_callback_exceptions = True
    app.index_string = shell.document(prefix)
    app.layout = shell.layout()
    app.clientside_callback(
        ClientsideFunction("citydeck", "settings"),
        Output("language", "data"),
        Output("rem", "data"),
        Input("url", "search"),
    )

    @app.callback(  # type: ignore[untyped-decorator]
        Output("shell", "children"),
        Input("url", "pathname"),
        Input("language", "data"),
        prevent_initial_call=True,
    )
    async def _show(pathname: str | None, language: str | None) -> Any:
        say = texts(language)
        page, content = await _page(pathname or prefix)
        return shell.framed(site, say, page, prefix, content(say))

    async def _page(pathname: str) -> tuple[str, Any]:
        path = unquote(pathname.removeprefix(prefix.rstrip("/"))).strip("/")
        match path.split("/"):
            case [""]:
                return "overview", overview.layout
            case ["wall"]:
                return "wall", wall.layout
            case ["duty"]:
                return "duty", duty.layout
            case ["cases"]:
                return "cases", cases.layout
            case ["lamps"] if not site.replayed:
                return "lamps", lamps.layout
            case ["kpi"]:
                return "kpi", kpi.layout
            case ["kpi", "records"]:
                return "kpi", kpi.records
            case ["rules"]:
                return "rules", rules.layout
            case ["bench"] if not site.replayed:
                return "bench", bench.layout
            case ["drill"] if not site.replayed:
                return "drill", drill.layout
            case ["drill", name] if not site.replayed:
                return "drill", lambda say: drill.report(say, name)
            case ["health"]:
                return "health", health.layout
            case ["device", name]:
                found = await city.device(name)
                if found is not None:
                    return "device", lambda say: device.layout(say, site, found)
                return "missing", lambda say: missing.layout(
                    say, prefix, say("device.unknown", device=name), say("device.unknown_detail")
                )
        return "missing", lambda say: missing.layout(
            say, prefix, say("missing.title"), say("missing.detail", path=f"/{path}")
        )

    duty.callbacks(app, site, city)
    device.callbacks(app, site, city)
    # Dash ends its set-up at the first request of "/" alone: a wall that asks for /wall first after a restart would get
    # a page without styles and scripts.
    app._setup_server()
