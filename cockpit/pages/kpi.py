"""Indicators over whole days: by kind of device and street, the load on operators, the closed loop, and the records."""

from typing import Any

from dash import html

from cockpit.texts import Texts

_KINDS = ("bridge_wim", "refuse_truck", "light_pole", "gas_alarm", "drone")


def layout(say: Texts) -> list[Any]:
    """Return the page; ``kpi_*.mjs`` fill it and keep it fresh."""

    def area(name: str) -> Any:
        return html.Section(
            className=f"panel kpi-panel kpi-{name}",
            **{"data-mount": f"kpi_{name}", "aria-label": say(f"kpi.area_{name}")},
        )

    return [
        html.H1(say("kpi.title"), className="visually-hidden"),
        html.Div(className="kpi-bar", **{"data-mount": "kpi_bar"}),
        html.Div([area(name) for name in (*_KINDS, "cases")], className="kpi-areas"),
        html.Div([area("load"), area("ranking")], className="kpi-areas kpi-areas-wide"),
    ]


def records(say: Texts) -> list[Any]:
    """Return the page of the records behind a figure, which its address names."""
    return [
        html.H1(say("kpi.records"), className="visually-hidden"),
        html.Section(className="panel kpi-records", **{"data-mount": "kpi_records", "aria-label": say("kpi.records")}),
    ]
