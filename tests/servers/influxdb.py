"""A real InfluxDB 1.6 behind the nginx location that users get with deploy/."""

import json
import shutil
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.ports import free_port
from tests.servers.process import ServerProcess
from tests.servers.programs import require

LOCATION_FILE = Path(__file__).parents[2] / "deploy" / "influxdb-1.6-nginx.conf"

_INFLUXD_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "inmem"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http_port}"
  log-enabled = false
  max-row-limit = 0
[logging]
  level = "warn"
  suppress-logo = true
"""

_NGINX_CONFIG = """\
pid nginx.pid;
error_log stderr warn;
daemon off;
# One process: the one that answers is the one we started and can end.
master_process off;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream influxdb {{ server 127.0.0.1:{http_port}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{proxy_port};
        include {location_file};
    }}
}}
"""

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Influx:
    """An InfluxDB server and its proxy; both keep their ports and the server its data over a restart."""

    org = "citydeck"

    def __init__(self, folder: Path):
        rpc_port, http_port, proxy_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{proxy_port}"
        self.database = ""
        influxd_config = folder / "influxd.toml"
        influxd_config.write_text(_INFLUXD_CONFIG.format(rpc_port=rpc_port, http_port=http_port, folder=folder))
        self._influxd = ServerProcess(
            [require("influxd"), "run", "-config", str(influxd_config)],
            [rpc_port, http_port],
            folder / "influxd.log",
            # influxd writes a history file into the home folder and takes settings from INFLUXDB_*: it gets neither.
            env={"HOME": str(folder), "PATH": ""},
        )
        location_file = shutil.copy(LOCATION_FILE, folder)
        nginx_config = folder / "nginx.conf"
        nginx_config.write_text(
            _NGINX_CONFIG.format(http_port=http_port, proxy_port=proxy_port, location_file=location_file)
        )
        self._nginx = ServerProcess(
            [require("nginx"), "-p", f"{folder}/", "-c", str(nginx_config), "-e", "stderr"],
            [proxy_port],
            folder / "nginx.log",
        )

    @property
    def pid(self) -> int:
        """The id of the running database's process."""
        return self._influxd.pid

    def start(self) -> None:
        """Start what is not running of database and proxy, and return when both listen."""
        for process in (self._influxd, self._nginx):
            if not process.running:
                process.start()

    def stop(self) -> None:
        """End both in order."""
        self._nginx.stop()
        self._influxd.stop()

    def kill(self) -> None:
        """End the database as a crash would; the proxy stays and answers 502."""
        self._influxd.kill()

    def restart(self) -> None:
        """Stop the database and start it with its data."""
        self._influxd.stop()
        self.start()

    def query(self, q: str, db: str | None = None) -> dict[str, Any]:
        """Run InfluxQL and return the answer; times are in nanoseconds."""
        form = urllib.parse.urlencode({"q": q, "db": db or self.database, "epoch": "ns"}).encode()
        with _opener.open(f"{self.url}/query", data=form, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def rows(self, q: str, db: str | None = None) -> list[dict[str, Any]]:
        """Run one InfluxQL statement and return the rows of its first series by column name."""
        for series in self.query(q, db)["results"][0].get("series", []):
            return [dict(zip(series["columns"], values, strict=True)) for values in series["values"]]
        return []

    def create_database(self, name: str) -> None:
        """Create a database, unless it exists."""
        self.query(f'CREATE DATABASE "{name}"')

    def drop_database(self, name: str) -> None:
        """Remove a database with its data."""
        self.query(f'DROP DATABASE "{name}"')


@pytest.fixture(scope="session")
def influx_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """The one InfluxDB of a test run; tests use `influx`."""
    server = Influx(tmp_path_factory.mktemp("influxdb"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def influx(influx_server: Influx) -> Iterator[Influx]:
    """A running InfluxDB whose `database` is new and empty; a test may kill it."""
    influx_server.start()
    influx_server.database = f"test_{uuid.uuid4().hex[:12]}"
    influx_server.create_database(influx_server.database)
    yield influx_server
    influx_server.start()
    influx_server.drop_database(influx_server.database)
