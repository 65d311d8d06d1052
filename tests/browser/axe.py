"""axe-core in a page: what a person with a screen reader or without colours would stumble over."""

from pathlib import Path

from playwright.sync_api import Page

_SOURCE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
_SERIOUS = {"serious", "critical"}


def serious_findings(page: Page) -> list[str]:
    """Return the serious findings on a page as it stands, one sentence each; an empty list is what to expect."""
    # As a program and not as a script element, which a content security policy would refuse.
    page.evaluate(_SOURCE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{finding['id']}: {finding['help']}: {node['html'][:200]}"
        for finding in found["violations"]
        if finding["impact"] in _SERIOUS
        for node in finding["nodes"]
    ]
