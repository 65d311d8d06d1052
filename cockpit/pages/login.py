"""The page to log in, which a site that is not open shows to whoever it does not know; it says nothing of the city."""

import html
import json

from cockpit.texts import texts
from devices.site import Site

_STYLES = ("10-tokens", "20-base", "30-shell", "40-parts")
# The dialog's own words, and what a log-in is refused with.
_SAID = (
    "login.", "problem.status_", "problem.too_many_logins", "problem.request_unfit", "problem.away",
    "problem.foreign_site",
)  # fmt: skip
_PAGE = """<!DOCTYPE html>
<html lang="{code}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="theme-color" content="#0b1118">
<title>{title}</title>
<link rel="icon" type="image/svg+xml" href="/static/icon.svg">
<link rel="stylesheet" href="/static/vendor/noto-sans-sc/wght.css">
{styles}
</head>
<body>
<div id="settings" hidden data-texts="{words}" data-language="{language}" data-timezone="{timezone}"
 data-title="{title}"></div>
<header class="header"><div class="brand"><span class="city">{city}</span><span class="product">{product}</span></div>
<div class="header-end"><a class="language" href="?{other_query}" lang="{other_code}">{other}</a></div></header>
<main id="content" class="page page-login"><section class="panel missing"><h1>{heading}</h1><p>{why}</p>
<div class="button-row"><button id="log-in" type="button" class="primary">{heading}</button></div></section></main>
<div id="toasts" class="toasts" role="status" aria-live="polite"></div>
<noscript>{no_script}</noscript>
<script type="module" src="/static/login.mjs"></script>
</body>
</html>
"""


def login_page(site: Site, language: str | None, why: str, other_query: str) -> str:
    """Return the page.

    Args:
        site: for the name of the city.
        language: zh or en; anything else is Chinese.
        why: ``screen`` when a screen came with a token that is none, anything else otherwise.
        other_query: the query of this page in the other language.
    """
    say = texts(language)
    used = {key: text for key, text in say.words.items() if key.startswith(_SAID)}
    values = {
        "code": "zh-CN" if say.language == "zh" else "en",
        "title": say("shell.title", page=say("login.title"), city=getattr(site.label, say.language)),
        "words": json.dumps(used, ensure_ascii=False),
        "language": say.language,
        "timezone": str(site.timezone),
        "city": getattr(site.label, say.language),
        "product": say("shell.product"),
        "other": say("shell.other_language"),
        "other_code": "en" if say.language == "zh" else "zh-CN",
        "other_query": other_query,
        "heading": say("login.title"),
        "why": say("login.screen_unknown") if why == "screen" else say("login.needed"),
        "no_script": say("shell.no_script"),
    }
    styles = "\n".join(f'<link rel="stylesheet" href="/assets/{name}.css">' for name in _STYLES)
    return _PAGE.format(styles=styles, **{key: html.escape(text) for key, text in values.items()})
