"""The wall display: tiles per kind, the map, live charts of the kinds, the alarm ticker; no navigation, no input."""

from typing import Any

from dash import html

from cockpit.texts import Texts

CHARTS = ("drone", "refuse_truck", "bridge_wim", "light_pole", "gas_alarm")


def layout(say: Texts) -> list[Any]:
    """Return the page; ``wall.mjs`` turns its scenes, each area fills itself."""
    return [
        html.H1(say("wall.title"), className="visually-hidden"),
        html.Section(
            className="wall-tiles tiles",
            **{"data-mount": "tiles", "data-big": "true", "aria-label": say("overview.kinds")},
        ),
        html.Section(
            [
                html.Div(className="map", **{"data-mount": "map_panel"}),
                html.Div(className="scene", **{"data-mount": "scenes"}),
                html.Div(className="takeover", role="alert", **{"data-mount": "takeover"}),
            ],
            className="wall-map",
            **{"aria-label": say("wall.map")},
        ),
        html.Section(
            [
                html.Article(className="panel chart-panel", **{"data-mount": f"chart_{kind}", "data-kind": kind})
                for kind in CHARTS
            ],
            className="wall-charts",
        ),
        html.Section(className="ticker", **{"data-mount": "ticker", "aria-label": say("overview.alarms")}),
    ]
