"""``python -m cockpit.accounts.user_commands``: users at the command line."""

from pathlib import Path

import click

from cockpit.accounts import users
from cockpit.accounts.command_line import asked_password, now_ms, options, terminal
from devices.site import Site
from ingest.alarms.areas import unknown_keys

_ROLES = click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(users.ROLES), help="What they may do; several."
)
_AREAS = click.option(
    "--area", "areas", multiple=True, metavar="KEYS", help="Streets and districts they may act in, such as s01,s02."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Users of the cockpit. A change shows within seconds and ends the sessions of the user it is about."""


@main.command()
@click.argument("name")
@_ROLES
@_AREAS
@options
def add(name: str, roles: tuple[str, ...], areas: tuple[str, ...], site_file: Path | None, data: Path) -> None:
    """Add a user; the password is asked for, or taken from CITYDECK_USER_PASSWORD."""
    password = asked_password()
    with terminal(site_file, data) as here:
        keys = _known_areas(here.site, areas)
        users.add(here.database, name, roles, password, here.actor, now_ms(), keys)
    click.echo(f"user {name} added: {', '.join(roles)}; {_where(keys)}")


@main.command("list")
@options
def list_users(site_file: Path | None, data: Path) -> None:
    """List all users."""
    with terminal(site_file, data) as here:
        with here.database.read() as connection:
            found = users.accounts(connection).values()
        for each in found:
            state = "active" if each.disabled_at is None else f"disabled since {here.shown(each.disabled_at)}"
            changed = here.shown(each.password_at)
            click.echo(
                f"{each.name:24}{','.join(each.roles):40} {_where(each.areas):24} password of {changed}  {state}"
            )
        if not found:
            click.echo("no users; `citydeck user add NAME --role officer` adds one")
        if here.site.simulated:
            click.echo("the site is simulated: viewer, officer, officer2, leader and engineer may log in, too")


@main.command()
@click.argument("name")
@options
def disable(name: str, site_file: Path | None, data: Path) -> None:
    """Shut a user out: no log-in, open pages are closed within seconds."""
    with terminal(site_file, data) as here:
        users.disable(here.database, name, here.actor, now_ms())
    click.echo(f"user {name} is disabled")


@main.command()
@click.argument("name")
@options
def enable(name: str, site_file: Path | None, data: Path) -> None:
    """Let a disabled user log in again."""
    with terminal(site_file, data) as here:
        users.enable(here.database, name, here.actor, now_ms())
    click.echo(f"user {name} may log in again")


@main.command()
@click.argument("name")
@options
def password(name: str, site_file: Path | None, data: Path) -> None:
    """Give a user another password, asked for or taken from CITYDECK_USER_PASSWORD; whoever is logged in is out."""
    given = asked_password()
    with terminal(site_file, data) as here:
        users.set_password(here.database, name, given, here.actor, now_ms())
    click.echo(f"user {name} has another password")


@main.command()
@click.argument("name")
@_ROLES
@options
def roles(name: str, roles: tuple[str, ...], site_file: Path | None, data: Path) -> None:
    """Give a user these roles instead of those they have."""
    with terminal(site_file, data) as here:
        users.set_roles(here.database, name, roles, here.actor, now_ms())
    click.echo(f"user {name} has the roles {', '.join(roles)}")


@main.command()
@click.argument("name")
@_AREAS
@options
def areas(name: str, areas: tuple[str, ...], site_file: Path | None, data: Path) -> None:
    """Let a user act in these streets and districts instead of those before; without --area in the whole city."""
    with terminal(site_file, data) as here:
        keys = _known_areas(here.site, areas)
        users.set_areas(here.database, name, keys, here.actor, now_ms())
    click.echo(f"user {name} may act in: {_where(keys)}")


def _known_areas(site: Site, given: tuple[str, ...]) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(key.strip() for each in given for key in each.split(",") if key.strip()))
    unknown = unknown_keys(site, keys)
    if unknown or (given and not keys):
        found = ", ".join(map(repr, unknown)) or "none"
        known = ", ".join([*(district.key for district in site.districts), *site.streets])
        raise click.ClickException(f"--area: found {found}, expected keys of districts and streets: {known}")
    return keys


def _where(areas: tuple[str, ...]) -> str:
    return ",".join(areas) or "whole city"


if __name__ == "__main__":
    main(prog_name="citydeck user")
