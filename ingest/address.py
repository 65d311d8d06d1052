"""Where the broker is, and how a client of it is prepared: TLS, user and password."""

import os
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from paho.mqtt.client import Client

from devices.site import Site
from ingest.errors import BrokerUnknown

_PORT, _TLS_PORT = 1883, 8883


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker's host and port; ``tls`` for ``mqtts`` addresses."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def prepare(self, client: Client) -> None:
        """Give a client what it needs before it connects; user and password come from the environment."""
        if self.tls:
            client.tls_set_context(ssl.create_default_context())
        user = os.environ.get("CITYDECK_MQTT_USER")
        if user:
            client.username_pw_set(user, os.environ.get("CITYDECK_MQTT_PASSWORD"))


def broker_address(site: Site, mqtt_port: int | None) -> BrokerAddress:
    """Return where our own parts meet the broker.

    Args:
        site: names a broker, or says that it is embedded.
        mqtt_port: of an MQTT 5 broker on this machine, instead of the site's.

    Raises:
        BrokerUnknown: the site's broker is embedded and nobody said where it listens.
    """
    if mqtt_port is not None:
        return BrokerAddress("127.0.0.1", mqtt_port)
    if site.broker.embedded:
        raise BrokerUnknown(
            "the site's broker is embedded: `citydeck up` starts it; for another MQTT 5 broker on this machine give "
            "--mqtt-port, or name one as broker.url in the site file"
        )
    return address_of(site.broker.url)


def address_of(url: str) -> BrokerAddress:
    """Return where a broker's ``mqtt`` or ``mqtts`` address points to."""
    parts = urlsplit(url)
    tls = parts.scheme == "mqtts"
    return BrokerAddress(parts.hostname or "127.0.0.1", parts.port or (_TLS_PORT if tls else _PORT), tls)
