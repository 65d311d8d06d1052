"""Telling a repeat from news: the same message may come twice after a broken connection or a kill.

The window is a pure function of the journal: the keys of the block of positions at hand and of the block before it, so
at least 65,536 messages, as many as a broker may have in flight. It needs no saving: reading those blocks again
restores it. Foreign formats carry no identifier of ours; theirs count as repeats within ten minutes.
"""

BLOCK = 65_536
FOREIGN_MS = 10 * 60_000


class Repeats:
    """The keys seen lately."""

    def __init__(self) -> None:
        self._block = -1
        self._current: dict[str, int] = {}
        self._previous: dict[str, int] = {}

    @staticmethod
    def window_start(position: int) -> int:
        """Return the position behind which records must be read to restore the window at a position."""
        return max(0, (position // BLOCK - 1) * BLOCK - 1)

    def fresh(self, key: str, position: int, received_ms: int) -> bool:
        """Remember a key that is surely news, and tell so; otherwise nothing is remembered and ``seen`` tells.

        Nearly every message is news in the block at hand.
        """
        if position // BLOCK != self._block or not key or key in self._current or key in self._previous:
            return False
        self._current[key] = received_ms
        return True

    def seen(self, key: str, position: int, received_ms: int, foreign: bool) -> bool:
        """Remember a key and tell whether it is a repeat; an empty key never is."""
        block = position // BLOCK
        if block != self._block:
            self._previous = self._current if block == self._block + 1 else {}
            self._current = {}
            self._block = block
        if not key:
            return False
        current = self._current
        known = len(current)
        before: int | None = current.setdefault(key, received_ms)
        own = len(current) == known
        if not own:
            before = self._previous.get(key)
            if before is None:
                return False
        repeat = before is not None and not (foreign and received_ms - before > FOREIGN_MS)
        # A repeat of the block before is a key of this block too: else a restart, which does not read further back,
        # would know keys that this process forgot.
        if own and not repeat:
            current[key] = received_ms
        return repeat
