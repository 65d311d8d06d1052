"""Whom to call: the responsible unit, the grid officer and the nearest camera of a device or a place."""

from dataclasses import dataclass
from functools import cache

from devices.groups import gathered
from devices.site import Camera, GridOfficer, ResponsibleUnit, Site
from ingest.cases.places import metres_apart


@dataclass(frozen=True, slots=True)
class Contacts:
    """Who is called and what can be seen; ``camera_m`` is how far away the camera is, where that is known."""

    unit: ResponsibleUnit | None = None
    officer: GridOfficer | None = None
    camera: Camera | None = None
    camera_id: str = ""
    camera_m: float | None = None

    def document(self) -> dict[str, object]:
        """Return it as pages and programs get it."""
        unit, officer, camera = self.unit, self.officer, self.camera
        shown: dict[str, object] | None = None
        if self.camera_id:
            name = None if camera is None else {"zh": camera.label.zh, "en": camera.label.en}
            metres = None if self.camera_m is None else round(self.camera_m)
            shown = {"id": self.camera_id, "name": name, "distance_m": metres}
        return {
            "unit": unit and {"name": {"zh": unit.label.zh, "en": unit.label.en}, "phone": unit.phone},
            "grid_officer": officer
            and {"name": {"zh": officer.label.zh, "en": officer.label.en}, "phone": officer.phone},
            "camera": shown,
        }


class Directory:
    """Looks contacts up in a site file."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._groups = gathered(site)
        self._cameras = {camera.id: camera for camera in site.cameras}
        # Asked for with every alarm that a page shows; a site does not change while it runs.
        self._nearest = cache(self._look)

    def of_device(self, name: str) -> Contacts:
        """Return the contacts of a device: its own camera if it names one, else the nearest."""
        device = self._site.devices.get(name) or self._groups.get(name)
        if device is None:
            return Contacts()
        return self.of_place(device.responsible, device.grid, device.lat, device.lon, device.camera)

    def of_place(self, unit: str, grid: str, lat: float | None, lon: float | None, camera: str = "") -> Contacts:
        """Return the contacts of a place; ``camera`` is the id of one that is known to see it."""
        metres: float | None = None
        shown = self._cameras.get(camera)
        if shown is not None and lat is not None and lon is not None:
            metres = metres_apart(lat, lon, shown.lat, shown.lon)
        elif not camera and lat is not None and lon is not None:
            shown, metres = self._nearest(lat, lon)
        return Contacts(
            self._site.units.get(unit),
            self._site.grid_officers.get(grid),
            shown,
            camera or (shown.id if shown is not None else ""),
            metres,
        )

    def _look(self, lat: float, lon: float) -> tuple[Camera | None, float | None]:
        found = min(
            ((metres_apart(lat, lon, each.lat, each.lon), each.id, each) for each in self._site.cameras), default=None
        )
        return (None, None) if found is None else (found[2], found[0])
