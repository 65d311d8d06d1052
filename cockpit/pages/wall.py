"""The wall display: scenes of map and chart, tiles per kind, alarm ticker, case countdowns; no navigation, no input."""

from typing import Any

from dash import html

from cockpit.texts import Texts

CHARTS = ("drone", "refuse_truck", "bridge_wim", "light_pole", "gas_alarm")
# What the scene of cases shows in the place of a chart.
CASES = "cases"


def layout(say: Texts) -> list[Any]:
    """Return the page; ``scenes.mjs`` turns its scenes, each area fills itself."""
    return [
        html.H1(say("wall.title"), className="visually-hidden"),
        html.Section(
            className="wall-tiles tiles",
            **{"data-mount": "tiles", "data-big": "true", "aria-label": say("overview.kinds")},
        ),
        html.Section(
            [
                html.Div(className="scene", **{"data-mount": "scenes"}),
                html.Div(className="map", **{"data-mount": "map_panel", "data-scenes": "true"}),
                html.Div(className="takeover", role="alert", **{"data-mount": "takeover"}),
            ],
            className="wall-map",
            **{"aria-label": say("wall.map")},
        ),
        html.Section(
            [
                html.Article(
                    className=f"panel chart-panel chart-{kind}", **{"data-mount": f"chart_{kind}", "data-kind": kind}
                )
                for kind in (*CHARTS, CASES)
            ],
            className="wall-charts",
        ),
        html.Section(className="ticker", **{"data-mount": "ticker", "aria-label": say("overview.alarms")}),
        html.Section(className="wall-cases panel", **{"data-mount": "wall_cases", "aria-label": say("wall.cases")}),
    ]
