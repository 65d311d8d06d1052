"""``python -m ingest.alarms.verify``: whether the audit is whole, and the alarms are what it says of them."""

import sys
from pathlib import Path

import click

from devices.errors import DeviceError
from devices.site_file import load_site
from ingest.alarms.altered import compare
from ingest.alarms.audit import check
from ingest.alarms.database import open_alarms
from ingest.errors import IngestError
from ingest.evidence.checking import Pack
from ingest.places import Places, has_secret, site_secret


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look after the audit: the record of every act on alarms and cases."""


@main.command()
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
@click.option("--pack", type=click.Path(path_type=Path), help="Check this evidence pack instead.")
def verify(site_file: Path | None, data: Path, pack: Path | None) -> None:
    """Check the chain of hashes from the first row to the last, and every alarm against its rows.

    Exit code 1 names the first row that is broken and each alarm that was changed, invented or removed by hand.
    The hash it prints stands for all rows up to there: kept elsewhere, it shows later that none of them was rewritten.
    A pack is checked by itself, and against the audit of the site where that is at hand.
    """
    if pack is not None:
        _verify_pack(pack, site_file, data)
        return
    try:
        site = load_site(site_file)
        places = Places(data)
        if site.alarm_database == "embedded" and not places.alarms.is_file():
            raise click.ClickException(f"no collector has worked in {data} yet; name its folder by --data")
        database = open_alarms(site, places)
        database.migrate()
        with database.read() as connection:
            found = check(connection)
            alarms = compare(connection, site)
        database.close()
    except (DeviceError, IngestError) as error:
        raise click.ClickException(str(error)) from error
    for each in alarms.altered:
        click.echo(f"altered: {each.sentence}")
    if alarms.unranked:
        click.echo(f"not judged: the priority of {alarms.unranked} alarms; no rule in force or revision is theirs")
    if found.broken is not None:
        click.echo(f"broken: {found.broken}; {found.rows} rows before it are whole, up to hash {found.hash}")
    else:
        click.echo(f"whole: {found.rows} rows, hash {found.hash}")
    click.echo(f"{alarms.occurrences} alarms held against the rows, {len(alarms.altered)} altered")
    if found.broken is not None or alarms.altered:
        sys.exit(1)


def _verify_pack(path: Path, site_file: Path | None, data: Path) -> None:
    try:
        site, places = load_site(site_file), Places(data)
        pack = Pack(path)
        at_hand = site.alarm_database != "embedded" or places.alarms.is_file()
        found = pack.verdict(site_secret(places) if has_secret(places) else None)
        if at_hand:
            database = open_alarms(site, places)
            database.migrate()
            with database.read() as connection:
                chain = check(connection)
                found.wrong.extend(pack.against(connection))
            database.close()
            if chain.broken is not None:
                found.wrong.append(f"the audit of this site itself: {chain.broken}")
    except (DeviceError, IngestError) as error:
        raise click.ClickException(str(error)) from error
    for sentence in found.wrong:
        click.echo(f"altered: {sentence}")
    seq, head = found.head
    told = (
        "the seal is that of this site" if found.sealed else "the seal was not checked, for want of the site's secret"
    )
    held = "held against the audit of this site" if at_hand else "not held against an audit: there is none here"
    if found.wrong:
        sys.exit(1)
    click.echo(f"whole: alarm {found.alarm}, made {found.made_at}, {found.files} files; {told}")
    click.echo(f"{found.rows} audit rows, {held}; head of the chain: row {seq}, hash {head}")


if __name__ == "__main__":
    main()
