"""A small disk of its own for a data folder, that can be filled to the last byte and emptied again."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers.programs import lacking

NEEDS_ROOT = "only root can mount a small disk"


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Give a disk of a size in a new folder, as long as the context lasts."""
    disk = SmallDisk(folder, size)
    if not disk.mount():
        lacking(NEEDS_ROOT)
    try:
        yield folder
    finally:
        disk.unmount()


class SmallDisk:
    """A tmpfs; only root can have one."""

    def __init__(self, folder: Path, size: str = "48m") -> None:
        self.folder = folder
        self._size = size
        self._ballast = folder / "ballast"
        self._mounted = False
        self.was_full = False

    def mount(self) -> bool:
        """Mount it; tell whether this machine lets us."""
        self.folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={self._size}", "tmpfs", str(self.folder)]
        self._mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
        return self._mounted

    def fill(self) -> None:
        """Leave no byte free."""
        self.was_full = True
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (1 << 20, 4096, 1):
                with suppress(OSError):
                    while ballast.write(b"\0" * size) == size:
                        pass

    def free(self) -> None:
        """Give the space back."""
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take the disk away, if there is one."""
        if self._mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True, capture_output=True)
