"""Rules: what is in force and where it comes from, drafts with their back-tests, and their way into force."""

from typing import Any

from dash import html

from cockpit.texts import Texts


def layout(say: Texts) -> list[Any]:
    """Return the page; its areas are filled by the modules named in ``data-mount``."""
    return [
        html.H1(say("rules.title"), className="visually-hidden"),
        html.Section(
            [html.H2(say("rules.revisions")), html.Div(**{"data-mount": "rules_revisions"})],
            className="panel rules-revisions",
        ),
        html.Section(
            className="panel rules-detail",
            **{"data-mount": "rules_detail", "aria-label": say("rules.revision")},
        ),
        html.Section(
            [html.H2(say("rules.in_force")), html.Div(**{"data-mount": "rules_table"})],
            className="panel rules-in-force",
        ),
    ]
