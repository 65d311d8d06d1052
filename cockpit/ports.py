"""Ports and addresses: a taken one is a clear error before anything starts."""

import socket

import click

from devices.site import Site


def require_free(host: str, port: int, what: str, option: str) -> None:
    """Make sure that a port can be listened on.

    Raises:
        click.ClickException: it is taken or forbidden; the sentence names it.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the servers do it: a port in TIME_WAIT of a run before is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(
                f"port {port} for the {what} cannot be used ({error.strerror}); choose another with {option}"
            ) from error


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def broker_url(site: Site, mqtt_port: int | None) -> str:
    """Return where the cockpit meets the broker.

    Raises:
        click.ClickException: the site's broker is embedded and nobody said where it listens.
    """
    if mqtt_port is not None:
        return f"mqtt://127.0.0.1:{mqtt_port}"
    if site.broker.embedded:
        raise click.ClickException(
            "the site's broker is embedded: `citydeck up` starts it; to follow another MQTT 5 broker on this machine "
            "give --mqtt-port, or name one as broker.url in the site file"
        )
    return site.broker.url
