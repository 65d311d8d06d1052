"""``python -m ingest.backtest``: what a file of rules would have done to the alarms of a span, without keeping it."""

import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from devices.errors import DeviceError
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.database import open_alarms
from ingest.alarms.revisions import records
from ingest.alarms.revisions.revision import Change
from ingest.alarms.revisions.rules_file import read_rules
from ingest.backtest.material import Origin, Tell, compare
from ingest.backtest.opening import opened, stored_readings
from ingest.backtest.table import lines, sentence
from ingest.errors import IngestError, StoreError
from ingest.instants import instant
from ingest.places import Places

_BAR = 30
_TELL_S = 0.5


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rules", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True,
              help="A draft (TOML): [limits…], [[limits_for]], [[withdraw]].")  # fmt: skip
@click.option("--from", "start", help="First instant, ISO 8601 (default: a day before the end).")
@click.option("--to", "stop", help="End of the span, ISO 8601 (default: now).")
@click.option("--source", type=click.Choice(get_args(Origin)), default="journal", show_default=True,
              help="The recording, by every rule; or the store's history: months, by plain limits.")  # fmt: skip
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write it all here.")
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
@click.option("--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Data folder.")
def main(
    file: Path,
    start: str | None,
    stop: str | None,
    source: Origin,
    json_file: Path | None,
    site_file: Path | None,
    data: Path,
) -> None:
    """Judge what was recorded by the rules in force and by a draft: which alarms would appear, which would vanish."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        site = load_site(site_file)
        wanted = tuple(
            None if text is None else instant(text, name, site.timezone)
            for text, name in ((start, "--from"), (stop, "--to"))
        )
        found, span = _tested(file, (wanted[0], wanted[1]), source, site, Places(data))
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not TOML: {error}") from error
    except (DeviceError, IngestError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join(lines(found, span, lambda at_ms: _shown(at_ms, site))))
    if json_file is not None:
        _write(json_file, {"from": span[0], "to": span[1], "sentence": sentence(found["verdicts"]), **found})


def _tested(
    file: Path, wanted: tuple[int | None, int | None], source: Origin, site: Site, places: Places
) -> tuple[dict[str, Any], tuple[int, int]]:
    if not places.data.is_dir() and (source == "journal" or site.store.embedded):
        raise StoreError(f"there is no folder {places.data.name} of a collector's state; say which one by --data")
    said = read_rules(file.read_text(encoding="utf-8"), file.name)
    change = Change(said.get("limits", {}), said.get("limits_for", []), said.get("withdraw", []))
    database = open_alarms(site, places)
    try:
        database.migrate()
        with database.read() as connection:
            base = records.base_of(connection)
        revisions = base, records.fitted(base, change, site, base.number + 1)
        with opened(source, site, places, database) as material:
            span = material.part(wanted, time.time_ns() // 1_000_000, lambda: revisions)
            found = compare(database, material, site, revisions, span, _bar())
    finally:
        database.close()
    try:
        stored_readings(found, site, places)
    except StoreError as error:
        click.echo(f"without readings: {error}", err=True)
    return found, span


def _bar() -> Tell:
    """Return what draws a bar on a terminal, and nothing where nobody looks."""
    shown_s = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal shown_s
        now_s = time.monotonic()
        if total and (now_s - shown_s >= _TELL_S or done >= total):
            shown_s = now_s
            filled = _BAR * done // total
            end = "\n" if done >= total else ""
            click.echo(f"\r[{'#' * filled}{'.' * (_BAR - filled)}] {100 * done // total:3d} %{end}", err=True, nl=False)

    nobody: Callable[[int, int], None] = lambda _done, _total: None  # noqa: E731
    return tell if sys.stderr.isatty() else nobody


def _write(path: Path, document: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
        beside.replace(path)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)


def _shown(at_ms: int | None, site: Site) -> str:
    if at_ms is None:
        return "-"
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(site.timezone).strftime("%Y-%m-%d %H:%M:%S")


if __name__ == "__main__":
    sys.exit(main())
