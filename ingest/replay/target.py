"""To which broker a replay goes: never by mistake to the site's own, whatever it is called."""

import socket
import tomllib
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from devices.site import Site
from ingest.address import BrokerAddress, address_of
from ingest.errors import ReplayError
from ingest.places import Places

# Where `citydeck up` lets the embedded broker listen, unless told otherwise.
_DEMO = BrokerAddress("127.0.0.1", 1883)
_HERE = "this machine"


def target(site: Site, places: Places, url: str, live: bool) -> BrokerAddress:
    """Return the broker of an address; the site's own only if that is meant.

    Raises:
        ReplayError: it is no address of a broker, or the site's own and not meant.
    """
    expected = "expected mqtt://host:port or mqtts://host:port"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ReplayError(f"--broker {url!r}: {error}; {expected}") from error
    if parts.username is not None or parts.password is not None:
        raise ReplayError(
            f"--broker {parts.scheme}://…@{parts.hostname}: user and password come from CITYDECK_MQTT_USER and "
            "CITYDECK_MQTT_PASSWORD, not from the address"
        )
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == 0:
        raise ReplayError(f"--broker {url!r}: {expected}")
    address = address_of(url)
    if not live and any(_same(address, own) for own in _own(site, places)):
        raise ReplayError(f"{address} is the site's own broker: its alarms would be real; say --live if that is meant")
    return address


def _own(site: Site, places: Places) -> Iterator[BrokerAddress]:
    if not site.broker.embedded:
        yield address_of(site.broker.url)
        return
    yield _DEMO
    # What `citydeck up` starts the embedded broker by: a listener for devices, and one for its own parts.
    path = places.data / "broker.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        listeners = [each for name in ("v4", "v5") for each in document.get(name, {}).values()]
        for host, _, port in (str(listener["listen"]).rpartition(":") for listener in listeners):
            yield BrokerAddress(host, int(port))
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReplayError(f"{path}, by which the site's own broker is known, cannot be read: {error}") from error


def _same(one: BrokerAddress, other: BrokerAddress) -> bool:
    return one.port == other.port and not _machines(one.host).isdisjoint(_machines(other.host))


def _machines(host: str) -> set[str]:
    """Return the addresses a name stands for; all of this machine's count as one."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return {host.lower()}
    return {_HERE if _is_here(each) else each for each in found}


def _is_here(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if ip_address(address.partition("%")[0]).is_loopback:
        return True
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
