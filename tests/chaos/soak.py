"""``make soak``: rounds of ever new seeds until the time is over, a line for each; every tenth kills the broker.

``make soak ARGS="--minutes 480 --seed 5000"`` is a night of its own; a seed that failed says how to play it again.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from tests.chaos.broker_kill import Saves, kill
from tests.chaos.round import play
from tests.servers.influxdb import Influx

_BROKER_KILL_EVERY = 10
_LOG_SHOWN = 4_000


@click.command(help="Play rounds of bad luck against a real broker and database; exit with 1 if any differed.")
@click.option("--minutes", type=float, default=30.0, show_default=True, help="Begin no round after this time.")
@click.option("--seed", type=int, default=1000, show_default=True, help="The first round's; the others count on.")
@click.option("--rounds", type=int, help="Play so many and no more.")
@click.option("--keep", is_flag=True, help="Keep the folders of rounds that differed, and say where they are.")
def main(minutes: float, seed: int, rounds: int | None, keep: bool) -> None:
    """Play rounds, one after the other."""
    began, played = time.monotonic(), 0
    failed: list[int] = []
    folder = Path(tempfile.mkdtemp(prefix="citydeck-soak-"))
    (folder / "influxdb").mkdir()
    influx = Influx(folder / "influxdb")
    influx.start()
    try:
        while (gone := time.monotonic() - began) < minutes * 60 and (rounds is None or played < rounds):
            print(f"[{gone / 60:.1f} of {minutes:g} min, {len(failed)} of {played} differed]", end=" ", flush=True)
            if not _played(folder / str(seed), influx, seed, keep):
                failed.append(seed)
            seed, played = seed + 1, played + 1
    except KeyboardInterrupt:
        print("stopped")
    finally:
        influx.stop()
        if not (keep and failed):
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{played} rounds in {(time.monotonic() - began) / 60:.1f} minutes, {len(failed)} with differences")
    for one in failed:
        print(f'  again: make soak ARGS="--seed {one} --rounds 1 --keep"')
    sys.exit(bool(failed))


def _played(folder: Path, influx: Influx, seed: int, keep: bool) -> bool:
    """Play the round of a seed, print its line, and tell whether all was as it must be."""
    influx.start()
    influx.database = f"soak_{seed}"
    influx.create_database(influx.database)
    folder.mkdir()
    try:
        right, said = _round(folder, influx, seed)
    except (AssertionError, OSError, RuntimeError, TimeoutError) as error:
        right, said = False, f"seed {seed}: {type(error).__name__}: {error}"
    print(said if right else f"DIFFERENT {said}\n{_end_of_log(folder)}", flush=True)
    influx.start()
    influx.drop_database(influx.database)
    if right or not keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"  kept in {folder}")
    return right


def _round(folder: Path, influx: Influx, seed: int) -> tuple[bool, str]:
    if seed % _BROKER_KILL_EVERY:
        report = play(seed, folder, influx)
        return not report.differences, str(report)
    away = seed % (2 * _BROKER_KILL_EVERY) == 0
    cost = kill(folder, influx, 10_000, 2_500, Saves(1), away, 3_000 + seed * 37 % 6_000)
    said = f"seed {seed}: broker killed, collector {'away' if away else 'reading'}: {cost}"
    return not cost.differences, said


def _end_of_log(folder: Path) -> str:
    log = folder / "data.log"
    return log.read_text(encoding="utf-8", errors="replace")[-_LOG_SHOWN:] if log.exists() else ""


if __name__ == "__main__":
    main()
