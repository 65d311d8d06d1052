"""Python's own keeping of memory, set for a process through which many messages pass."""

import gc

_OBJECTS = 100_000


def settle() -> None:
    """Let what was loaded rest, and look for what nobody can reach less often.

    What was loaded stays for as long as the process; walking it again and again would cost more than it frees.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS, 20, 100)
