"""``python -m benchmarks NAME``: starts what the figure needs, measures, prints a table, ends what it started."""

import importlib
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click
import pytest

from benchmarks.contestants import CONTESTANTS
from benchmarks.machine import machine, sentence
from benchmarks.report import Report
from benchmarks.settings import Settings

FIGURES = (
    "throughput",
    "backlog",
    "kills",
    "outage",
    "drain",
    "alarm",
    "sockets",
    "memory",
    "replay",
    "writes",
    "rules",
    "wall",
    "pages",
    "map",
    "backtest",
)


@click.command(help="Measure one of CityDeck's figures on this machine; docs/performance.md says how to read it.")
@click.argument("name", type=click.Choice(FIGURES))
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="Runs of each, interleaved.")
@click.option("--seconds", type=click.FloatRange(0.5), help="Length of a run, instead of the figure's own.")
@click.option("--minutes", type=click.FloatRange(0.1), help="The same in minutes, for what stands long.")
@click.option("--quick", is_flag=True, help="One tiny run that shows the command works; its figures mean nothing.")
@click.option("--only", multiple=True, type=click.Choice([*CONTESTANTS]), help="Leave the others out.")
@click.option("--cache", type=click.Path(path_type=Path), default=Path(".bench-cache"), show_default=True,
              help="Where Node-RED is installed.")  # fmt: skip
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write every run here.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
def main(
    name: str,
    runs: int,
    seconds: float | None,
    minutes: float | None,
    quick: bool,
    only: tuple[str, ...],
    cache: Path,
    json_file: Path | None,
    markdown: bool,
) -> None:
    """Run one figure."""
    signal.signal(signal.SIGTERM, _ended)
    load_before = os.getloadavg()[0]
    if minutes is not None:
        seconds = minutes * 60
    settings = Settings(1 if quick else runs, seconds, quick, cache, only)
    try:
        report: Report = importlib.import_module(f"benchmarks.{name}").run(settings)
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        # The tests' servers speak pytest's language about programs this machine does not have.
        raise click.ClickException(str(missing)) from missing
    except (RuntimeError, TimeoutError, subprocess.SubprocessError) as error:
        raise click.ClickException(str(error)) from error
    found = machine(datetime.now(UTC), load_before)
    click.echo(report.markdown() if markdown else report.text())
    click.echo(f"{'_' if markdown else ''}{sentence(found)}{'_' if markdown else ''}")
    if json_file is not None:
        json_file.write_text(json.dumps({"machine": found, **report.document()}, indent=2, ensure_ascii=False) + "\n")


def _ended(_signal: int, _frame: FrameType | None) -> None:
    # As Ctrl-C does: whatever was started is ended on the way out.
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    main()
