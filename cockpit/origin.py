"""Where a write may come from: this site's own pages, or a program; never a page of another site.

Session cookies are SameSite=Strict, so a foreign page's request brings none; what is checked here holds where a browser
does not keep to that, and for websockets. Bodies are JSON by their declared type, which no foreign form can send.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit


def foreign(headers: Mapping[str, str]) -> bool:
    """Tell whether a request was made by another site's page.

    Programs send neither header; a browser sends ``Origin`` with every write and websocket (``null`` where it hides
    it, which is no origin of ours), and ``Sec-Fetch-Site`` which no page can set.
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
