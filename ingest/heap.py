"""The process's memory, set for one through which many messages pass."""

import ctypes
import gc
from contextlib import suppress

_OBJECTS = 100_000
# As in glibc's malloc.h.
_ARENA_MAX = -8


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
