"""By which rules a sandbox judges: those in force when its recording begins, those of the site file, or a draft's."""

from pathlib import Path
from typing import NamedTuple

from devices.site import Site
from ingest.alarms.database import open_alarms
from ingest.alarms.revisions import records
from ingest.alarms.revisions.revision import SITE_FILE, Change, Revision
from ingest.alarms.revisions.rules_file import read_rules
from ingest.errors import ReplayError
from ingest.places import Places

IN_FORCE, OF_SITE = "inforce", "site"


class Ruling(NamedTuple):
    """The rules, and how people call them."""

    revision: Revision
    name: str


def ruling(site: Site, places: Places, wanted: str, at_ms: int) -> Ruling:
    """Return the rules that are wanted; a file's are laid on those in force at the instant.

    Raises:
        ReplayError: the file cannot be read.
        Refused: it is no file of rules, or does not fit the site.
        AlarmError: the alarm database cannot be read.
    """
    if wanted == OF_SITE:
        return Ruling(SITE_FILE, "the site file")
    base = _in_force(site, places, at_ms)
    told = f"revision {base.number}" if base.number else "the site file"
    if wanted == IN_FORCE:
        return Ruling(base, f"{told}, in force when it begins")
    path = Path(wanted)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReplayError(f"--rules {wanted}: expected inforce, site or a file of rules: {error}") from error
    said = read_rules(text, path.name)
    change = Change(said.get("limits", {}), said.get("limits_for", []), said.get("withdraw", []))
    return Ruling(records.fitted(base, change, site, base.number + 1), f"{path.name} on {told}")


def _in_force(site: Site, places: Places, at_ms: int) -> Revision:
    # A data folder where nobody judged has no database, and none is made for a look.
    if site.alarm_database == "embedded" and not places.alarms.is_file():
        return SITE_FILE
    database = open_alarms(site, places)
    try:
        with database.read() as connection:
            revision, _ = records.due(connection, at_ms)
    finally:
        database.close()
    return revision
