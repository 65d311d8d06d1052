"""``python -m ingest.alarms.revisions``: rules at the command line: list, draft, back-test, approve, roll back."""

import getpass
import logging
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from devices.errors import DeviceError
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.audit import Person
from ingest.alarms.database import AlarmDatabase, open_alarms
from ingest.alarms.revisions import backtesting, drafting, records
from ingest.alarms.revisions.revision import Change
from ingest.alarms.revisions.rules_file import read_rules
from ingest.backtest.material import Origin
from ingest.backtest.opening import opened, stored_readings
from ingest.backtest.table import lines
from ingest.errors import IngestError
from ingest.places import Places

_NICE = 10
_SOURCE = click.option(
    "--source", type=click.Choice(get_args(Origin)), default="journal", show_default=True,
    help="The recording, exactly and by every rule; or the store's history, by plain limits and fast.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Desk:
    site: Site
    places: Places
    database: AlarmDatabase
    person: Person

    def at(self, text: str | None, option: str) -> int | None:
        """Return an instant as epoch ms; without an offset it is in the site's own time zone."""
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError as error:
            raise click.UsageError(f"{option} {text!r}: expected an instant such as 2026-01-31T08:00") from error
        return round((found if found.tzinfo else found.replace(tzinfo=self.site.timezone)).timestamp() * 1000)

    def readings(self, found: dict[str, Any]) -> None:
        """Add to the alarms of a back-test what their devices measured."""
        stored_readings(found, self.site, self.places)

    def shown(self, at_ms: int | None) -> str:
        """Return an instant for people."""
        if at_ms is None:
            return "-"
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self.site.timezone).strftime("%Y-%m-%d %H:%M:%S")


def _options(command: Callable[..., None]) -> Callable[..., None]:
    site = click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: demo city).")
    folder = click.Path(path_type=Path)
    data = click.option("--data", type=folder, default=Path("var"), show_default=True, help="Folder of all state.")
    return site(data(command))


@contextmanager
def _desk(site_file: Path | None, data: Path) -> Iterator[_Desk]:
    try:
        site = load_site(site_file)
        database = open_alarms(site, Places(data))
        database.migrate()
        try:
            yield _Desk(site, Places(data), database, Person(getpass.getuser()[:64], ("engineer",), "command line"))
        finally:
            database.close()
    except (DeviceError, IngestError) as error:
        raise click.ClickException(str(error)) from error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Change the rules: draft, back-test, approve by another person, in force; or publish an old revision again."""
    logging.getLogger("alembic").setLevel(logging.WARNING)


@main.command("list")
@_options
def list_revisions(site_file: Path | None, data: Path) -> None:
    """List all revisions, the newest first."""
    with _desk(site_file, data) as desk:
        now_ms = _now_ms()
        with desk.database.read() as connection:
            in_force = records.due(connection, now_ms)[0].number
            rows = records.rows(connection)
            tested = {row["revision"] for row in records.backtests(connection) if row["state"] == "done"}
        if not rows:
            click.echo("no revisions; the rules are those of the site file")
        for row in rows:
            state = records.state_of(row, in_force, row["number"] in tested, now_ms)
            people = f"{row['author']} / {row['approved_by'] or '-'}"
            click.echo(
                f"{row['number']:5d}  {state:11}{desk.shown(row['effective_at']):21}{people:26}"
                f"{row['source']} {row['edition']} ({row['grade']}): {row['reason']}"
            )


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_options
def draft(file: Path, site_file: Path | None, data: Path) -> None:
    """Keep a draft: a TOML file with reason, source, edition, grade, and [limits…], [[limits_for]] or [[withdraw]]."""
    found = _draft_file(file)
    with _desk(site_file, data) as desk:
        change = Change(found.get("limits", {}), found.get("limits_for", []), found.get("withdraw", []))
        reason, source, edition = (str(found.get(key, "")) for key in ("reason", "source", "edition"))
        wish = drafting.Draft(change, reason, source, edition, str(found.get("grade", "C")), _key())
        done = drafting.draft(desk.database, wish, desk.site, desk.person, _now_ms())
        click.echo(
            f"kept as revision {done.row['number']}; test it with `citydeck rules backtest {done.row['number']}`"
        )


@main.command()
@click.argument("number", type=int)
@click.option("--from", "start", help="First instant received, ISO 8601 (default: a day before the end).")
@click.option("--to", "stop", help="End of the span, ISO 8601 (default: now).")
@_SOURCE
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@_options
def backtest(
    number: int, start: str | None, stop: str | None, source: Origin, as_json: bool, site_file: Path | None, data: Path
) -> None:
    """Judge recorded data by the rules in force and by a draft, and tell what would differ."""
    with _desk(site_file, data) as desk:
        wish = backtesting.Wish(number, desk.at(start, "--from"), desk.at(stop, "--to"), _key(), source)
        with opened(source, desk.site, desk.places, desk.database) as found:
            asked = backtesting.ask(desk.database, wish, desk.site, found, desk.person, _now_ms())
            backtesting.run(desk.database, asked.id, desk.site, found, _now_ms, _told_progress, desk.readings)
        with desk.database.read() as connection:
            row = next(each for each in records.backtests(connection, number) if each["id"] == asked.id)
        if row["state"] != "done":
            raise click.ClickException(row["sentence"])
        span = row["from_ms"], row["to_ms"]
        table = lines(msgspec.json.decode(row["result"]), span, desk.shown)
        click.echo(row["result"] if as_json else "\n".join(table))


@main.command()
@click.argument("number", type=int)
@click.option("--at", "instant", help="From which instant on, ISO 8601 (default: at once).")
@_options
def approve(number: int, instant: str | None, site_file: Path | None, data: Path) -> None:
    """Approve another person's draft that was back-tested as it is."""
    with _desk(site_file, data) as desk:
        wish = drafting.Approval(number, desk.at(instant, "--at"), _key())
        done = drafting.approve(desk.database, wish, desk.site, desk.person, _now_ms())
        click.echo(f"revision {number} takes effect at {desk.shown(done.row['effective_at'])}")


@main.command()
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why.")
@click.option("--at", "instant", help="From which instant on, ISO 8601 (default: at once).")
@_options
def rollback(number: int, reason: str, instant: str | None, site_file: Path | None, data: Path) -> None:
    """Publish an older revision again, 0 for the rules of the site file alone."""
    with _desk(site_file, data) as desk:
        wish = drafting.Rollback(number, reason, desk.at(instant, "--at"), _key())
        done = drafting.roll_back(desk.database, wish, desk.person, _now_ms())
        at = desk.shown(done.row["effective_at"])
        click.echo(f"published again as revision {done.row['number']}, which takes effect at {at}")


@main.command(hidden=True)
@click.argument("identifier")
@_SOURCE
@_options
def run(identifier: str, source: Origin, site_file: Path | None, data: Path) -> None:
    """Run a back-test that was asked for elsewhere."""
    # Everything else on this machine comes first.
    os.nice(_NICE)
    with _desk(site_file, data) as desk, opened(source, desk.site, desk.places, desk.database) as found:
        backtesting.run(desk.database, identifier, desk.site, found, _now_ms, readings=desk.readings)


def _draft_file(file: Path) -> dict[str, Any]:
    try:
        return read_rules(file.read_text(encoding="utf-8"), file.name)
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not TOML: {error}") from error
    except IngestError as error:
        raise click.ClickException(str(error)) from error


def _told_progress(done: int, total: int) -> None:
    click.echo(f"judged {100 * done // max(1, total)} %", err=True)


def _key() -> str:
    return f"command line {uuid.uuid4().hex}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
