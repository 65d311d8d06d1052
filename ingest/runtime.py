"""What a process through which many messages pass sets for itself: its memory, and the turns of its threads."""

import ctypes
import gc
import sys
from contextlib import suppress

_OBJECTS = 100_000
# As in glibc's malloc.h.
_ARENA_MAX = -8
_TURN_S = 0.001


def settle() -> None:
    """Let what was loaded rest, and look for what nobody can reach less often; before threads begin.

    What was loaded stays for as long as the process; walking it again and again would cost more than it frees. Room
    that one thread gave back serves all: Python lets but one of them work at a time, while glibc gives each thread room
    of its own, and each keeps what was needed at its fullest.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS, 20, 100)
    # Other libraries of C have no such rooms.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def take_turns() -> None:
    """Let no thread work for longer than a millisecond while another waits.

    Python gives five. An alarm is kept in some ten steps, each behind a look at the disk, and before each step its
    thread would wait that long for one that makes lines for the store.
    """
    sys.setswitchinterval(_TURN_S)
