"""What a process through which many messages pass sets for itself: its memory, and the turns of its threads."""

import ctypes
import gc
import sys
from contextlib import suppress
from typing import Final

MANY_MESSAGES: Final = (100_000, 20, 100)
"""How often to look where many objects come and hardly any is part of a cycle."""
MANY_CONNECTIONS: Final = (5_000, 10, 5)
"""The same where connections come and go, for each that is closed is a cycle."""
# As in glibc's malloc.h.
_ARENA_MAX = -8
_TURN_S = 0.001


def settle(thresholds: tuple[int, int, int] = MANY_MESSAGES) -> None:
    """Let what was loaded rest, and look for what nobody can reach as often as told; before threads begin.

    What was loaded stays for as long as the process; walking it again and again would cost more than it frees. Room
    that one thread gave back serves all: Python lets but one of them work at a time, while glibc gives each thread room
    of its own, and each keeps what was needed at its fullest.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
    # Other libraries of C have no such rooms.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def take_turns() -> None:
    """Let no thread work for longer than a millisecond while another waits.

    Python gives five. An alarm is kept in some ten steps, each behind a look at the disk, and before each step its
    thread would wait that long for one that makes lines for the store.
    """
    sys.setswitchinterval(_TURN_S)
