"""``python -m cockpit``: the cockpit as a process of its own."""

import logging
import os
import secrets
import sys
from pathlib import Path

import click
import uvicorn

from cockpit.app import create_app
from cockpit.ports import KEEP_ALIVE_S, require_free
from cockpit.world import live_world
from devices.errors import DeviceError
from devices.site_file import load_site
from ingest import runtime
from ingest.address import broker_address
from ingest.errors import IngestError
from ingest.places import Places

log = logging.getLogger("cockpit")


@click.command(help="Serve pages, API and live views, until stopped.")
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8050, show_default=True, help="Port of the cockpit.")
@click.option(
    "--mqtt-port",
    type=click.IntRange(1, 65535),
    help="Port of an MQTT 5 broker on this machine, instead of the site's broker.",
)
def main(site_file: Path | None, data: Path, host: str, port: int, mqtt_port: int | None) -> None:
    """Run the cockpit."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s cockpit %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        site = load_site(site_file)
        require_free(host, port, "cockpit", "--port")
        places, password = Places(data), demo_password() if site.simulated else ""
        app = create_app(site, places, live_world(site, places, broker_address(site, mqtt_port), password))
    except (DeviceError, IngestError, click.ClickException) as error:
        sys.exit(f"citydeck serve: {error}")
    # Looking through all that pages are made of for what nobody can reach would hold up an alarm on its way to them.
    runtime.settle(runtime.MANY_CONNECTIONS)
    runtime.take_turns()
    log.info("cockpit at http://%s:%d/", host, port)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        ws="websockets-sansio",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=3,
    )


def demo_password() -> str:
    """Return the password of the demo users: from ``CITYDECK_DEMO_PASSWORD``, else made up and printed once."""
    given = os.environ.get("CITYDECK_DEMO_PASSWORD")
    if given:
        return given
    made = secrets.token_urlsafe(9)
    print(f"demo users viewer, officer, officer2, leader, engineer; password {made}", flush=True)
    return made


if __name__ == "__main__":
    main()
