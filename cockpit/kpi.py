"""The indicators of the city by kind of device: one place where each figure is made, for page, report and export."""

from collections.abc import Callable, Mapping

from cockpit import kpi_bridges, kpi_drones, kpi_gas, kpi_poles, kpi_refuse
from cockpit.kpi_days import Days
from cockpit.kpi_parts import Document, Sources, Wanted
from cockpit.kpi_tonnage import tonnage
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.store import Store


class Kpi:
    """Reads indicators; every call blocks, so the event loop makes them in a thread."""

    def __init__(self, site: Site, store: Store, database: AlarmDatabase) -> None:
        self._site = site
        sources = self._sources = Sources(site, store, database, Days())
        drones = kpi_drones.Drones(sources)
        self._kinds: Mapping[str, Callable[[Wanted], Document]] = {
            kpi_bridges.KIND: lambda wanted: kpi_bridges.bridges(sources, wanted),
            kpi_refuse.KIND: lambda wanted: kpi_refuse.refuse(sources, wanted),
            kpi_poles.KIND: lambda wanted: kpi_poles.poles(sources, wanted),
            kpi_gas.KIND: lambda wanted: kpi_gas.gas(sources, wanted),
            kpi_drones.KIND: drones.figures,
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds that have indicators."""
        return tuple(self._kinds)

    def figures(self, kind: str, wanted: Wanted) -> Document:
        """Return the indicators of a kind.

        ``waiting`` are the days of the period that are not reckoned yet: to ask again goes on with them.

        Raises:
            KeyError: the kind has none.
            StoreError: the store is away.
            AlarmError: the alarm database is away.
        """
        period = wanted.period
        return {
            "kind": kind,
            "from": period.first.isoformat(),
            "to": period.last.isoformat(),
            "district": wanted.district,
            "street": wanted.street,
            **self._kinds[kind](wanted),
        }

    def tonnage(self, wanted: Wanted) -> Document:
        """Return the refuse of a day by the hour, and of a day to compare it with.

        Raises:
            StoreError: the store is away.
        """
        return tonnage(self._sources, wanted)
