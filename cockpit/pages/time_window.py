"""The time window that stands in the address of a page, for what is drawn on the server."""

from dataclasses import dataclass
from urllib.parse import parse_qs

from dash.exceptions import PreventUpdate

from cockpit.problems import Problem
from cockpit.times import parse_instant


@dataclass(frozen=True, slots=True)
class Window:
    """Up to when charts go, epoch ms, and where a span begins; ``past``: not up to now."""

    stop_ms: int
    start_ms: int | None = None
    past: bool = False


def window_of(search: str | None, now_ms: int) -> Window:
    """Return the window of an address' query; without one it ends now.

    Raises:
        PreventUpdate: the address names no instant that is over; the page itself says so.
    """
    found = parse_qs((search or "").removeprefix("?"))
    at, begins, ends = (found.get(name, [""])[0] for name in ("at", "from", "to"))
    if not at and not ends:
        return Window(now_ms)
    try:
        stop_ms = parse_instant(at or ends, "at")
        start_ms = parse_instant(begins, "from") if begins and not at else None
    except Problem as problem:
        raise PreventUpdate from problem
    if stop_ms > now_ms or (start_ms is not None and start_ms >= stop_ms):
        raise PreventUpdate
    return Window(stop_ms, start_ms, past=True)
