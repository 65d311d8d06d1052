"""What a process has used, from /proc (Linux)."""

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return the CPU seconds, user and system, that all threads of a process have used; 0 when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    # The name in brackets may hold blanks and brackets itself.
    columns = stat.rpartition(")")[2].split()
    return (int(columns[11]) + int(columns[12])) / _TICKS_PER_S


def memory_mb(pid: int, line: str = "VmRSS") -> float:
    """Return the resident memory of a process in MB (10⁶ bytes): now, or ``VmHWM``, its peak.

    Raises:
        OSError: it is gone.
    """
    for found in Path(f"/proc/{pid}/status").read_text().splitlines():
        if found.startswith(f"{line}:"):
            return int(found.split()[1]) * 1024 / 1e6
    raise OSError(f"/proc/{pid}/status has no {line}")
