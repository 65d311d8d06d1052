"""Lighting control: every circuit with what was ordered and what its lamps say, and the orders with who gave them."""

from typing import Any

from dash import html

from cockpit.texts import Texts


def layout(say: Texts) -> list[Any]:
    """Return the page; its areas are filled by the modules named in ``data-mount``."""
    return [
        html.H1(say("lamps.title"), className="visually-hidden"),
        html.Section(
            [
                html.H2(say("lamps.circuits")),
                html.Div(className="lamps-bar", **{"data-mount": "lamps_bar"}),
                html.Div(className="lamps-circuits-area", **{"data-mount": "lamps_circuits"}),
            ],
            className="panel lamps-circuits",
        ),
        html.Section(
            [html.H2(say("lamps.orders")), html.Div(className="lamps-orders-area", **{"data-mount": "lamps_orders"})],
            className="panel lamps-orders",
        ),
    ]
