"""What a figure was measured on; a number without its machine says nothing."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from tests.servers.programs import SYSTEM_FOLDERS

_ROOT = Path(__file__).parents[1]
_MEMORY = r"MemTotal:\s*(\d+)"
_PACKAGES = ("paho-mqtt", "influxdb-client", "numpy", "msgspec")
_VERSIONS: Mapping[str, Sequence[str]] = {
    "mosquitto": ("mosquitto", "-h"),
    "influxd": ("influxd", "version"),
    "nginx": ("nginx", "-v"),
    "node": ("node", "--version"),
}


def machine(now: datetime, load_before: float) -> dict[str, str]:
    """Return the machine, how busy others kept it (load average before the first run), and the versions on it."""
    return {
        "date": now.strftime("%Y-%m-%d"),
        "cores": str(len(os.sched_getaffinity(0))),
        "processor": _first("/proc/cpuinfo", r"model name\s*:\s*(.*)"),
        "memory": f"{int(_first('/proc/meminfo', _MEMORY) or 0) / 1e6:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "load before": f"{load_before:.1f}",
        "python": platform.python_version(),
        "citydeck": _revision(),
        **{package: importlib.metadata.version(package) for package in _PACKAGES},
        **{name: version for name, command in _VERSIONS.items() if (version := _version(command))},
    }


def sentence(found: Mapping[str, str]) -> str:
    """Return a machine in one line."""
    head = f"{found['date']}: {found['cores']} cores of {found['processor']}, {found['memory']}, {found['kernel']}"
    rest = [f"{name} {found[name]}" for name in found if name not in ("date", "cores", "processor", "memory", "kernel")]
    return f"{head}; {', '.join(rest)}"


def _first(path: str, pattern: str) -> str:
    try:
        found = re.search(pattern, Path(path).read_text())
    except OSError:
        return ""
    return found[1].strip() if found else ""


def _revision() -> str:
    version = importlib.metadata.version("citydeck")
    if shutil.which("git") is None:
        return version
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    return f"{version} ({done.stdout.strip()})" if done.returncode == 0 else version


def _version(command: Sequence[str]) -> str:
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    program = shutil.which(command[0], path=path)
    if program is None:
        return ""
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(?:\.\d+)?", done.stdout + done.stderr)
    return found[0] if found else ""
