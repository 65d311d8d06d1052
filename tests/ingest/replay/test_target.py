"""The site's own broker is known by whatever name it is called, and nothing goes there by mistake."""

import socket
from pathlib import Path

import pytest

from cockpit.broker import embedded_broker
from ingest.address import BrokerAddress
from ingest.errors import ReplayError
from ingest.places import Places
from ingest.replay.target import target
from tests.sites import small_site

DEVICES, OWN = 28883, 48043


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Return a data folder in which `citydeck up` has its broker on ports of its own."""
    found = Places(tmp_path / "var")
    embedded_broker(found.data, DEVICES, OWN)
    return found


@pytest.mark.parametrize(
    "url",
    [
        f"mqtt://127.0.0.1:{DEVICES}",
        f"mqtt://127.0.0.1:{OWN}",
        f"mqtt://localhost:{DEVICES}",
        f"mqtt://[::1]:{DEVICES}",
        f"mqtt://127.1.2.3:{DEVICES}",
        f"mqtt://0.0.0.0:{DEVICES}",
        f"mqtt://2130706433:{DEVICES}",
        f"mqtt://{socket.gethostname()}:{DEVICES}",
        "mqtt://localhost",
        "mqtt://127.0.0.1:1883",
    ],
)
def test_the_embedded_broker_of_the_data_folder_is_refused_unless_it_is_meant(
    tmp_path: Path, places: Places, url: str
) -> None:
    site = small_site(tmp_path)
    with pytest.raises(ReplayError, match="is the site's own broker"):
        target(site, places, url, False)
    assert isinstance(target(site, places, url, True), BrokerAddress)


@pytest.mark.parametrize("url", [f"mqtt://127.0.0.1:{DEVICES + 1}", f"mqtt://192.0.2.1:{DEVICES}"])
def test_others_are_not(tmp_path: Path, places: Places, url: str) -> None:
    assert str(target(small_site(tmp_path), places, url, False)) == url.removeprefix("mqtt://")


def test_a_named_broker_is_known_by_its_address(tmp_path: Path) -> None:
    site = small_site(tmp_path, broker="mqtt://localhost:2883")
    for url in ("mqtt://127.0.0.1:2883", "mqtts://[::1]:2883"):
        with pytest.raises(ReplayError, match="is the site's own broker"):
            target(site, Places(tmp_path), url, False)
    assert target(site, Places(tmp_path), "mqtt://127.0.0.1:1883", False).port == 1883


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mqtt://127.0.0.1:99999", "Port out of range 0-65535; expected mqtt://host:port"),
        ("mqtt://127.0.0.1:port", "expected mqtt://host:port or mqtts://host:port"),
        ("mqtt://127.0.0.1:0", "expected mqtt://host:port or mqtts://host:port"),
        ("mqtt://[::1", "expected mqtt://host:port or mqtts://host:port"),
        ("127.0.0.1", "expected mqtt://host:port or mqtts://host:port"),
        ("mqtt://", "expected mqtt://host:port or mqtts://host:port"),
        ("mqtt://user:pw@h", "user and password come from CITYDECK_MQTT_USER and CITYDECK_MQTT_PASSWORD"),
    ],
)
def test_what_is_no_address_is_told(tmp_path: Path, url: str, sentence: str) -> None:
    with pytest.raises(ReplayError) as caught:
        target(small_site(tmp_path), Places(tmp_path), url, False)
    assert sentence in str(caught.value)
    assert "pw" not in str(caught.value)


def test_a_data_folder_that_cannot_say_where_its_broker_is_lets_nothing_out(tmp_path: Path) -> None:
    (tmp_path / "broker.toml").write_text("[v4.1]\nport = 5\n")
    with pytest.raises(ReplayError, match="by which the site's own broker is known, cannot be read"):
        target(small_site(tmp_path), Places(tmp_path), "mqtt://192.0.2.1:2883", False)
