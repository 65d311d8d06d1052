"""Ports and connections: a taken port is a clear error before anything starts, and who comes again finds his line."""

import socket

import click

# Pages ask every few seconds, proxies keep connections for a minute: whoever closes one just then fails a question.
KEEP_ALIVE_S = 75


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
