"""One device: what it says now, its history with the limits drawn, its alarms, and what happened to itself."""

import json
from datetime import datetime
from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from cockpit.pages.figures import FigureStyle, series_figure
from cockpit.pages.reader import CityReader, Record
from cockpit.pages.time_window import window_of
from cockpit.texts import Texts, texts
from devices.kind import Field, Kind
from devices.site import Site

_WINDOWS = {"1h": 3_600_000, "6h": 21_600_000, "24h": 86_400_000, "7d": 604_800_000}
_REFRESH_MS = 30_000
_GRAPH = {"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def layout(say: Texts, site: Site, device: Record) -> list[Any]:
    """Return the page of a known device; ``device_*.mjs`` keep its facts and values up to date."""
    name = str(device["id"])
    kind = site.catalog.kinds.get(str(device["kind"]))
    fields = plottable(kind) if kind else []
    chosen = next((f.key for f in fields if kind and f.key == kind.headline), fields[0].key if fields else None)
    controls = {
        "data-fields": json.dumps([[field.key, getattr(field, say.language)] for field in fields]),
        "data-windows": json.dumps({key: say(f"device.window_{key}") for key in _WINDOWS}),
        "data-field": chosen or "",
    }
    target = {"data-device": name}
    return [
        html.Section(className="panel device-head", **{"data-mount": "device_head", **target}),
        *(
            [html.Section(className="panel device-lamp", **{"data-mount": "lamp_panel", **target})]
            if _is_lamp(site, name) and not site.replayed
            else []
        ),
        html.Section(
            [
                html.Div(
                    [
                        html.H2(say("device.history")),
                        html.Div(className="device-choice", **{"data-mount": "device_controls", **controls}),
                    ],
                    className="device-controls",
                ),
                dcc.Graph(id="device-graph", className="graph", config=_GRAPH, responsive=True),
            ],
            className="panel device-history",
        ),
        html.Section(
            [html.H2(say("device.values")), html.Div(className="scroll", **{"data-mount": "device_values", **target})],
            className="panel device-values",
        ),
        html.Section(
            [html.H2(say("device.alarms")), html.Div(**{"data-mount": "device_alarms", **target})],
            className="panel device-alarms",
        ),
        html.Section(
            [html.H2(say("device.health")), html.Div(**{"data-mount": "device_health", **target})],
            className="panel device-health",
        ),
        dcc.Store(id="device-of-page", data={"id": name, "kind": str(device["kind"])}),
        dcc.Store(id="device-view", data={"field": chosen, "window": next(iter(_WINDOWS))}),
        dcc.Interval(id="device-refresh", interval=_REFRESH_MS),
    ]


def _is_lamp(site: Site, name: str) -> bool:
    device = site.devices.get(name)
    return device is not None and device.kind == "light_pole" and (not device.fitted or "light_pole" in device.fitted)


def plottable(kind: Kind) -> list[Field]:
    """Return the fields of a kind that a chart can show: quantities, flags and codes, each key once."""
    found = {f.key: f for m in kind.measurements for f in m.fields if f.type != "text" and not f.tag}
    return list(found.values())


def _raised_ms(alarm: Record) -> int:
    return round(datetime.fromisoformat(str(alarm["raised_at"])).timestamp() * 1000)


def callbacks(app: Dash, site: Site, city: CityReader) -> None:
    """Register the chart of the chosen field and window."""

    @app.callback(  # type: ignore[untyped-decorator]
        Output("device-graph", "figure"),
        Input("device-view", "data"),
        Input("device-refresh", "n_intervals"),
        State("device-of-page", "data"),
        State("language", "data"),
        State("rem", "data"),
        State("url", "search"),
    )
    async def _draw(
        view: Record, tick: int | None, device: Record, language: str | None, rem: float | None, search: str | None
    ) -> Any:
        kind = site.catalog.kinds.get(str(device["kind"]))
        name = view["field"]
        window = window_of(search, city.now_ms())
        if kind is None or name is None or (tick and window.past):
            raise PreventUpdate
        stop_ms = window.stop_ms
        start_ms = stop_ms - _WINDOWS[view["window"]]
        if window.start_ms is not None and view.get("span", True):
            start_ms = window.start_ms
        series = await city.series(str(device["id"]), name, start_ms, stop_ms, 1200)
        # They stand where the limits do.
        known = [] if series["limits_unread"] else await city.alarms(str(device["id"]), 100)
        alarms = [alarm for alarm in known if _raised_ms(alarm) <= stop_ms]
        style = FigureStyle(texts(language), site.timezone, rem or 16.0)
        return series_figure(kind, name, series, alarms, style, start_ms, stop_ms)
