"""What is measured in a browser: the pages, the map, the wire to them, and poles that stand where they should."""

import csv
import socket
import threading
from pathlib import Path

import pytest

from benchmarks.poles import SITE, write_poles
from benchmarks.wire import Wire
from devices.site_file import load_site
from tests.benchmarks.test_commands import measured
from tests.servers.programs import require


@pytest.mark.long
def test_pages_weigh_less_the_second_time(near: Path) -> None:
    require("chromium")
    rows = measured(near, "pages")
    assert [*rows] == ["/login", "/"]
    for row in rows.values():
        found = row["median"]
        assert 10 < found["warm_kb"] < found["cold_kb"]
        assert found["cold_requests"] > 1
        for visit in ("cold", "warm"):
            assert found[f"{visit}_first_ms"] > 0
            assert found[f"{visit}_useful_ms"] > 0


@pytest.mark.long
def test_a_whole_city_is_drawn_and_changes(near: Path) -> None:
    require("chromium")
    rows = measured(near, "map")
    assert [*rows] == ["/", "/wall"]
    for row in rows.values():
        assert row["median"]["kb"] > 100
        assert row["median"]["drawn_s"] > 0
        assert row["median"]["busy_ms"] > 0


def test_the_wire_hands_on_and_counts_what_comes_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(connection.recv(64) * 1_000)

        answering = threading.Thread(target=answer)
        answering.start()
        with Wire(server.getsockname()[1]) as wire, socket.create_connection(("127.0.0.1", wire.port)) as client:
            client.sendall(b"hello")
            heard = b""
            while chunk := client.recv(65_536):
                heard += chunk
            assert heard == b"hello" * 1_000
            assert wire.received == 5_000
        answering.join()


def test_a_wire_to_nobody_ends_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with Wire(port) as wire, socket.create_connection(("127.0.0.1", wire.port)) as client:
        assert client.recv(1) == b""
        assert wire.received == 0


def test_poles_stand_in_their_streets(tmp_path: Path) -> None:
    names = write_poles(tmp_path, 90)
    (tmp_path / "site.toml").write_text(SITE)
    site = load_site(tmp_path / "site.toml")
    assert [*site.devices] == names
    with (tmp_path / "devices.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            lons, lats = zip(*site.streets[row["street"]].polygon, strict=True)
            assert min(lons) < float(row["lon"]) < max(lons)
            assert min(lats) < float(row["lat"]) < max(lats)
