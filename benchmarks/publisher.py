"""``python -m benchmarks.publisher``: the device side, as fast as a broker takes it; a process of its own.

Raw sockets and packets encoded ahead: what it costs is taken from the two sides that are measured. It goes as far as
the counter ``allowed`` says, no faster than ``--rate``, and ends when ``stop`` is set and the broker has taken all.
"""

import select
import socket
import time
from pathlib import Path

import click

from benchmarks.counters import Counters
from benchmarks.load import Fleet, connect_packet

_CONNACK_BYTES = 4
_PUBACK_BYTES = 4
_WINDOW = 4_000
_BATCH = 250


class Connection:
    """One connection to the broker with a fleet of its own."""

    def __init__(self, port: int, name: str, fleet: Fleet) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(connect_packet(name))
        answer = self.socket.recv(_CONNACK_BYTES, socket.MSG_WAITALL)
        if answer != b"\x20\x02\x00\x00":
            raise click.ClickException(f"the broker answers {answer.hex()} to CONNECT, expected 20020000")
        self.socket.setblocking(False)
        self._fleet = fleet
        self._pending = memoryview(b"")
        self._ack_bytes = 0

    @property
    def sent(self) -> int:
        """How many messages were encoded for sending."""
        return self._fleet.sent

    @property
    def acked(self) -> int:
        """How many the broker has taken."""
        return self._ack_bytes // _PUBACK_BYTES

    def read(self) -> None:
        """Count PUBACKs; nothing else comes on a connection without keep-alive and subscriptions."""
        try:
            found = len(self.socket.recv(65_536))
        except BlockingIOError:
            return
        if not found:
            raise click.ClickException("the broker closed the connection")
        self._ack_bytes += found

    def wants(self, quota: int) -> bool:
        """Tell whether there is something to write."""
        return bool(self._pending) or min(quota - self.sent, _WINDOW - (self.sent - self.acked)) > 0

    def write(self, quota: int) -> None:
        """Send what is pending, or the next batch."""
        if not self._pending:
            most = min(quota - self.sent, _WINDOW - (self.sent - self.acked), _BATCH)
            self._pending = memoryview(self._fleet.next(most, time.time_ns() // 1_000_000)[0])
        try:
            self._pending = self._pending[self.socket.send(self._pending) :]
        except BlockingIOError:
            return


def publish(connections: list[Connection], counters: Counters, rate: float) -> None:
    """Publish until told to stop, then until the broker has taken everything."""
    by_file = {connection.socket.fileno(): connection for connection in connections}
    places = {connection.socket.fileno(): place for place, connection in enumerate(connections)}
    started_s = time.perf_counter()
    poll = select.poll()
    while True:
        allowed = counters.get("allowed")
        if rate:
            allowed = min(allowed, int((time.perf_counter() - started_s) * rate))
        stopping = bool(counters.get("stop"))
        quotas = {
            # Even shares, so that every device reports about equally often.
            file: by_file[file].sent if stopping else (allowed + len(connections) - 1 - place) // len(connections)
            for file, place in places.items()
        }
        for file, connection in by_file.items():
            poll.register(file, select.POLLIN | (select.POLLOUT if connection.wants(quotas[file]) else 0))
        for file, found in poll.poll(1):
            if found & ~select.POLLOUT:
                by_file[file].read()
            if found & select.POLLOUT:
                by_file[file].write(quotas[file])
        sent = sum(connection.sent for connection in connections)
        acked = sum(connection.acked for connection in connections)
        counters.set("sent", sent)
        counters.set("acked", acked)
        if stopping and acked == sent:
            return


@click.command(help="Publish the benchmark's load to a broker on this machine.")
@click.option("--port", type=int, required=True)
@click.option("--counters", "path", type=click.Path(path_type=Path), required=True)
@click.option("--devices", type=int, required=True)
@click.option("--connections", type=int, default=8, show_default=True)
@click.option("--rate", type=float, default=0.0, help="Messages a second; 0 is as fast as it goes.")
def main(port: int, path: Path, devices: int, connections: int, rate: float) -> None:
    """Run the publisher."""
    each = devices // connections
    counters = Counters(path)
    opened = [
        Connection(port, f"bench-publisher-{number}", Fleet(number * each, each)) for number in range(connections)
    ]
    publish(opened, counters, rate)


if __name__ == "__main__":
    main()
