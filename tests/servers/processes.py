"""What /proc says of processes (Linux); one that ends while it is read is none."""

from contextlib import suppress
from pathlib import Path

# Threads and processes come and go while one looks: a file that was there may be gone, and one that was opened unread.
_GONE = (FileNotFoundError, ProcessLookupError)


def all_processes() -> list[int]:
    """Return the processes there are."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]


def children_of(parent: int) -> set[int]:
    """Return the processes that one has begun, whichever of its threads did."""
    return {pid for pid in all_processes() if _stat(pid)[1:2] == [str(parent)]}


def has_ended(pid: int) -> bool:
    """Tell whether a process is no more; one that nobody has collected yet is."""
    return _stat(pid)[:1] in ([], ["Z"])


def command_of(pid: int) -> list[str]:
    """Return the command a process was begun with; of one that has ended, nothing."""
    with suppress(*_GONE):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    return []


def _stat(pid: int) -> list[str]:
    """Return what stands behind its name, which may hold anything: state, parent and more."""
    with suppress(*_GONE):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []
