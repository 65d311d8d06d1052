"""What is shown for an address or a device that does not exist: what was asked for, and where to go instead."""

from typing import Any

from dash import html

from cockpit.pages.shell import PAGES
from cockpit.texts import Texts


def layout(say: Texts, prefix: str, title: str, detail: str) -> list[Any]:
    """Return the page with links to those that exist."""
    links = [html.A(say(f"shell.{key}"), href=prefix + path, className="button") for key, path in PAGES]
    return [
        html.Section(
            [html.H1(title), html.P(detail), html.Div(links, className="button-row")],
            className="panel missing",
        )
    ]
