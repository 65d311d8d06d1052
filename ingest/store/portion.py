"""How many lines go into one write: any number, until a server or the way to it shows that they are too many."""

import sys

# A sixteenth more after each write that had as many as it may.
_GROWTH = 16
# Fewer than these no way is too slow for: it is not the number then.
_FEWEST = 1_000


class Portion:
    """What may be written at once; learned from what failed, and tried again little by little."""

    def __init__(self) -> None:
        self.most = sys.maxsize

    def refused(self, lines: int) -> None:
        """Note that so many lines were more than a server takes."""
        self.most = max(1, min(lines, self.most) // 2)

    def unanswered(self, lines: int) -> None:
        """Note that nobody answered so many lines in time."""
        if lines > _FEWEST:
            self.most = max(_FEWEST, min(lines, self.most) // 2)

    def taken(self, lines: int) -> None:
        """Note that so many lines were taken."""
        if lines >= self.most:
            self.most += max(1, self.most // _GROWTH)
