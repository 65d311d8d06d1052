"""The overview: what is wrong in the city now, where, and who is on it; for the director, on a phone too."""

from typing import Any

from dash import html

from cockpit.texts import Texts


def layout(say: Texts) -> list[Any]:
    """Return the page; its areas are filled by the modules named in ``data-mount``."""
    return [
        html.H1(say("overview.title"), className="visually-hidden"),
        html.Section(
            className="panel headline-panel", **{"data-mount": "overview_headline", "aria-label": say("overview.wrong")}
        ),
        html.Section(
            [
                html.H2(say("overview.alarms")),
                html.Div(className="alarm-cards", **{"data-mount": "overview_alarms"}),
            ],
            className="panel overview-alarms",
        ),
        html.Section(
            [
                html.H2(say("overview.kinds")),
                html.Div(className="tiles", **{"data-mount": "tiles"}),
            ],
            className="panel overview-kinds",
        ),
        html.Section(
            [
                html.H2(say("overview.map")),
                html.Div(className="map", **{"data-mount": "map_panel", "data-interactive": "true"}),
            ],
            className="panel overview-map",
        ),
    ]
