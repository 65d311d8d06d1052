"""Cases: what is open and how long it still has, one case with everything about it, and how the streets do."""

from typing import Any

from dash import html

from cockpit.texts import Texts


def layout(say: Texts) -> list[Any]:
    """Return the page; its areas are filled by the modules named in ``data-mount``."""
    return [
        html.H1(say("cases.title"), className="visually-hidden"),
        html.Section(
            [
                html.Div(className="case-bar", **{"data-mount": "cases_bar"}),
                html.Div(className="case-list-area", **{"data-mount": "cases_list"}),
            ],
            className="case-list",
            **{"aria-label": say("cases.list")},
        ),
        html.Div(
            [
                html.Aside(
                    className="panel case-detail",
                    hidden=True,
                    **{"data-mount": "case_detail", "aria-label": say("cases.detail")},
                ),
                html.Section(
                    [
                        html.H2(say("cases.map")),
                        html.Div(className="case-map", **{"data-mount": "cases_map"}),
                    ],
                    className="panel case-map-panel",
                ),
                html.Section(
                    className="panel case-figures",
                    **{"data-mount": "cases_figures", "aria-label": say("cases.figures")},
                ),
            ],
            className="case-side",
        ),
    ]
