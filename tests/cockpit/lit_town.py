"""A town with lighting circuits, whose poles are played by a test."""

import json
import time
from pathlib import Path
from typing import Any

from tests.cockpit.town import Town
from tests.servers.waiting import wait_until
from tests.sites import small_site_text

_POLE = """
[[devices]]
id = "{id}"
kind = "light_pole"
street = "s0{street}"
circuit = "{circuit}"
"""
POLES = {"lamp-1": "F-1", "lamp-2": "F-1", "lamp-3": "F-1", "lamp-4": "F-2", "lamp-5": "F-3"}
_STREETS = {"F-1": 1, "F-2": 2, "F-3": 2}
_AIR = '[[devices]]\nid = "air-1"\nkind = "light_pole"\nstreet = "s01"\nfitted = "pole_env"\n'


def lit_town(folder: Path) -> Town:
    """Return a town, not yet started, with three circuits; one more pole has an air station and no lamp."""
    lamps = "".join(_POLE.format(id=name, circuit=key, street=_STREETS[key]) for name, key in POLES.items())
    return Town(folder, small_site_text(tail=lamps + _AIR))


class Pole:
    """Hears the commands to all lamps of the town, and answers unless it is deaf; a reason refuses.

    With ``shines`` a lamp says at once how it shines.
    """

    def __init__(self, town: Town, *, shines: bool = False) -> None:
        assert town.device is not None
        self.town = town
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.deaf, self.reason, self.shines = False, "", shines
        done: list[int] = []
        town.device.on_subscribe = lambda *_: done.append(1)
        town.device.on_message = self._arrived
        town.device.subscribe("city/v1/demo/light_pole/+/cmd", qos=1)
        wait_until(lambda: done)

    def answer(self, device: str, command: str, accepted: bool = True, reason: str = "") -> None:
        body = {"v": 1, "command": command, "accepted": accepted, "reason": reason}
        assert self.town.device is not None
        self.town.device.publish(f"city/v1/demo/light_pole/{device}/cmd_ack", json.dumps(body), qos=1)

    def commands(self, device: str) -> list[dict[str, Any]]:
        return [body for name, body in self.heard if name == device]

    def _arrived(self, _client: Any, _user: Any, message: Any) -> None:
        device, body = message.topic.split("/")[4], json.loads(message.payload)
        self.heard.append((device, body))
        if self.deaf:
            return
        self.answer(device, body["command"], not self.reason, self.reason)
        if self.shines and not self.reason and "dim_pct" in body:
            level = {"dim_pct": body["dim_pct"], "cmd_pct": body["dim_pct"]}
            reading = {"v": 1, "ts": time.time_ns() // 1_000_000, "seq": len(self.heard), "data": level}
            assert self.town.device is not None
            self.town.device.publish(f"city/v1/demo/light_pole/{device}/telemetry", json.dumps(reading), qos=1)
