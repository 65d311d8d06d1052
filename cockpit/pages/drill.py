"""Exercises: the list of those that were, and the report on one."""

from typing import Any

from dash import html

from cockpit.texts import Texts


def layout(say: Texts) -> list[Any]:
    """Return the list; ``drill_list.mjs`` fills it."""
    return [
        html.H1(say("drill.title"), className="visually-hidden"),
        html.Section(
            [html.H2(say("drill.past")), html.Div(**{"data-mount": "drill_list"})], className="panel drill-list"
        ),
    ]


def report(say: Texts, name: str) -> list[Any]:
    """Return the report on one; ``drill_report.mjs`` fills it."""
    return [
        html.H1(say("drill.title"), className="visually-hidden"),
        html.Article(className="panel drill-report", **{"data-mount": "drill_report", "data-drill": name}),
    ]
