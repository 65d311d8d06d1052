"""A site's own thresholds, laid over the tables of the kinds: ``[limits.<kind>.<field>]``.

One limit on a field: ``levels = [20, 40]``, ``deadband``, ``on_s``, ``off_s``, ``source``. Several: one sub-table per
limit key. A capped limit may be made stricter, never looser.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from devices.catalog import Catalog
from devices.errors import Fault, shown
from devices.kind import Field, Kind, Limit
from devices.kind_check import limit_contradictions

_KEYS = frozenset({"levels", "deadband", "on_s", "off_s", "source"})


def with_limits(catalog: Catalog, overrides: Mapping[str, Any], faults: list[Fault]) -> Catalog:
    """Return the catalog with a site's thresholds in place; everything wrong is added to ``faults``."""
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
            kind = _with_field(kind, field_key, table, f"{path}.{field_key}", faults)
        kinds[kind_key] = kind
    return Catalog(kinds)


def _with_field(kind: Kind, key: str, table: object, path: str, faults: list[Fault]) -> Kind:
    known = {field.key: field for m in kind.measurements for field in m.fields if field.limits}
    if key in known and not isinstance(table, dict):
        faults.append(Fault(path, f"expected a table, found {shown(table)}"))
        return kind
    field = known.get(key)
    if field is None or not isinstance(table, dict):
        close = get_close_matches(key, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; fields with limits are {', '.join(known)}"
        faults.append(Fault(path, f"{key!r} has no limits{hint}"))
        return kind
    by_key = {field.limits[0].key: table} if len(field.limits) == 1 and not _names_limits(field, table) else table
    limits = {limit.key: limit for limit in field.limits}
    for limit_key, change in by_key.items():
        if limit_key not in limits or not isinstance(change, dict):
            faults.append(Fault(f"{path}.{limit_key}", f"expected one of the limits {', '.join(limits)}"))
            continue
        limits[limit_key] = _changed(limits[limit_key], field, change, kind, f"{path}.{limit_key}", faults)
    changed = replace(field, limits=tuple(limits.values()))
    measurements = tuple(
        replace(m, fields=tuple(changed if f is field else f for f in m.fields)) for m in kind.measurements
    )
    return replace(kind, measurements=measurements)


def _names_limits(field: Field, table: Mapping[str, object]) -> bool:
    return any(limit.key in table for limit in field.limits)


def _changed(
    limit: Limit, field: Field, change: Mapping[str, Any], kind: Kind, path: str, faults: list[Fault]
) -> Limit:
    before = len(faults)
    for key in change:
        if key not in _KEYS:
            faults.append(Fault(f"{path}.{key}", f"is not a setting of a limit; known are {', '.join(sorted(_KEYS))}"))
    levels = change.get("levels", [level.value for level in limit.levels])
    if not isinstance(levels, list) or len(levels) != len(limit.levels) or not all(map(_is_number, levels)):
        faults.append(Fault(f"{path}.levels", f"expected {len(limit.levels)} numbers, found {shown(levels)}"))
    for key in ("deadband", "on_s", "off_s"):
        if not _is_number(change.get(key, 0.0)):
            faults.append(Fault(f"{path}.{key}", f"expected a number, found {shown(change[key])}"))
    if len(faults) > before:
        return limit
    changed = replace(
        limit,
        levels=tuple(replace(old, value=float(value)) for old, value in zip(limit.levels, levels, strict=True)),
        deadband=float(change.get("deadband", limit.deadband)),
        on_s=float(change.get("on_s", limit.on_s)),
        off_s=float(change.get("off_s", limit.off_s)),
        source=str(change.get("source", "site file")),
    )
    sentences = [*limit_contradictions(changed, field, kind.stale_after_s), *_loosened(limit, changed)]
    faults.extend(Fault(path, sentence) for sentence in sentences)
    return limit if sentences else changed


def _loosened(own: Limit, changed: Limit) -> Iterator[str]:
    """Yield how a capped limit would come later than in the kind's table; its first level is held by the cap itself."""
    if own.cap is None:
        return
    sign = -1.0 if own.sense == "below" else 1.0
    for old, new in zip(own.levels[1:], changed.levels[1:], strict=True):
        if sign * new.value > sign * old.value:
            yield f"level {new.level}: {new.value:g} is looser than the {old.value:g} of a capped limit"
    if changed.on_s > own.on_s:
        yield f"on_s {changed.on_s:g} is longer than the {own.on_s:g} of a capped limit"


def _is_number(found: object) -> bool:
    # Also false for nan and the infinities, which a TOML file may hold and every comparison below would let pass.
    return isinstance(found, int | float) and not isinstance(found, bool) and abs(found) <= 1e15
