"""The occurrences of one collector held against their audit rows, whenever they were."""

from collections.abc import Collection

from devices.site import Site
from ingest.alarms.altered import Altered, compare
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.own_kind import own_device


def altered(site: Site, shard: str | None, database: AlarmDatabase) -> tuple[list[Altered], list[str]]:
    """Return what is not as the record says, and in sentences what was not judged.

    Raises:
        AlarmError: the database cannot be read.
    """
    # What belongs to no collector is told by each of them, lest nobody tells it.
    others = set() if shard is None else _names(site, site.shards) - _names(site, [shard])
    with database.read() as connection:
        found = compare(connection, site)
    unjudged = f"the priority of {found.unranked} occurrences: their version of the rule is not known"
    return [each for each in found.altered if each.device not in others], [unjudged] if found.unranked else []


def _names(site: Site, shards: Collection[str]) -> set[str]:
    """Return the names under which the alarms of collectors stand."""
    found = {own_device(shard) for shard in shards}
    for shard in shards:
        for device in site.part(shard).devices.values():
            found |= {device.id, f"circuit:{device.circuit}", f"street:{device.street}"}
    return found
