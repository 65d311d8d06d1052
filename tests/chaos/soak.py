"""``make soak``: rounds with ever new seeds until the time is over, a line for each.

``CITYDECK_SOAK_MINUTES`` says how long (30); ``CITYDECK_SOAK_SEED`` where to begin (1,000), so that a night's findings
can be played again.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.broker_kill import kill
from tests.chaos.round import play
from tests.servers.influxdb import Influx

_BROKER_KILL_EVERY = 10


def main() -> None:
    """Play rounds; exit with 1 if any differed."""
    minutes = float(os.environ.get("CITYDECK_SOAK_MINUTES", "30"))
    seed = int(os.environ.get("CITYDECK_SOAK_SEED", "1000"))
    until, failed, played = time.monotonic() + minutes * 60, 0, 0
    with tempfile.TemporaryDirectory(prefix="citydeck-soak-", ignore_cleanup_errors=True) as name:
        server = Path(name) / "influxdb"
        server.mkdir()
        influx = Influx(server)
        influx.start()
        try:
            while time.monotonic() < until:
                failed += not _played(Path(name), influx, seed)
                seed, played = seed + 1, played + 1
        finally:
            influx.stop()
    print(f"{played} rounds, {failed} with differences")
    sys.exit(bool(failed))


def _played(folder: Path, influx: Influx, seed: int) -> bool:
    """Play the round of a seed, print its line, and tell whether all was as it must be."""
    influx.start()
    influx.database = f"soak_{seed}"
    influx.create_database(influx.database)
    own = folder / str(seed)
    own.mkdir()
    if seed % _BROKER_KILL_EVERY:
        report = play(seed, own, influx)
        right = not report.differences
        print(f"{'' if right else 'FAILED '}{report}", flush=True)
    else:
        away = seed % (2 * _BROKER_KILL_EVERY) == 0
        cost = kill(own, influx, 10_000, 2_500, 1, away, 3_000 + seed * 37 % 6_000)
        right = not cost.differences
        print(f"{'' if right else 'FAILED '}seed {seed}: broker killed, collector {'away' if away else 'reading'}: {cost}")
    influx.start()
    influx.drop_database(influx.database)
    shutil.rmtree(own, ignore_errors=True)
    return right


if __name__ == "__main__":
    main()
