"""Asking another part of CityDeck by its command line: it is met as a process, never imported."""

import logging
import subprocess
import sys

from cockpit.problems import Problem

log = logging.getLogger(__name__)


def ask(part: str, *words: str, patience_s: float) -> "subprocess.CompletedProcess[str]":
    """Run ``python -m part`` with some words to its end, and return what it told.

    Raises:
        Problem: 503, it cannot be run, or did not end in time.
    """
    command = [sys.executable, "-m", part, *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=patience_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        # What it says holds the whole command line, with folders that are nobody's business.
        log.warning("a part does not answer part=%s: %s", part, error)
        raise Problem(
            503, f"{part} does not answer; the server's log says why.", code="part_silent", values={"part": part}
        ) from error
