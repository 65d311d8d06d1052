"""A revision: what the rules in force differ in from the site file, whole; and what a change adds to it.

A revision stands for itself: laid over the site file it gives all limits, whatever came before it. Its tables name each
limit by its key, so that a later change of one number leaves the others as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from devices.catalog import Catalog
from devices.errors import Fault, shown
from devices.site import Site
from devices.site_change import Target, changed_site, limited, plain_limit, target
from devices.site_limits import SCOPES

Limits = dict[str, Any]


class Change(msgspec.Struct, frozen=True):
    """What a draft says, in the words of the site file; ``withdraw`` names changes of before that shall be no more."""

    limits: dict[str, Any] = {}
    limits_for: list[Any] = []
    withdraw: list[Any] = []

    @property
    def empty(self) -> bool:
        """Tell whether it says nothing."""
        return not (any(self.limits.values()) or self.limits_for or self.withdraw)


class Revision(msgspec.Struct, frozen=True):
    """All changes that stand, and the number of the revision they are; number 0 is the site file alone."""

    number: int = 0
    limits: Limits = {}
    limits_for: list[Limits] = []

    def over(self, site: Site, faults: list[Fault] | None = None) -> Site:
        """Return the site with these limits; what does not fit (any more) is left out and told in ``faults``."""
        found: list[Fault] = [] if faults is None else faults
        if not (self.limits or self.limits_for):
            return site
        return changed_site(site, in_words(self.limits), self.limits_for, found)

    @property
    def digest(self) -> str:
        """Return what tells two contents apart, whatever their numbers."""
        return sha256(msgspec.json.encode([self.limits, self.limits_for], order="deterministic")).hexdigest()


SITE_FILE = Revision()


def packed(revision: Revision) -> bytes:
    """Return the payload of the journal record that puts a revision into force."""
    return msgspec.msgpack.encode(revision)


def unpacked(payload: bytes) -> Revision:
    """Return what such a record holds."""
    return msgspec.msgpack.decode(payload, type=Revision)


def laid(base: Revision, change: Change, site: Site, faults: list[Fault], number: int = 0) -> Revision:
    """Return a revision with a change laid on it; everything wrong with the change is added to ``faults``."""
    own = site.kinds_as_they_come or site.catalog
    faults.extend(_misshapen(change))
    if faults:
        return base
    limits = {kind: dict(fields) for kind, fields in base.limits.items()}
    scoped = {target(table, own): table for table in base.limits_for}
    faults.extend(_withdrawn(change.withdraw, limits, scoped, own))
    standing = Revision(base.number, limits, list(scoped.values()))
    changed_site(
        standing.over(site), change.limits, [_merged(scoped, table, own) for table in change.limits_for], faults
    )
    if faults:
        return base
    for kind, fields in _by_limit(change.limits, own).items():
        for field, tables in fields.items():
            before = limits.setdefault(kind, {}).get(field, {})
            limits[kind][field] = {**before, **{key: {**before.get(key, {}), **new} for key, new in tables.items()}}
    # What is changed now comes last, as in a file to which it is added.
    for table in change.limits_for:
        about = target(table, own)
        merged = _merged(scoped, {**table, "limit": about[4]}, own)
        scoped.pop(about, None)
        scoped[about] = merged
    found = Revision(number, {kind: fields for kind, fields in limits.items() if fields}, list(scoped.values()))
    found.over(site, faults)
    return base if faults else found


def _merged(scoped: Mapping[Target, Limits], table: Limits, own: Catalog) -> Limits:
    return {**scoped.get(target(table, own), {}), **table}


def _misshapen(change: Change) -> Iterator[Fault]:
    for kind, fields in change.limits.items():
        if not isinstance(fields, dict):
            yield Fault(f"limits.{kind}", f"expected a table of fields, found {shown(fields)}")
    for name, tables in (("limits_for", change.limits_for), ("withdraw", change.withdraw)):
        for index, table in enumerate(tables):
            if not isinstance(table, dict):
                yield Fault(f"{name}[{index}]", f"expected a table, found {shown(table)}")
    if change.empty:
        yield Fault("limits", "the draft changes nothing; expected limits, limits_for or withdraw")


def _by_limit(limits: Limits, own: Catalog) -> Limits:
    """Return tables of ``[limits]`` with the key of each limit; one on a group stands under its own key, as it is."""
    found: Limits = {}
    for kind, fields in limits.items():
        for field, table in fields.items():
            known = limited(own.kinds[kind]).get(field)
            named = known is not None and any(limit.key in table for limit in known.limits)
            key = "" if known is None else plain_limit(own.kinds[kind], field)
            found.setdefault(kind, {})[field] = table if named else {key: table}
    return found


def in_words(limits: Limits) -> Limits:
    """Return tables of ``[limits]`` as the site file writes them."""
    return {
        kind: {field: tables.get("", tables) for field, tables in fields.items()} for kind, fields in limits.items()
    }


def _withdrawn(tables: Sequence[Limits], limits: Limits, scoped: dict[Target, Limits], own: Catalog) -> Iterator[Fault]:
    for index, table in enumerate(tables):
        path = f"withdraw[{index}]"
        about = target(table, own)
        _, _, kind, field, key = about
        for name in table.keys() - {*SCOPES, "kind", "field", "limit"}:
            yield Fault(
                f"{path}.{name}", "is not a word of a withdrawal; known are kind, field, limit, device, circuit, street"
            )
        if about[0] and about in scoped:
            del scoped[about]
        elif not about[0] and limits.get(kind, {}).get(field, {}).keys() & {key, ""}:
            kept = {name: each for name, each in limits[kind].pop(field).items() if name not in (key, "")}
            limits[kind].update({field: kept} if kept else {})
        else:
            yield Fault(
                path, f"no revision has changed the limit of {shown(dict(table))}; there is nothing to withdraw"
            )
