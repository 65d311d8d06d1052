"""The bench: what there is to play, the run with its controls and its city, and drafts of rules tried on it."""

from typing import Any

from dash import html

from cockpit.texts import Texts


def layout(say: Texts) -> list[Any]:
    """Return the page; its areas are filled by the modules named in ``data-mount``."""
    return [
        html.H1(say("bench.title"), className="visually-hidden"),
        html.Section(
            [html.H2(say("bench.sources")), html.Div(**{"data-mount": "bench_sources"})],
            className="panel bench-sources",
        ),
        html.Section([html.H2(say("bench.run")), html.Div(**{"data-mount": "bench_run"})], className="panel bench-run"),
        html.Section(
            [html.H2(say("bench.alarms")), html.Div(**{"data-mount": "bench_alarms"})], className="panel bench-alarms"
        ),
        html.Section(className="panel bench-city", **{"data-mount": "bench_city", "aria-label": say("bench.city")}),
        html.Section(
            [html.H2(say("bench.trial")), html.Div(**{"data-mount": "bench_trial"})], className="panel bench-trial"
        ),
    ]
