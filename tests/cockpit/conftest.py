"""One town for the tests of a file; each test speaks for devices of its own."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.cockpit.town import Town
from tests.sites import small_site_text

ROUTES = '{"type": "FeatureCollection", "features": []}'
# Whom an alarm is told to and what sees it; the channel has no address here, so its messages wait.
CONTACTS = """
[[cameras]]
id = "cam-1"
name = {zh = "路口一", en = "Crossing 1"}
lat = 30.3201
lon = 120.1401
[[grid_officers]]
name = {zh = "王网格", en = "Officer Wang"}
phone = "0571-5550-0201"
grids = ["s01-01"]
[[notify]]
name = "desk-mail"
kind = "mail"
env = "CITYDECK_NOTIFY_NOWHERE"
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a running town."""
    folder = tmp_path_factory.mktemp("town")
    (folder / "routes.geojson").write_text(ROUTES)
    with Town(folder, small_site_text(head='routes = "routes.geojson"', tail=CONTACTS)) as running:
        yield running


@pytest.fixture
def heard(town: Town) -> Iterator[list[tuple[str, bytes]]]:
    """Hear everything that is said on the live broker."""
    found: list[tuple[str, bytes]] = []
    there = threading.Event()

    def arrived(_client: Client, _user: Any, message: MQTTMessage) -> None:
        found.append((message.topic, message.payload))

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = arrived
    client.on_subscribe = lambda *_: there.set()
    client.connect("127.0.0.1", town.mqtt_port)
    client.subscribe("#", qos=1)
    client.loop_start()
    assert there.wait(20)
    yield found
    client.disconnect()
    client.loop_stop()
