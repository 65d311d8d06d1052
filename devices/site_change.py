"""A site with other limits: changes in the words of the site file, laid over what the site file says.

``limits`` is what ``[limits]`` holds and ``limits_for`` what ``[[limits_for]]`` holds; both say only what differs from
the limits that stand, and are checked by the same code as the site file's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from devices.catalog import Catalog
from devices.errors import Fault
from devices.kind import Field, Kind
from devices.site import Site
from devices.site_limits import SCOPES, scoped_limits, with_limits

Table = Mapping[str, Any]
Target = tuple[str, str, str, str, str]
"""What a table of ``limits_for`` is about: scope, name, kind, field, limit key."""


def changed_site(site: Site, limits: Table, limits_for: Sequence[Table], faults: list[Fault]) -> Site:
    """Return a site with its limits changed; a change that does not fit is left out, and told in ``faults``."""
    own = site.kinds_as_they_come or site.catalog
    catalog = with_limits(site.catalog, limits, faults, own)
    mine = {target(table, own): table for table in site.limits_for}
    # The changes first, so that a fault names a table by its place among them.
    tables = [{**mine.pop(target(table, own), {}), **table} for table in limits_for]
    scoped = scoped_limits([*tables, *mine.values()], own, catalog, site.devices, faults)
    return replace(site, catalog=catalog, scoped=scoped, ways={})


def target(table: Table, catalog: Catalog) -> Target:
    """Return what a table is about; a limit that is not named is the field's only one on the value itself."""
    scope = next((scope for scope in SCOPES if scope in table), "")
    kind_key, field_key = str(table.get("kind", "")), str(table.get("field", ""))
    limit = str(table.get("limit") or plain_limit(catalog.kinds.get(kind_key), field_key))
    return scope, str(table.get(scope, "")), kind_key, field_key, limit


def plain_limit(kind: Kind | None, field_key: str) -> str:
    """Return the key of a field's only limit on the value itself, or an empty text when there is none or several."""
    found = limited(kind).get(field_key)
    plain = [limit for limit in found.limits if limit.signal is None] or list(found.limits) if found else []
    return plain[0].key if len(plain) == 1 else ""


def limited(kind: Kind | None) -> Mapping[str, Field]:
    """Return the fields of a kind that have limits."""
    fields: Iterable[Field] = (field for m in (kind.measurements if kind else ()) for field in m.fields)
    return {field.key: field for field in fields if field.limits}
