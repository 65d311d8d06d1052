"""``python -m cockpit.accounts.screen_commands``: the tokens of wall displays at the command line."""

from pathlib import Path

import click

from cockpit.accounts import screens
from cockpit.accounts.command_line import now_ms, options, terminal


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Screens that show the city with nobody logged in: each has a token that may read and nothing else."""


@main.command()
@click.argument("name")
@options
def add(name: str, site_file: Path | None, data: Path) -> None:
    """Add a screen and print its token, this once: open /wall?token=TOKEN on it."""
    with terminal(site_file, data) as here:
        token = screens.add(here.database, name, here.actor, now_ms())
    click.echo(token)
    click.echo(f"open /wall?token=… on the screen {name}; it keeps the token, which is not shown again", err=True)


@main.command("list")
@options
def list_screens(site_file: Path | None, data: Path) -> None:
    """List all screens, revoked ones too."""
    with terminal(site_file, data) as here:
        with here.database.read() as connection:
            found = screens.screens(connection)
        for each in found:
            state = "active" if each.revoked_at is None else f"revoked {here.shown(each.revoked_at)}"
            made = f"added {here.shown(each.created_at)} by {each.created_by}"
            click.echo(f"{each.name:24}{made}, last seen {here.shown(each.seen_at)}  {state}")
        if not found:
            click.echo("no screens; `citydeck screen add NAME` adds one")


@main.command()
@click.argument("name")
@options
def revoke(name: str, site_file: Path | None, data: Path) -> None:
    """End a screen's token; its page is closed within seconds."""
    with terminal(site_file, data) as here:
        screens.revoke(here.database, name, here.actor, now_ms())
    click.echo(f"screen {name} is revoked")


if __name__ == "__main__":
    main(prog_name="citydeck screen")
