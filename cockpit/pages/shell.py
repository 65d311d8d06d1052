"""What surrounds every page: the document, the header with badge, clock, language and log-in, and the main area.

The server draws the frame and the words; the modules in ``cockpit/static`` fill what carries ``data-mount``.
"""

import json
from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from cockpit.texts import LANGUAGES, Texts, texts
from devices.site import Site
from ingest.alarms.shifts import SHIFT_STARTS

_OTHERS = ("wall", "duty", "cases", "lamps", "kpi", "rules", "bench", "health")
PAGES = (("overview", ""), *((key, key) for key in _OTHERS))
# What of a played city is worth looking at.
_REPLAYED = ("overview", "wall", "duty", "cases")
_MARKS = 6

_DOCUMENT = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
{%metas%}
<meta name="theme-color" content="#0b1118">
<title>{%title%}</title>
<link rel="icon" type="image/svg+xml" href="STATIC/icon.svg">
<link rel="stylesheet" href="STATIC/vendor/noto-sans-sc/wght.css">
<link rel="stylesheet" href="STATIC/vendor/maplibre-gl/maplibre-gl.css">
{%css%}
<link rel="modulepreload" href="STATIC/main.mjs">
<link rel="modulepreload" href="STATIC/live.mjs">
</head>
<body>
<noscript>NO_SCRIPT</noscript>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
<script type="module" src="STATIC/main.mjs"></script>
</body>
</html>
"""


def document(prefix: str) -> str:
    """Return the HTML around the Dash application; ``prefix`` is the path the cockpit is served under, with slashes."""
    words = " / ".join(texts(language)("shell.no_script") for language in ("zh", "en"))
    return _DOCUMENT.replace("STATIC", f"{prefix}static").replace("NO_SCRIPT", words)


def layout() -> Any:
    """Return what stands before any page is known: the address, the language, and the place for the rest."""
    return html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="language"),
            dcc.Store(id="rem"),
            html.Div(id="shell"),
        ]
    )


def framed(site: Site, say: Texts, page: str, prefix: str, content: Sequence[Any]) -> list[Any]:
    """Return a whole page: the header and the content.

    Args:
        site: for the name, the time zone and the watermark.
        say: the words.
        page: its key; ``wall`` gets the slim header.
        prefix: the path the cockpit is served under.
        content: the children of the main area.
    """
    city = getattr(site.label, say.language)
    settings = {
        "data-texts": json.dumps(dict(say.words), ensure_ascii=False, separators=(",", ":")),
        "data-language": say.language,
        "data-timezone": str(site.timezone),
        "data-shifts": " ".join(str(each.hour * 60 + each.minute) for each in SHIFT_STARTS),
        "data-title": say("shell.title", page=say(f"{page}.title"), city=city),
        **({"data-drill": "true"} if site.drill else {"data-replay": "true"} if site.replayed else {}),
    }
    timeless = page == "wall" or site.replayed
    nameless = page == "wall" or (site.replayed and not site.drill)
    return [
        html.Div(id="settings", hidden=True, **settings),
        html.A(say("shell.skip"), href="#content", className="skip"),
        html.Header(
            [
                html.Div(
                    [html.Span(city, className="city"), html.Span(say("shell.product"), className="product")],
                    className="brand",
                ),
                *([] if page == "wall" else [_navigation(say, page, prefix, site.replayed)]),
                html.Div(
                    [
                        *(
                            [html.Span(say("shell.simulated"), className="badge badge-simulated")]
                            if site.simulated
                            else []
                        ),
                        html.Div(**{"data-mount": "badge"}, className="live-badge"),
                        html.Div(**{"data-mount": "clock"}, className="clock"),
                        *([] if timeless else [_time_control()]),
                        *([] if nameless else [html.Div(**{"data-mount": "session"}, className="session")]),
                        _language_switch(say),
                    ],
                    className="header-end",
                ),
            ],
            className=f"header header-{page}",
        ),
        html.Div(**{"data-mount": "past_band"}, className="past-band", role="status"),
        *(_drill_bands() if site.drill else []),
        html.Main(content, id="content", className=f"page page-{page}", tabIndex="-1"),
        *([_replay_mark("drill.mark" if site.drill else "shell.replay")] if site.replayed else []),
        html.Div(**{"data-mount": "stale_cover"}, className="stale-cover", role="alert"),
        html.Div(id="toasts", className="toasts", role="status", **{"aria-live": "polite"}),
    ]


def _drill_bands() -> list[Any]:
    """Return what stands over every page of an exercise: what really happens meanwhile, and that this is one."""
    return [
        html.Div(**{"data-mount": "drill_break_in"}),
        html.Div(**{"data-mount": "drill_band"}, className="drill-band", role="status"),
    ]


def _replay_mark(key: str) -> Any:
    """Return what lies over a page of a played city, so that no picture of it passes for the live one."""
    words = " ".join(texts(language)(key) for language in LANGUAGES)
    marks = [html.Span(words) for _ in range(_MARKS)]
    return html.Div(marks, className="replay-mark", **{"aria-hidden": "true"})


def _time_control() -> Any:
    return html.Div(**{"data-mount": "time_control"}, className="time-control")


def _navigation(say: Texts, page: str, prefix: str, replayed: bool) -> Any:
    return html.Nav(
        [
            html.A(say(f"shell.{key}"), href=prefix + path, **({"aria-current": "page"} if key == page else {}))
            for key, path in PAGES
            if not replayed or key in _REPLAYED
        ],
        className="nav",
        **{"aria-label": say("shell.pages")},
    )


def _language_switch(say: Texts) -> Any:
    other = "en" if say.language == "zh" else "zh"
    code = "zh-CN" if other == "zh" else "en"
    return html.A(say("shell.other_language"), href=f"?lang={other}", className="language", lang=code, hrefLang=code)
