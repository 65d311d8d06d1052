"""A site's own thresholds, laid over the tables of the kinds: ``[limits.<kind>.<field>]`` and ``[[limits_for]]``.

A table says what differs: ``levels = [20, 40]``, ``priorities = ["P2", "P1"]``, ``deadband``, ``on_s``, ``off_s``,
``source``, ``grade``; ``hours``, ``days`` and ``holidays`` say when the limit is armed; ``unit`` may say again in which
unit it is, and must then be the limit's own. Without a limit's key it means the field's only limit on the value itself;
several stand in one sub-table per limit key, and a limit on a whole group of devices under its own key. A capped limit
may be made stricter, never looser (``devices.site_caps``). ``[[limits_for]]`` names the ``device``, ``circuit`` or
``street`` it is for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Literal, cast

from devices.catalog import Catalog
from devices.errors import Fault, shown
from devices.kind import PRIORITIES, Field, Kind, Label, Limit
from devices.kind_check import limit_contradictions
from devices.signals import Registered, Tagged, Together, Weekly, While
from devices.site import Device, ScopedLimit
from devices.site_caps import COUNTS, loosened, too_few

_NUMBERS = frozenset({"levels", "priorities", "deadband", "on_s", "off_s", "source", "grade", "unit"})
_ARMING = frozenset({"hours", "days", "holidays"})
_KEYS = _NUMBERS | _ARMING
_GRADES = ("A", "B", "C")
SCOPES: tuple[Literal["device", "circuit", "street"], ...] = ("device", "circuit", "street")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def with_limits(
    catalog: Catalog, overrides: Mapping[str, Any], faults: list[Fault], own: Catalog | None = None
) -> Catalog:
    """Return the catalog with a site's thresholds in place; everything wrong is added to ``faults``.

    ``own`` are the kinds as they come, where the catalog holds other thresholds already: they say what a cap means.
    """
    kinds = dict(catalog.kinds)
    for kind_key, fields in overrides.items():
        path = f"limits.{kind_key}"
        kind = kinds.get(kind_key)
        if kind is not None and not isinstance(fields, dict):
            faults.append(Fault(path, f"expected a table of fields, found {shown(fields)}"))
            continue
        if kind is None:
            faults.append(Fault(path, f"{kind_key!r} is not a kind{catalog.suggestion(kind_key)}"))
            continue
        for field_key, table in fields.items():
            kind = _with_field(kind, field_key, table, f"{path}.{field_key}", faults, (own or catalog).kinds[kind_key])
        kinds[kind_key] = kind
    return Catalog(kinds)


def scoped_limits(
    tables: Sequence[Mapping[str, Any]],
    own: Catalog,
    catalog: Catalog,
    devices: Mapping[str, Device],
    faults: list[Fault],
) -> tuple[ScopedLimit, ...]:
    """Return the limits that stand for some devices only.

    Args:
        tables: the site file's ``[[limits_for]]``.
        own: the kinds as they come, which say what a cap means.
        catalog: the kinds with the site's thresholds in place, which say what is not repeated.
        devices: of the site.
        faults: everything wrong is added to them.
    """
    found: dict[tuple[str, str, str, str, str], ScopedLimit] = {}
    for index, table in enumerate(tables):
        path = f"limits_for[{index}]"
        scoped = _scoped(table, own, catalog, devices, path, faults)
        if scoped is None:
            continue
        key = (scoped.scope, scoped.name, scoped.kind, scoped.field, scoped.limit.key)
        if key in found:
            faults.append(Fault(path, f"{scoped.scope} {scoped.name!r} has this limit in another table already"))
        found[key] = scoped
    return tuple(found.values())


def _scoped(
    table: Mapping[str, Any],
    own: Catalog,
    catalog: Catalog,
    devices: Mapping[str, Device],
    path: str,
    faults: list[Fault],
) -> ScopedLimit | None:
    named = [scope for scope in SCOPES if scope in table]
    if len(named) != 1:
        faults.append(Fault(path, f"expected one of {', '.join(SCOPES)}, found {' and '.join(named) or 'none'}"))
        return None
    (scope,) = named
    name, kind_key, field_key = str(table[scope]), str(table.get("kind", "")), str(table.get("field", ""))
    kind = catalog.kinds.get(kind_key)
    if kind is None:
        faults.append(Fault(f"{path}.kind", f"{kind_key!r} is not a kind{catalog.suggestion(kind_key)}"))
        return None
    if not any(
        getattr(d, "id" if scope == "device" else scope) == name and d.kind == kind_key for d in devices.values()
    ):
        faults.append(Fault(f"{path}.{scope}", f"{name!r} holds no {kind_key}; the limit would be for nobody"))
        return None
    change = {key: value for key, value in table.items() if key not in (scope, "kind", "field", "limit")}
    before = len(faults)
    group = next((group for group in kind.groups if group.limit.key == field_key), None)
    if group is not None:
        if scope != group.by:
            faults.append(Fault(f"{path}.{scope}", f"{field_key!r} looks at a whole {group.by}; expected a {group.by}"))
            return None
        first = next(each.limit for each in own.kinds[kind_key].groups if each.limit.key == field_key)
        least = 2 if isinstance(group.of, Together) else 1
        changed = _changed(group.limit, None, change, kind, path, faults, first, group.unit, least)
        return None if len(faults) > before else ScopedLimit(scope, name, kind_key, field_key, changed)
    field = _limited(kind).get(field_key)
    if field is None:
        known = {**_limited(kind), **{group.limit.key: group for group in kind.groups}}
        faults.append(Fault(f"{path}.field", _without_limits(field_key, known, kind)))
        return None
    wanted = table.get("limit")
    usual = [limit for limit in field.limits if limit.key == wanted] if wanted is not None else _plain(field)
    if len(usual) != 1:
        keys = ", ".join(limit.key for limit in field.limits)
        faults.append(Fault(f"{path}.limit", f"expected one of the limits {keys}, found {shown(wanted)}"))
        return None
    first = next(limit for limit in own.kinds[kind_key].field(field_key).limits if limit.key == usual[0].key)
    changed = _changed(usual[0], field, change, kind, path, faults, first)
    return None if len(faults) > before else ScopedLimit(scope, name, kind_key, field_key, changed)


def _limited(kind: Kind) -> dict[str, Field]:
    return {field.key: field for m in kind.measurements for field in m.fields if field.limits}


def _plain(field: Field) -> list[Limit]:
    """Return the limits on the value itself: those a field's name may stand for where it is the only one."""
    return [limit for limit in field.limits if limit.signal is None]


def _without_limits(key: str, known: Mapping[str, object], kind: Kind) -> str:
    said = f"{key!r} has no limits" if key else "expected a field, found none"
    if not known:
        return f"{said}; no field of {kind.key} has any"
    close = get_close_matches(key, known, n=1)
    return f"{said}; did you mean {close[0]!r}?" if close else f"{said}; fields with limits are {', '.join(known)}"


def _with_field(kind: Kind, key: str, table: object, path: str, faults: list[Fault], own: Kind) -> Kind:
    known = _limited(kind)
    groups = {group.limit.key: group for group in kind.groups}
    if (key in known or key in groups) and not isinstance(table, dict):
        faults.append(Fault(path, f"expected a table, found {shown(table)}"))
        return kind
    if key in groups:
        first = next(group.limit for group in own.groups if group.limit.key == key)
        group, change = groups[key], cast(Any, table)
        least = 2 if isinstance(group.of, Together) else 1
        group = replace(group, limit=_changed(group.limit, None, change, kind, path, faults, first, group.unit, least))
        return replace(kind, groups=tuple(group if g.limit.key == key else g for g in kind.groups))
    field = known.get(key)
    if field is None or not isinstance(table, dict):
        faults.append(Fault(path, _without_limits(key, known, kind)))
        return kind
    plain = _plain(field) or list(field.limits)
    by_key = {plain[0].key: table} if len(plain) == 1 and not _names_limits(field, table) else table
    limits = {limit.key: limit for limit in field.limits}
    for limit_key, change in by_key.items():
        if limit_key not in limits or not isinstance(change, dict):
            faults.append(Fault(f"{path}.{limit_key}", f"expected one of the limits {', '.join(limits)}"))
            continue
        first = next(limit for limit in _limited(own)[key].limits if limit.key == limit_key)
        limits[limit_key] = _changed(limits[limit_key], field, change, kind, f"{path}.{limit_key}", faults, first)
    changed = replace(field, limits=tuple(limits.values()))
    measurements = tuple(
        replace(m, fields=tuple(changed if f is field else f for f in m.fields)) for m in kind.measurements
    )
    return replace(kind, measurements=measurements)


def _names_limits(field: Field, table: Mapping[str, object]) -> bool:
    return any(limit.key in table for limit in field.limits)


def _changed(
    limit: Limit,
    field: Field | None,
    change: Mapping[str, Any],
    kind: Kind,
    path: str,
    faults: list[Fault],
    first: Limit | None = None,
    unit: str = "1",
    least: int = 1,
) -> Limit:
    """Return a limit with a site's changes, or as it was where something is wrong with them.

    ``first`` is the kind's own, by which a cap is measured; ``least`` what a level that counts may be.
    """
    before = len(faults)
    unit = limit.unit or (unit if field is None else field.unit)
    if change.get("unit", unit) != unit:
        faults.append(Fault(f"{path}.unit", f"expected {unit!r}, the unit of the limit, found {shown(change['unit'])}"))
    for key in change:
        if key not in _KEYS:
            faults.append(Fault(f"{path}.{key}", f"is not a setting of a limit; known are {', '.join(sorted(_KEYS))}"))
    levels = change.get("levels", [level.value for level in limit.levels])
    if not isinstance(levels, list) or len(levels) != len(limit.levels) or not all(map(_is_number, levels)):
        faults.append(Fault(f"{path}.levels", f"expected {len(limit.levels)} numbers, found {shown(levels)}"))
        levels = None
    priorities = change.get("priorities", [level.priority for level in limit.levels])
    known = isinstance(priorities, list) and all(priority in PRIORITIES for priority in priorities)
    if not known or len(priorities) != len(limit.levels):
        expected = f"expected {len(limit.levels)} of {', '.join(PRIORITIES)}"
        faults.append(Fault(f"{path}.priorities", f"{expected}, found {shown(priorities)}"))
        priorities = None
    grade = change.get("grade", limit.grade)
    if grade not in _GRADES:
        faults.append(Fault(f"{path}.grade", f"expected one of {', '.join(_GRADES)}, found {shown(grade)}"))
        grade = limit.grade
    numbers = {"deadband": limit.deadband, "on_s": limit.on_s, "off_s": limit.off_s}
    for key, usual in numbers.items():
        found = change.get(key, usual)
        if _is_number(found):
            numbers[key] = float(found)
        else:
            faults.append(Fault(f"{path}.{key}", f"expected a number, found {shown(found)}"))
    weekly = _weekly(change, path, faults) if _ARMING & change.keys() else None
    armed = limit.armed
    if weekly is not None:
        armed = (*(arming for arming in limit.armed if isinstance(arming, While | Registered | Tagged)), weekly)
    if levels is None:
        # Nothing is held against levels that were not meant.
        numbers["deadband"] = min(numbers["deadband"], limit.deadband)
    # What cannot be read is left as it is, so that all else is looked at and everything wrong told at once.
    changed = replace(
        limit,
        levels=tuple(
            replace(old, value=float(value), priority=priority)
            for old, value, priority in zip(
                limit.levels,
                levels or [level.value for level in limit.levels],
                priorities or [level.priority for level in limit.levels],
                strict=True,
            )
        ),
        deadband=numbers["deadband"],
        on_s=numbers["on_s"],
        off_s=numbers["off_s"],
        source=_source(change.get("source", "site file"), f"{path}.source", faults),
        grade=grade,
        armed=armed,
    )
    sentences = [
        *limit_contradictions(changed, field, kind.stale_after_s if field is not None else None),
        *(too_few(changed, least) if unit in COUNTS else ()),
        *loosened(first or limit, changed),
    ]
    faults.extend(Fault(path, sentence) for sentence in sentences)
    return limit if len(faults) > before else changed


def _source(given: object, path: str, faults: list[Fault]) -> str | Label:
    """Read plain words, or ``{ zh = "…", en = "…" }``."""
    if not isinstance(given, Mapping):
        return str(given)
    zh, en = given.get("zh"), given.get("en")
    if set(given) == {"zh", "en"} and isinstance(zh, str) and isinstance(en, str) and zh and en:
        return Label(zh, en)
    faults.append(Fault(path, f"expected a text, or one in zh and one in en, found {shown(given)}"))
    return "site file"


def _weekly(change: Mapping[str, Any], path: str, faults: list[Fault]) -> Weekly | None:
    """Read ``hours = "22:00-06:00"``, ``days = "mon-fri"`` or ``"sat sun"``, ``holidays = true``."""
    before = len(faults)
    hours = _HOURS.fullmatch(str(change.get("hours", "00:00-00:00")))
    if hours is None:
        faults.append(Fault(f"{path}.hours", f'expected such as "22:00-06:00", found {shown(change["hours"])}'))
    days: set[int] = set()
    for word in str(change.get("days", "mon-sun")).split():
        start, _, stop = word.partition("-")
        if start not in _DAYS or (stop and stop not in _DAYS):
            expected = 'expected such as "mon-fri" or "sat sun"'
            faults.append(Fault(f"{path}.days", f"{expected}, found {shown(change['days'])}"))
            break
        begin, end = _DAYS.index(start), _DAYS.index(stop or start)
        days.update(range(begin, end + 1) if begin <= end else (*range(begin, 7), *range(end + 1)))
    holidays = change.get("holidays")
    if holidays is not None and not isinstance(holidays, bool):
        faults.append(Fault(f"{path}.holidays", f"expected true or false, found {shown(holidays)}"))
    if len(faults) > before or hours is None:
        return None
    start_min, stop_min = (int(hours[n]) * 60 + int(hours[n + 1]) for n in (1, 3))
    return Weekly(start_min, stop_min, frozenset(days), holidays)


def _is_number(found: object) -> bool:
    # Also false for nan and the infinities, which a TOML file may hold and every comparison below would let pass.
    return isinstance(found, int | float) and not isinstance(found, bool) and abs(found) <= 1e15
