"""The keys of a replay at a terminal: space pauses, + and - change the speed, the arrows leap, q ends it."""

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from ingest.replay.pace import Pace

HELP = "space pause · + - speed · ← → one minute · q end"
_LEAP_MS = 60_000
_LOOK_S = 0.2


@contextmanager
def keys(pace: Pace) -> Iterator[bool]:
    """Let the keyboard steer a pace; does nothing where there is no terminal."""
    if not sys.stdin.isatty():
        yield False
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    ended = threading.Event()
    thread = threading.Thread(target=_listen, args=(terminal, pace, ended), daemon=True)
    tty.setcbreak(terminal)
    thread.start()
    try:
        yield True
    finally:
        ended.set()
        thread.join()
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _listen(terminal: int, pace: Pace, ended: threading.Event) -> None:
    while not ended.is_set():
        if select.select([terminal], [], [], _LOOK_S)[0]:
            press(os.read(terminal, 16).decode("utf-8", "replace"), pace)


def press(key: str, pace: Pace) -> None:
    """Do what a key stands for."""
    match key:
        case " ":
            pace.pause(not pace.paused)
        case "+" | "=":
            pace.faster(2.0)
        case "-":
            pace.faster(0.5)
        case "\x1b[C":
            pace.leap(_LEAP_MS)
        case "\x1b[D":
            pace.leap(-_LEAP_MS)
        case "q" | "Q":
            pace.stop()
