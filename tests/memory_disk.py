"""Where tests write: into memory, where the machine has room in it.

Nothing that they check needs a disk: what a process has written is there for the next one however it was ended, and no
test cuts the power. But they make some hundred thousand files and wait for as many writes to be safe, and on a disk
that takes longer than all they check. ``TMPDIR`` names another place.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_MEMORY = Path("/dev/shm")
_PREFIX = "citydeck-tests-"
_ROOM_BYTES = 4 << 30


def write_into_memory() -> Path | None:
    """Make a folder in memory the one for temporary files, of this process and all that it starts; return it if so."""
    if "TMPDIR" in os.environ or not _suits(_MEMORY):
        return None
    _forget_earlier_runs()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_MEMORY))
    # PostgreSQL, which will not run as root, keeps its files below.
    folder.chmod(0o755)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
    return folder


def _suits(folder: Path) -> bool:
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(folder)
    # Some tests start programs that they put there.
    return found.f_bavail * found.f_frsize >= _ROOM_BYTES and not found.f_flag & os.ST_NOEXEC


def _forget_earlier_runs() -> None:
    """Remove what failed or killed runs left to be looked at."""
    for left in _MEMORY.glob(f"{_PREFIX}*-*"):
        with suppress(ValueError):
            if not Path("/proc", str(int(left.name.removeprefix(_PREFIX).partition("-")[0]))).exists():
                shutil.rmtree(left, ignore_errors=True)
