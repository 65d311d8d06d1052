"""A few numbers two processes share through a small file: how far the load may go, and how far it is."""

import mmap
from pathlib import Path
from typing import Final

_NAMES: Final = ("allowed", "stop", "sent", "acked")


class Counters:
    """Unsigned 64-bit counters; each is written by one side only, so nothing is locked."""

    def __init__(self, path: Path) -> None:
        """Open the file, made with zeros if missing."""
        self.path = path
        if not path.exists():
            path.write_bytes(bytes(8 * len(_NAMES)))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._view = memoryview(self._map).cast("Q")

    def get(self, name: str) -> int:
        """Return a counter."""
        return self._view[_NAMES.index(name)]

    def set(self, name: str, value: int) -> None:
        """Write a counter."""
        self._view[_NAMES.index(name)] = value

    def close(self) -> None:
        """Let go of the file."""
        self._view.release()
        self._map.close()
