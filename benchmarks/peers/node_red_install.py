"""Node-RED into a cache folder, in the versions package.json pins."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

SOURCES = Path(__file__).parent / "node_red"
MODULES = Path("node_red") / "node_modules"
_OLDEST_NODE = 18
_PINS = "package.json"


def install(cache: Path, say: Callable[[str], None]) -> str:
    """Install what is not there yet; return why it cannot be, or an empty text."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if int(version.lstrip("v").partition(".")[0] or 0) < _OLDEST_NODE:
        return f"node is {version}, expected {_OLDEST_NODE} or newer"
    folder = cache / MODULES.parent
    pins = (SOURCES / _PINS).read_text()
    done = folder / "installed.json"
    if done.exists() and done.read_text() == pins:
        return ""
    say(f"installing Node-RED with npm into {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _PINS).write_text(pins)
    npm = subprocess.run(
        ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if npm.returncode:
        return f"npm install failed: {' '.join(npm.stderr.split())[:200]}"
    done.write_text(pins)
    return ""
