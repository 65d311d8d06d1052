"""Light poles: the lit rate (亮灯率), lamp-minutes lit out of those commanded to be lit."""

from collections import defaultdict
from collections.abc import Iterable

from cockpit.kpi_parts import Document, Sources, Wanted, share
from devices.kind import Kind
from devices.signals import Share, While
from devices.site import Device
from ingest.store import Asked, Least, Tally

KIND = "light_pole"
_MEASUREMENT = "light_pole"
_MOST_LAMPS = 20
ROADS = ("main", "branch")


def poles(sources: Sources, wanted: Wanted) -> Document:
    """Return the lit rate in all, by street, kind of road, night and lamp; what it is follows the rule of the kind."""
    devices = sources.devices(KIND, wanted)
    asked = lit_of(sources.site.catalog.kinds[KIND])
    found, waiting = sources.tallies(asked, wanted)
    minutes: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for each in found.values():
        for device in each.keys() & devices.keys():
            lit, commanded = _lit(each[device])
            minutes[device] = (minutes[device][0] + lit, minutes[device][1] + commanded)

    def rate(chosen: Iterable[Device]) -> Document:
        pairs = [minutes[each.id] for each in chosen if each.id in minutes]
        return share(sum(lit for lit, _ in pairs), sum(commanded for _, commanded in pairs))

    def rates(chosen: list[Device]) -> Document:
        by_road = {road: rate(each for each in chosen if each.road == road) for road in ROADS}
        return {"lit": rate(chosen), "lamps": len(chosen), **by_road}

    by_street = defaultdict(list)
    for device_found in devices.values():
        by_street[device_found.street].append(device_found)
    dark = sorted((lit / commanded, name) for name, (lit, commanded) in minutes.items() if lit < commanded)
    return {
        "waiting": waiting,
        "targets": _targets(sources.site.catalog.kinds[KIND]),
        "total": rates(list(devices.values())),
        "days": [
            {
                "day": day.date.isoformat(),
                "lit": share(*_sum(_lit(each[name]) for name in each.keys() & devices.keys())),
            }
            for day, each in found.items()
        ],
        "streets": [{"street": street, **rates(by_street[street])} for street in sources.streets(wanted)],
        "lamps": [
            {"device": name, "street": devices[name].street, "lit": rate([devices[name]])}
            for _, name in dark[:_MOST_LAMPS]
        ],
    }


def lit_of(kind: Kind) -> Asked:
    """Return how the rule of the lit rate is counted: minutes commanded, those lit, and of these those with a fault.

    What a lamp may leave unsaid (a fault) cannot be asked for as a condition, so its contrary is taken away.
    """
    rule = next(group.of for group in kind.groups if isinstance(group.of, Share))
    among = tuple(_least(each) for each in rule.among)
    lit = among + tuple(_least(each) for each in rule.of if not each.unknown)
    faults = [Least(each.field, each.high, more=True) for each in rule.of if each.unknown and each.high is not None]
    return Asked(_MEASUREMENT, among[0].field, (among, lit, *((*lit, fault) for fault in faults)), minutes=True)


def _least(condition: While) -> Least:
    assert condition.low is not None
    return Least(condition.field, condition.low)


def _lit(tallies: list[Tally]) -> tuple[int, int]:
    commanded, lit, *faulty = tallies
    return lit.rows - sum(each.rows for each in faulty), commanded.rows


def _sum(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    found = list(pairs)
    return sum(lit for lit, _ in found), sum(commanded for _, commanded in found)


def _targets(kind: Kind) -> Document:
    """Return what is still allowed by road, as a share."""
    groups = (group for group in kind.groups if isinstance(group.of, Share) and group.where is not None)
    return {group.where[1]: round(group.limit.levels[0].value + 0.01, 2) / 100 for group in groups if group.where}
