"""The headers that tell a browser how little the pages need, so that an injected script finds nothing it may do."""

import base64
import hashlib
import re
from collections.abc import Sequence

_MONTH = "max-age=2592000"
_YEAR = "max-age=31536000"
_SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<text>.*?)</script>", re.DOTALL)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def policy(script_hashes: Sequence[str]) -> str:
    """Return the content security policy: everything from here alone, no evaluated text, inline scripts by their hash.

    Styles may be inline: plotly and the grid write style attributes. MapLibre makes its worker and images as blobs.
    """
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(("'self'", *script_hashes)),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "manifest-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def inline_hashes(page: str) -> list[str]:
    """Return the sources that allow the inline scripts of a page and no others."""
    texts = [found["text"] for found in _SCRIPT.finditer(page) if "src=" not in found["attributes"]]
    return [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts]


def security_headers(content_policy: str, path: str, *, tls: bool) -> dict[str, str]:
    """Return what every answer carries unless it says otherwise itself."""
    # The bench shows the played city in a frame, which comes from here too; no other page has any.
    framing = "; frame-src 'self'" if path.rstrip("/") == "/bench" else ""
    found = {**_ALWAYS, "Content-Security-Policy": content_policy + framing}
    if tls:
        found["Strict-Transport-Security"] = _YEAR
    # Without a word on it a browser keeps old modules beside new ones after an upgrade.
    found["Cache-Control"] = _MONTH if "/vendor/" in path else "no-cache"
    return found
