"""What a killed broker costs: it forgets what it acknowledged since its last save, and nothing else is lost.

``python -m tests.chaos.broker_kill`` measures it with the deployed settings and with others, and prints a line each.
"""

import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.chaos import oracle
from tests.chaos.fleet import Fleet
from tests.chaos.load import Load, Point
from tests.chaos.round import reached
from tests.chaos.town import Town
from tests.ingest.messages import T_MS, gas
from tests.servers.influxdb import Influx
from tests.servers.waiting import wait_until

_DEVICES = 50
_LAST_WORD = gas("gas-0", 0, id="last word", ts=T_MS - 1)
# A save that had begun when a message was acknowledged may have been written after it.
_SAVING_S = 1.0


class Saves(NamedTuple):
    """When the broker saves: every so many seconds, or after so many changes."""

    every: int
    by_changes: bool = False

    def __str__(self) -> str:
        return f"after {self.every:,} changes" if self.by_changes else f"every {self.every} s"


@dataclass
class Cost:
    """What one kill of the broker cost."""

    acknowledged: int
    lost: int
    since_save_s: float
    differences: list[str]

    def __str__(self) -> str:
        said = f"{self.acknowledged} acknowledged before the kill, last save {self.since_save_s:.1f} s before, "
        return "\n  ".join([f"{said}lost {self.lost}", *self.differences])


def numbered(count: int) -> Load:
    """Return quiet messages, each its own point."""
    load = Load(0)
    for n in range(count):
        device, ts = f"gas-{n % _DEVICES}", T_MS + n
        message = gas(device, n % 20, id=n, ts=ts)
        load.lanes[n % _DEVICES % len(load.lanes)].append(message)
        load.points[Point("gas_alarm", device, ts * 1_000_000)] = {"conc_pct_lel": float(n % 20)}
    return load


def kill(folder: Path, influx: Influx, count: int, per_s: float, saves: Saves, away: bool, kill_at: int) -> Cost:
    """Kill the broker when it has taken ``kill_at`` messages, while the collector reads along or is ``away``."""
    load = numbered(count)
    town = Town(folder, influx, load, per_s, saves.every)
    if saves.by_changes:
        with (folder / "mosquitto" / "mosquitto.conf").open("a", encoding="utf-8") as settings:
            settings.write("autosave_on_changes true\n")
    # The broker hands on in order: when this has come, whatever has not is lost.
    last_word = Fleet(town.device_wire.port, [[_LAST_WORD]], 1)
    try:
        town.start()
        # The session itself must have been saved once: a broker that forgot it would keep nothing for us.
        connected = time.time()
        os.kill(town.broker.pid, signal.SIGUSR1)
        wait_until(lambda: _saved_at(town) > connected)
        if away:
            town.collector.kill()
        town.fleet.start()
        reached(lambda: town.fleet.acked >= kill_at, lambda: town.fleet.acked)
        town.broker.kill()
        killed, saved = time.time(), _saved_at(town)
        town.broker.start()
        reached(lambda: town.fleet.done, lambda: town.fleet.acked)
        if away:
            town.collector.connected()
        last_word.start()
        reached(lambda: _all_in(town), lambda: oracle.progress(town))
        return _cost(town, load, saved, killed)
    finally:
        town.close()


def _saved_at(town: Town) -> float:
    return town.broker_file.stat().st_mtime if town.broker_file.exists() else 0.0


def _all_in(town: Town) -> bool:
    """Tell whether the message published last has come, and all that came is judged and stored."""
    ledger, stored = town.collector.ledger(), town.collector.stored()
    if ledger.produced != stored.stored + stored.refused:
        return False
    came = oracle.journaled(town)
    judged = ledger.decoded + ledger.quarantined + ledger.duplicate - oracle.beats(town)
    return _LAST_WORD in came and came.total() == judged


def _cost(town: Town, load: Load, saved: float, killed: float) -> Cost:
    """Compare: lost is only what was acknowledged between save and kill, and all that came is stored once."""
    before = {
        message: at
        for uplink in town.fleet.uplinks
        for message, at, connection in zip(uplink.messages, uplink.acked_at, uplink.acked_on, strict=True)
        if connection == 1
    }
    came = oracle.journaled(town)
    published = [_LAST_WORD, *(message for lane in load.lanes for message in lane)]
    lost = [message for message in published if message not in came]
    found = [f"lost, though acknowledged after the restart: {message}" for message in lost if message not in before]
    found += [
        f"lost, though acknowledged {saved - before[message]:.2f} s before the save: {message}"
        for message in lost
        if message in before and before[message] < saved - _SAVING_S
    ]
    expected = len(published) - len(lost)
    ledger, stored = town.collector.ledger(), town.collector.stored()
    points = len(oracle.stored_points(town.influx))
    counts = (ledger.decoded - oracle.beats(town), ledger.produced, stored.stored, points, ledger.duplicate)
    wanted = (expected, expected, expected, expected, came.total() - expected)
    if counts != wanted:
        found.append(f"decoded, produced, stored, points, duplicate are {counts}, expected {wanted}")
    return Cost(len(before), len(lost), killed - saved, found[:10])


def main() -> None:
    """Measure at 3,000 messages a second: the deployed setting at several moments, then what bounds it closer."""
    per_s, deployed = 3_000, Saves(10)
    tried = [(deployed, away, after_s) for away, after_s in ((False, 7), (False, 16), (True, 4), (True, 9), (True, 14))]
    tried += [(Saves(1), True, 5), (Saves(1), True, 9), (Saves(1_000, by_changes=True), True, 5)]
    tried += [(Saves(1_000, by_changes=True), True, 9)]
    with tempfile.TemporaryDirectory() as name:
        server = Path(name) / "influxdb"
        server.mkdir()
        influx = Influx(server)
        influx.start()
        try:
            for number, (saves, away, after_s) in enumerate(tried):
                folder = Path(name) / str(number)
                folder.mkdir()
                influx.database = f"kill{number}"
                influx.create_database(influx.database)
                cost = kill(folder, influx, per_s * (after_s + 2), per_s, saves, away, per_s * after_s)
                print(f"saved {saves}, collector {'away' if away else 'reading'}: {cost}", flush=True)
                if cost.differences:
                    sys.exit(1)
        finally:
            influx.stop()


if __name__ == "__main__":
    main()
