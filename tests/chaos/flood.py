"""A flood of what nobody can read, with good messages in it: what it leaves in quarantine, and how late the good are.

``python -m tests.chaos.flood`` sends 10,000 unreadable messages a second for half a minute and prints the delays.
"""

import random
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from devices.formats.hj212 import crc16
from tests.chaos import oracle
from tests.chaos.fleet import Fleet
from tests.chaos.load import Load, Point, Stands
from tests.chaos.round import reached
from tests.chaos.town import Town
from tests.ingest.messages import T_MS, Message, gas
from tests.servers.influxdb import Influx


def unreadable(count: int, seed: int) -> list[Message]:
    """Return so many different messages that cannot be read: of one device, and of devices that are made up."""
    chance = random.Random(f"flood {seed}")
    makers: tuple[Callable[[int], Message], ...] = (
        lambda n: ("city/v1/demo/gas_alarm/gas-1/telemetry", b'{"v":1,"data":{%d' % n),
        lambda n: ("city/v1/demo/gas_alarm/gas-2/telemetry", b"%d" % n + chance.randbytes(600)),
        lambda n: (f"city/v1/demo/gas_alarm/made-up-{seed}-{n}/telemetry", b"[]"),
        lambda n: (f"city/v1/demo/nothing_{n % 7}/made-up-{n}/telemetry", b"{}"),
        lambda n: (f"hj212/STATION{n % 100}/up", b"##0100QN=%d" % n),
        lambda n: (f"hj212/STATION{n % 100}/up", _wrong_check(n, 100 + n % 200)),
        lambda n: ("city/v1/demo/gas_alarm/gas-2/telemetry", _unfit(n, 1 + n % 20)),
        lambda n: (f"city/v1/demo/gas_alarm/{'x' * 200}{n}/telemetry", b"{}"),
    )
    return [chance.choice(makers)(n) for n in range(count)]


def _wrong_check(number: int, length: int) -> bytes:
    """Return a whole frame of HJ 212 whose check is not that of its bytes."""
    segment = (b"QN=%d;" % number).ljust(length, b"x")
    check = (crc16(segment) + 1) & 0xFFFF
    return b"##%04d%s%04X\r\n" % (length, segment, check)


def _unfit(number: int, entries: int) -> bytes:
    """Return an array of samples, no field of which can be read."""
    entry = b'{"ts":%d,"data":{"conc_pct_lel":"high","temp_c":[%d]}}' % (T_MS + number, number)
    return b"[%s]" % b",".join([entry] * entries)


@dataclass
class Flooded:
    """How a town stands after a flood."""

    town: Town
    load: Load = field(default_factory=lambda: Load(0))
    sent: list[Message] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    lasted_s: float = 0.0
    cpu_s: float = 0.0

    def __str__(self) -> str:
        delays = sorted(self.delays_s)
        middle, late = statistics.median(delays), delays[len(delays) * 99 // 100]
        cpu_us = self.cpu_s / (len(self.sent) + len(delays)) * 1e6
        return (
            f"{len(self.sent)} unreadable messages in {self.lasted_s:.1f} s, {cpu_us:.0f} µs CPU each; "
            f"from sending to the alarm's row, of {len(delays)} alarms: median {middle:.3f} s, 99 % {late:.3f} s, "
            f"worst {delays[-1]:.3f} s"
        )

    def pour(self, bad: list[Message], good: int, per_s: float) -> None:
        """Publish unreadable messages at a rate, with so many alarms spread evenly among them; wait until all is in."""
        first = len(self.load.alarms)
        alarms = [gas(f"good-{n}", 60, id=n, ts=T_MS + n) for n in range(first, first + good)]
        for n in range(first, first + good):
            self.load.points[Point("gas_alarm", f"good-{n}", (T_MS + n) * 1_000_000)] = {"conc_pct_lel": 60.0}
            self.load.alarms[f"good-{n}/conc_pct_lel.high"] = Stands(2, 1, True)
        self.sent += bad
        halves = bad[::2], bad[1::2]
        floods = Fleet(self.town.device_wire.port, halves, per_s)
        slow = Fleet(self.town.device_wire.port, [alarms], per_s * good / len(bad))
        commits = _Commits(self.town.data / "alarms.db", first)
        commits.start()
        began, cpu_s = time.monotonic(), self.town.collector.cpu_s
        for fleet in (floods, slow):
            fleet.start()
        reached(lambda: floods.done and slow.done, lambda: (floods.acked, slow.acked))
        reached(self._in, lambda: oracle.progress(self.town))
        self.lasted_s += time.monotonic() - began
        self.cpu_s += self.town.collector.cpu_s - cpu_s
        commits.stop()
        # One after the other, as they were sent: the nth row is of the nth alarm.
        self.delays_s += [at - sent for sent, at in zip(slow.uplinks[0].sent_at, commits.seen_at, strict=True)]

    def _in(self) -> bool:
        ledger, stored = self.town.collector.ledger(), self.town.collector.stored()
        points = len(self.load.points)
        return ledger.decoded >= points and ledger.quarantined >= len(self.sent) and stored.stored >= points

    def rows(self) -> dict[str, int]:
        """Return how many rows each table of the checkpoint has."""
        connection = sqlite3.connect(self.town.data / "checkpoint.db")
        try:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}
        finally:
            connection.close()

    def kept_bytes(self) -> int:
        """Return how large the checkpoint is, quarantine included."""
        connection = sqlite3.connect(self.town.data / "checkpoint.db")
        try:
            pages, free, size = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
            return int((pages - free) * size)
        finally:
            connection.close()


class _Commits(threading.Thread):
    """Notes when each alarm stands in the alarm database, by looking again and again."""

    def __init__(self, database: Path, known: int) -> None:
        super().__init__(name="commits", daemon=True)
        self.seen_at: list[float] = []
        self._database = database
        self._known = known
        self._stopping = threading.Event()

    def run(self) -> None:
        connection = sqlite3.connect(self._database)
        last = False
        while not last:
            # Once more when it is told to stop: the last alarm may have been committed since the look before.
            last = self._stopping.wait(0.01)
            # The collector's own watchdog raises one each minute.
            (count,) = connection.execute(
                "SELECT count(*) FROM occurrence WHERE device NOT LIKE 'collector-%'"
            ).fetchone()
            self.seen_at += [time.time()] * (count - self._known - len(self.seen_at))
        connection.close()

    def stop(self) -> None:
        self._stopping.set()
        self.join()


def main() -> None:
    """Measure the delay of good messages alone and in a flood, from sending to the row in the alarm database."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "influxdb"
        folder.mkdir()
        influx = Influx(folder)
        influx.start()
        try:
            for per_s, bad in ((1, 30), (10_000, 300_000)):
                influx.database = f"flood{per_s}"
                influx.create_database(influx.database)
                folder = Path(name) / str(per_s)
                folder.mkdir()
                town = Town(folder, influx, Load(0), per_s)
                try:
                    town.start()
                    flooded = Flooded(town)
                    flooded.pour(unreadable(bad, 1), 600, per_s)
                    print(f"{flooded}; checkpoint {flooded.kept_bytes() / 1e6:.1f} MB", flush=True)
                finally:
                    town.close()
        finally:
            influx.stop()


if __name__ == "__main__":
    main()
