"""``[[cameras]]`` and ``[[grid_officers]]`` of a site file: what sees a place, and who looks after a grid (网格员)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from devices.errors import Fault, shown
from devices.kind import Label
from devices.site import Camera, GridOfficer

Tables = Sequence[Mapping[str, Any]]
_CAMERA = frozenset({"id", "name", "lat", "lon"})
_OFFICER = frozenset({"name", "phone", "grids"})


def read_cameras(tables: Tables, faults: list[Fault]) -> tuple[Camera, ...]:
    """Return the cameras; everything wrong is added to ``faults``."""
    found: dict[str, Camera] = {}
    for path, table in _rows("cameras", tables, _CAMERA, faults):
        camera = Camera(
            _text(table.get("id"), f"{path}.id", faults),
            _label(table.get("name"), f"{path}.name", faults),
            _degrees(table.get("lat"), 90, f"{path}.lat", faults),
            _degrees(table.get("lon"), 180, f"{path}.lon", faults),
        )
        if camera.id and camera.id in found:
            faults.append(Fault(f"{path}.id", f"{camera.id!r} is the id of another camera already"))
        found[camera.id] = camera
    return tuple(found.values())


def read_grid_officers(tables: Tables, grids: Collection[str], faults: list[Fault]) -> dict[str, GridOfficer]:
    """Return the officer of each grid; everything wrong is added to ``faults``. ``grids`` are those of the streets."""
    found: dict[str, GridOfficer] = {}
    for path, table in _rows("grid_officers", tables, _OFFICER, faults):
        officer = GridOfficer(
            _label(table.get("name"), f"{path}.name", faults), _text(table.get("phone"), f"{path}.phone", faults)
        )
        own = table.get("grids")
        if not isinstance(own, list) or not own or not all(isinstance(grid, str) for grid in own):
            faults.append(Fault(f"{path}.grids", f"expected a list of grids, found {shown(own)}"))
            continue
        for grid in own:
            if grid not in grids:
                faults.append(Fault(f"{path}.grids", f"{shown(grid)} is no grid of a street"))
            elif grid in found:
                faults.append(Fault(f"{path}.grids", f"{grid!r} has another officer already"))
            found[grid] = officer
    return found


def _rows(
    name: str, tables: Tables, known: frozenset[str], faults: list[Fault]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for index, table in enumerate(tables):
        path = f"{name}[{index}]"
        for key in sorted(set(table) - known):
            faults.append(Fault(f"{path}.{key}", f"is not a setting; known are {', '.join(sorted(known))}"))
        yield path, table


def _text(found: object, path: str, faults: list[Fault]) -> str:
    if isinstance(found, str) and found:
        return found
    faults.append(Fault(path, f"expected a text, found {shown(found)}"))
    return ""


def _label(found: object, path: str, faults: list[Fault]) -> Label:
    if isinstance(found, dict) and isinstance(found.get("zh"), str) and isinstance(found.get("en"), str):
        return Label(found["zh"], found["en"])
    faults.append(Fault(path, f'expected {{zh = "…", en = "…"}}, found {shown(found)}'))
    return Label("", "")


def _degrees(found: object, most: float, path: str, faults: list[Fault]) -> float:
    if isinstance(found, int | float) and not isinstance(found, bool) and -most <= found <= most:
        return float(found)
    faults.append(Fault(path, f"expected degrees from {-most:g} to {most:g}, found {shown(found)}"))
    return 0.0
