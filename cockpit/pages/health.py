"""Health: the nothing-lost ledger hop by hop, how far behind store and alarms are, silent devices, quarantine."""

from typing import Any

from dash import html

from cockpit.texts import Texts


def layout(say: Texts) -> list[Any]:
    """Return the page; ``health_*.mjs`` fill it and keep it fresh."""

    def area(name: str, title: str, mount: str, **more: str) -> Any:
        return html.Section(
            [html.H2(say(title)), html.Div(**{"data-mount": mount, **more})],
            className=f"panel health-{name}",
            id=name,
        )

    return [
        html.H1(say("health.title"), className="visually-hidden"),
        html.Section(className="panel headline-panel", **{"data-mount": "health_headline"}),
        area("flow", "health.flow", "health_flow"),
        area("lag", "health.lag", "health_lag"),
        html.Div(
            [
                area("kinds", "health.by_kind", "health_rows"),
                area("quarantine", "health.quarantine", "health_quarantine"),
                area("sources", "health.sources", "health_sources"),
            ],
            className="health-column health-main",
        ),
        html.Div(
            [
                area("shards", "health.collectors", "health_shards"),
                area("notices", "health.notices", "health_notices"),
                area("silent", "health.silent", "health_silence", **{"data-state": "silent"}),
                area("never", "health.never_heard", "health_silence", **{"data-state": "never"}),
            ],
            className="health-column health-aside",
        ),
    ]
