"""The duty desk: the alarm list, and the evidence of the alarm that is chosen; keyboard first."""

from datetime import datetime
from typing import Any

import dash_ag_grid
from dash import Dash, Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from cockpit.pages.figures import FigureStyle, series_figure
from cockpit.pages.reader import CityReader, Record
from cockpit.pages.time_window import window_of
from cockpit.texts import Texts, texts
from devices.site import Site

_AROUND_MS = 30 * 60 * 1000
_GRAPH = {"displayModeBar": False, "responsive": True}


def layout(say: Texts) -> list[Any]:
    """Return the page; ``duty.mjs`` fills the list and handles keys and acknowledgements."""
    return [
        html.H1(say("duty.title"), className="visually-hidden"),
        html.Section(
            [
                html.Div(className="duty-bar", **{"data-mount": "duty_bar"}),
                html.Div(className="drill-lane", hidden=True, **{"data-mount": "drill_lane"}),
                html.Div(className="duty-since", hidden=True, **{"data-mount": "duty_since"}),
                html.Div(className="duty-requests", hidden=True, **{"data-mount": "duty_requests"}),
                html.Div(
                    dash_ag_grid.AgGrid(
                        id="duty-grid",
                        columnDefs=_columns(say),
                        rowData=[],
                        getRowId="params.data.id",
                        columnSize=None,
                        dashGridOptions={
                            "theme": {"function": "citydeckGridTheme(themeQuartz)"},
                            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
                            "suppressCellFocus": True,
                            "animateRows": False,
                            "asyncTransactionWaitMillis": 50,
                            "suppressNoRowsOverlay": True,
                            "rowClassRules": {
                                f"row-{state}": f"params.data.state == '{state}'"
                                for state in ("UNACK", "ACKED", "RTN_UNACK", "LATCHED")
                            },
                        },
                        style={"height": "100%", "width": "100%"},
                    ),
                    className="duty-grid",
                ),
                html.Div(className="duty-cards alarm-cards", **{"data-mount": "duty_cards"}),
            ],
            className="duty-list",
            **{"aria-label": say("duty.alarms"), "data-mount": "duty"},
        ),
        html.Aside(
            [
                html.Div(className="evidence-facts", **{"data-mount": "evidence"}),
                html.Div(
                    [
                        html.H3(say("duty.chart")),
                        dcc.Graph(id="evidence-graph", className="graph", config=_GRAPH, responsive=True),
                    ],
                    id="evidence-chart",
                    className="evidence-chart",
                    hidden=True,
                ),
                html.Div(className="evidence-place", hidden=True, **{"data-mount": "evidence_place"}),
            ],
            className="panel evidence",
            id="evidence-panel",
            **{"aria-label": say("duty.evidence")},
        ),
        dcc.Store(id="evidence-alarm"),
    ]


def _columns(say: Texts) -> list[dict[str, Any]]:
    def column(field: str, text: str, width: int, **more: Any) -> dict[str, Any]:
        return {
            "field": field,
            "headerName": say(text),
            "initialFlex": width,
            "sortable": False,
            "resizable": True,
            **more,
        }

    # Widths as they fit on a screen of 1920 pixels in the longer language; on a wider one they keep their shares.
    return [
        # The order of the list is the product's, not the reader's: the worst on top, always.
        {"field": "rank", "hide": True, "sort": "asc", "sortable": True, "sortIndex": 0},
        {"field": "raised_ms", "hide": True, "sort": "desc", "sortable": True, "sortIndex": 1},
        column("priority", "duty.priority", 146, cellRenderer="PriorityCell", minWidth=150),
        column("state_text", "duty.state", 188, cellRenderer="StateCell", minWidth=150),
        column("what", "duty.what", 237, minWidth=150),
        column("value_text", "duty.value", 146, minWidth=130, cellClass="numeric"),
        column("place", "duty.place", 138, minWidth=110),
        column("device_text", "duty.device", 184, minWidth=150),
        column("raised_text", "duty.raised", 112, minWidth=100, cellClass="numeric"),
        column("since_text", "duty.since", 106, minWidth=100, cellClass="numeric"),
        column("acked_text", "duty.acked", 132, minWidth=130),
    ]


def callbacks(app: Dash, site: Site, city: CityReader) -> None:
    """Register the chart of the evidence."""

    @app.callback(  # type: ignore[untyped-decorator]
        Output("evidence-graph", "figure"),
        Output("evidence-chart", "hidden"),
        Input("evidence-alarm", "data"),
        State("language", "data"),
        State("rem", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    async def _draw(
        alarm: Record | None, language: str | None, rem: float | None, search: str | None
    ) -> tuple[Any, bool]:
        if alarm is None:
            raise PreventUpdate
        kind = site.catalog.kinds.get(str(alarm.get("kind")))
        name = str(alarm.get("field") or "")
        if kind is None or not name:
            return {"data": [], "layout": {}}, True
        raised_ms = int(datetime.fromisoformat(str(alarm["raised_at"])).timestamp() * 1000)
        stop_ms = min(raised_ms + _AROUND_MS, window_of(search, city.now_ms()).stop_ms)
        series = await city.series(str(alarm["device"]), name, raised_ms - _AROUND_MS, stop_ms, 600)
        style = FigureStyle(texts(language), site.timezone, rem or 16.0)
        figure = series_figure(kind, name, series, [alarm], style, raised_ms - _AROUND_MS, stop_ms)
        return figure, not series.get("points")
