"""Where readings live: one promise, two stores (InfluxDB and embedded SQLite)."""

from devices.site import Site
from ingest.places import MAIN, Places
from ingest.store.base import Held, Series, Store, WriteResult
from ingest.store.sqlite import SqliteStore
from ingest.store.tallies import Asked, Least, Tally

__all__ = ["Asked", "Held", "Least", "Series", "Store", "Tally", "WriteResult", "open_store"]


def open_store(site: Site, places: Places, shard: str | None = None, durable: bool = True) -> Store:
    """Return the store a site names, for one shard's cursor; connecting waits until the first write or read.

    Only what can be made again may do without being ``durable``.
    """
    if site.store.embedded:
        return SqliteStore(places.readings, site.catalog, site.store, shard or MAIN, durable)
    from ingest.store.influx import InfluxStore  # a city with the embedded store does without its 500 modules

    return InfluxStore(site.store.url, site.catalog, site.store, places.for_shard(shard).minutes)
