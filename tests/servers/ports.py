"""Free ports, and who owns one (Linux)."""

import itertools
import os
import random
import socket
from contextlib import suppress
from pathlib import Path

# Below the range from which Linux takes the ports of outgoing connections: a client that keeps trying the port of a
# server which is down could otherwise be given that very port and connect to itself.
# Each of the processes that share a run of the tests has every 8th of them: two never choose the same.
_MINE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_candidates = itertools.cycle(random.SystemRandom().sample(range(20_000 + _MINE, 32_000, 8), 1_500))
_LISTEN = "0A"


def free_port() -> int:
    """Return a loopback port that is free now and was not handed out before."""
    for port in itertools.islice(_candidates, 1_500):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port on 127.0.0.1 between 20000 and 32000")


def owns_port(pid: int, port: int) -> bool:
    """Tell whether a process itself listens on a TCP port: another server there must not be taken for ours."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    return bool(sockets) and any(link in sockets for link in _open_files(pid))


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                inodes.add(columns[9])
    return inodes


def _open_files(pid: int) -> list[str]:
    links: list[str] = []
    # The process may end, or close a file, while we look; the caller asks again.
    with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        links.extend(os.readlink(entry.path) for entry in entries)
    return links
