"""The devices of a site file: each row checked alone, then all of them together (parents, shards, repeats)."""

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches

from devices.catalog import Catalog
from devices.errors import Fault, shown
from devices.kind import Label
from devices.site import Device, District, ResponsibleUnit, Shard
from devices.topics import DEVICE_ID

FOREIGN_SCHEMES = ("DJI", "HJ212")
NOISE_CLASSES = ("0", "1", "2", "3", "4a", "4b")
ROADS = ("main", "branch")
_CIRCUIT_MOST = 48
_MASSES = ("rated_kg", "max_mass_kg", "posted_limit_kg")
DeviceRows = Sequence[tuple[str, Mapping[str, object]]]
COLUMNS = frozenset(
    {
        "id", "kind", "street", "grid", "lat", "lon", "parent", "foreign", "installed", "expires", "responsible",
        "camera", "name_zh", "name_en", "fitted", "circuit", "premises", "rated_kg", "max_mass_kg", "posted_limit_kg",
        "verify_due", "noise_class", "road",
    }
)  # fmt: skip


def read_devices(
    rows: DeviceRows,
    catalog: Catalog,
    districts: Sequence[District],
    units: Mapping[str, ResponsibleUnit],
    shards: Mapping[str, Shard],
    faults: list[Fault],
) -> dict[str, Device]:
    """Return the devices by id; everything wrong is added to ``faults`` with the row it stands in."""
    district_of = {street.key: district.key for district in districts for street in district.streets}
    devices: dict[str, Device] = {}
    where: dict[str, str] = {}
    for path, row in rows:
        device = _device(path, row, catalog, district_of, units, faults)
        if device is None:
            continue
        if device.id in devices:
            faults.append(Fault(path, f"the id {device.id!r} stands at {where[device.id]} already"))
            continue
        devices[device.id], where[device.id] = device, path
    # A parent whose own row is faulty is told once, there; its hundreds of children are not told again.
    declared = {str(row.get("id", "")) for _, row in rows}
    _check_foreign(devices, where, faults)
    _check_shards(devices, shards, faults)
    _check_groups(devices, catalog, shards, faults)
    for device in devices.values():
        if device.parent in devices or device.parent not in declared:
            _check_parent(device, devices, shards, where[device.id], faults)
    return devices


def _device(
    path: str,
    row: Mapping[str, object],
    catalog: Catalog,
    district_of: Mapping[str, str],
    units: Mapping[str, ResponsibleUnit],
    faults: list[Fault],
) -> Device | None:
    before = len(faults)
    for column in row:
        if column not in COLUMNS:
            close = get_close_matches(str(column), COLUMNS, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            faults.append(Fault(f"{path}.{column}", f"is not a column of a device{hint}"))
    identifier = str(row.get("id", ""))
    if not DEVICE_ID.fullmatch(identifier):
        faults.append(Fault(f"{path}.id", f"{shown(identifier)}: expected 1 to 64 of A–Z a–z 0–9 . _ -"))
    kind = str(row.get("kind", ""))
    if kind not in catalog.kinds:
        faults.append(Fault(f"{path}.kind", f"{shown(kind)} is not a kind{catalog.suggestion(kind)}"))
    street = str(row.get("street", ""))
    if street not in district_of:
        close = get_close_matches(street, district_of, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        faults.append(Fault(f"{path}.street", f"{shown(street)} is not a street of a district{hint}"))
    responsible = str(row.get("responsible", ""))
    if responsible and responsible not in units:
        faults.append(Fault(f"{path}.responsible", f"{shown(responsible)} is not a unit; expected a key of [[units]]"))
    lat = _number(row, "lat", path, -90, 90, faults)
    lon = _number(row, "lon", path, -180, 180, faults)
    numbers = {key: _number(row, key, path, 0, 1e6, faults) for key in _MASSES}
    dates = {key: _date(row, key, path, faults) for key in ("installed", "expires", "verify_due")}
    fitted = tuple(str(row.get("fitted", "")).split())
    if kind in catalog.kinds:
        own = {measurement.key for measurement in catalog.kinds[kind].measurements}
        for measurement in fitted:
            if measurement not in own:
                faults.append(
                    Fault(f"{path}.fitted", f"{shown(measurement)}: expected some of {', '.join(sorted(own))}")
                )
    for key, known in (("noise_class", NOISE_CLASSES), ("road", ROADS)):
        if row.get(key, "") not in ("", *known):
            faults.append(Fault(f"{path}.{key}", f"{shown(row[key])}: expected one of {', '.join(known)}"))
    if len(str(row.get("circuit", ""))) > _CIRCUIT_MOST:
        faults.append(Fault(f"{path}.circuit", f"expected at most {_CIRCUIT_MOST} characters"))
    if len(faults) > before:
        return None
    names = str(row.get("name_zh", "")), str(row.get("name_en", ""))
    return Device(
        identifier,
        kind,
        district_of[street],
        street,
        str(row.get("grid", "")),
        lat,
        lon,
        str(row.get("parent", "")),
        str(row.get("foreign", "")),
        dates["installed"],
        dates["expires"],
        responsible,
        str(row.get("camera", "")),
        Label(*names) if all(names) else None,
        fitted,
        str(row.get("circuit", "")),
        str(row.get("premises", "")),
        numbers["rated_kg"],
        numbers["max_mass_kg"],
        numbers["posted_limit_kg"],
        dates["verify_due"],
        str(row.get("noise_class", "")),
        str(row.get("road", "")),
    )


def _number(
    row: Mapping[str, object], key: str, path: str, low: float, high: float, faults: list[Fault]
) -> float | None:
    if key not in row:
        return None
    try:
        value = float(str(row[key]))
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        faults.append(Fault(f"{path}.{key}", f"{shown(row[key])}: expected a number from {low:g} to {high:g}"))
        return None
    return value


def _date(row: Mapping[str, object], key: str, path: str, faults: list[Fault]) -> date | None:
    if key not in row:
        return None
    found = row[key]
    if isinstance(found, date):
        return found
    try:
        return date.fromisoformat(str(found))
    except ValueError:
        faults.append(Fault(f"{path}.{key}", f"{shown(found)}: expected a date such as 2030-03-01"))
        return None


def _check_foreign(devices: Mapping[str, Device], where: Mapping[str, str], faults: list[Fault]) -> None:
    owner: dict[str, str] = {}
    for device in devices.values():
        scheme, colon, number = device.foreign.partition(":")
        if device.foreign and (scheme not in FOREIGN_SCHEMES or not colon or not number):
            expected = " or ".join(f"{known}:number" for known in FOREIGN_SCHEMES)
            faults.append(Fault(f"{where[device.id]}.foreign", f"{shown(device.foreign)}: expected {expected}"))
        if device.foreign and owner.setdefault(device.foreign, device.id) != device.id:
            first = owner[device.foreign]
            faults.append(Fault(f"{where[device.id]}.foreign", f"{device.foreign!r} belongs to {first!r} already"))


def _check_parent(
    device: Device, devices: Mapping[str, Device], shards: Mapping[str, Shard], path: str, faults: list[Fault]
) -> None:
    if not device.parent:
        return
    parent = devices.get(device.parent)
    if parent is None:
        faults.append(Fault(f"{path}.parent", f"{device.parent!r} is not a device of this site"))
        return
    seen = {device.id}
    above: Device | None = parent
    while above is not None:
        if above.id in seen:
            faults.append(Fault(f"{path}.parent", f"a circle of parents: {device.id} → … → {above.id}"))
            return
        seen.add(above.id)
        above = devices.get(above.parent)
    own, others = _shard_of(device, shards), _shard_of(parent, shards)
    if own != others:
        faults.append(Fault(f"{path}.parent", f"{parent.id} is in shard {others!r}, its child in {own!r}"))


def _check_shards(devices: Mapping[str, Device], shards: Mapping[str, Shard], faults: list[Fault]) -> None:
    """A device belongs to one collector: two would each keep its alarms, and none would keep them at all."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for device in devices.values() if shards else ():
        groups.setdefault(tuple(shard.name for shard in shards.values() if shard.holds(device)), []).append(device.id)
    for names, found in groups.items():
        if len(names) != 1:
            who = found[0] if len(found) == 1 else f"{found[0]} and {len(found) - 1} more"
            where = " and ".join(repr(name) for name in names) or "none"
            faults.append(Fault("shards", f"{who}: expected in one shard, found in {where}"))


def _check_groups(
    devices: Mapping[str, Device], catalog: Catalog, shards: Mapping[str, Shard], faults: list[Fault]
) -> None:
    """A rule on the devices of a circuit or street together is judged by the one collector that hears them all."""
    found: dict[tuple[str, str, str], set[str | None]] = {}
    for device in devices.values() if shards else ():
        for by in {group.by for group in catalog.kinds[device.kind].groups}:
            name = device.circuit if by == "circuit" else device.street
            if name:
                found.setdefault((by, name, device.kind), set()).add(_shard_of(device, shards))
    for (group, name, kind), owners in found.items():
        if len(owners) > 1:
            where = " and ".join(repr(owner) for owner in sorted(map(str, owners)))
            faults.append(Fault("shards", f"{kind} of {group} {name!r}: expected in one shard, found in {where}"))


def _shard_of(device: Device, shards: Mapping[str, Shard]) -> str | None:
    return next((shard.name for shard in shards.values() if shard.holds(device)), None)
