"""The embedded broker (rumqttd in a wheel): a 3.1.1 listener for devices and one of version 5 for our own parts.

It lives in memory: its sessions, retained messages and queues end with it, so it is for the demo and small sites.
"""

import tomllib
from pathlib import Path

from iotcore import Broker

_MAX_CONNECTIONS = 10_010
# Above what the collector takes: it refuses a payload in a sentence, where the broker would only cut the device off.
_MAX_PAYLOAD = 8 * 1_048_576
# What the broker keeps at most for one slow subscriber, and per topic in its log.
_LISTENER = """
[{section}.1]
name = "{section}-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[{section}.1.connections]
connection_timeout_ms = 60000
max_payload_size = {payload}
max_inflight_count = 100
dynamic_filters = true
"""


def embedded_broker(folder: Path, device_port: int, own_port: int) -> Broker:
    """Return a broker, not yet started, that listens on loopback for devices (3.1.1) and for our parts (5)."""
    text = (
        f"id = 0\n[router]\nid = 0\nmax_connections = {_MAX_CONNECTIONS}\nmax_outgoing_packet_count = 200\n"
        "max_segment_size = 104857600\nmax_segment_count = 10\n"
    )
    text += _LISTENER.format(section="v4", port=device_port, payload=_MAX_PAYLOAD)
    text += _LISTENER.format(section="v5", port=own_port, payload=_MAX_PAYLOAD)
    tomllib.loads(text)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "broker.toml"
    path.write_text(text)
    return Broker(config_path=str(path))
