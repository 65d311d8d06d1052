"""What the simulators' tests share: the demo site and instants in its day."""

from datetime import datetime
from functools import cache

from devices.decode import decode
from devices.readings import Reading
from devices.site import Site
from devices.site_file import load_site
from simulators.feed import Feed
from simulators.moment import SimulatedClock
from simulators.report import Message
from simulators.setting import Setting, make_setting


@cache
def demo_site() -> Site:
    return load_site()


def at_ms(hour: float, day: int = 20) -> int:
    """Return an instant of a day in November 2026 by the demo city's clocks."""
    midnight = datetime(2026, 11, day, tzinfo=demo_site().timezone)
    return round((midnight.timestamp() + hour * 3600) * 1000)


def clock() -> SimulatedClock:
    return SimulatedClock(demo_site().timezone)


@cache
def setting(seed: int = 1, *, incidents: bool = True) -> Setting:
    return make_setting(demo_site(), seed, clock(), incidents)


def feed(started_ms: int, seed: int = 1, *, incidents: bool = True) -> Feed:
    return Feed(demo_site(), seed, clock(), started_ms, incidents=incidents)


def readings(message: Message) -> list[Reading]:
    """Decode a message and insist that every part of it was understood and plausible."""
    found = decode(message.topic, message.payload, message.at_ms + 40, 0, demo_site())
    assert not found.faults, (message, found.faults)
    assert found.foreign or found.unknown == 0, message
    return [reading for _, part in found.parts for reading in part]
