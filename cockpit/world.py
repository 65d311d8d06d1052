"""What an application shows: where its live messages come from, what time it is there, and who may come in."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cockpit.accounts.demo import demo_accounts
from cockpit.accounts.users import Account
from cockpit.link import Hear, LiveLink
from devices.site import Site
from ingest.address import BrokerAddress
from ingest.places import Places, site_secret

Document = dict[str, Any]


class LiveSource(Protocol):
    """Gives live messages: the last level of the topic, and the document."""

    @property
    def connected(self) -> bool:
        """Tell whether messages can come."""
        ...

    def start(self, loop: asyncio.AbstractEventLoop, hear: Hear) -> None:
        """Begin, with a snapshot; ``hear`` is called in the event loop."""
        ...

    def ask(self) -> None:
        """Ask for another snapshot."""
        ...

    def stop(self) -> None:
        """End; blocks."""
        ...


class Clock(Protocol):
    """Tells the time of what is shown."""

    def now_ms(self) -> int:
        """Return the instant that is now, epoch ms."""
        ...

    def replay(self) -> Document | None:
        """Return how recorded time passes: ``speed`` (0: unbridled), ``paused``, ``over``, ``rate``; in real life None.

        ``rate`` is how many seconds went by in a real one of late.
        """
        ...


class WallClock:
    """The real time."""

    def now_ms(self) -> int:
        """Return the instant that is now."""
        return time.time_ns() // 1_000_000

    def replay(self) -> Document | None:
        """Return None: this is no replay."""
        return None


@dataclass(frozen=True, slots=True)
class World:
    """One city, live or played; ``prefix`` is the path its pages are served under, with slashes.

    ``broker`` is where commands to devices go; without one none can be given.
    """

    source: LiveSource
    clock: Clock
    accounts: Mapping[str, Account]
    prefix: str = "/"
    broker: BrokerAddress | None = None


def live_world(site: Site, places: Places, broker: BrokerAddress, password: str) -> World:
    """Return the live city.

    Args:
        site: what to show.
        places: where the state of this installation is.
        broker: where the live topics come from (MQTT 5).
        password: of the demo users, whom only a simulated site has.
    """
    secret = site_secret(places)
    accounts = demo_accounts(password, secret) if site.simulated else {}
    return World(LiveLink(broker, secret), WallClock(), accounts, broker=broker)
