"""Whose turn it is: of several simulations of one site at one broker only the newest talks, the others wait.

All of them are the same devices, and a broker drops a device's connection for its next one: two at a time would take
every connection from each other, and nobody would be heard.
"""

import contextlib
import random
import secrets
import ssl
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from simulators.link import Address

ROOT = "citydeck/v1/simulators"
# Of who is gone, and of who ends in order.
_FREE, _OVER = b"free", b"over"
_KEEPALIVE_S = 15
_FAREWELL_S = 2.0
# Who waits asks whose turn it is when it comes back, and takes over when nobody answers for so long: whoever talks may
# come back later. Never two at the same moment.
_PATIENCE_S = 7.0
_LATEST_S = 5
_SPREAD_S = 1.0
# The last wills of a dead one come first; who ends in order waits for its successor before it says that all is offline.
_PAUSE_S = 0.5
_HASTE_S = 0.3


class Turn:
    """A retained message names the simulation that talks; its last will gives the turn away."""

    def __init__(self, district: str, address: Address) -> None:
        """Prepare the connection; nothing is asked before :meth:`start`."""
        self.mine = True
        self._name = secrets.token_hex(8).encode()
        self._topic = f"{ROOT}/{district}"
        self._question = f"{ROOT}/{district}/whose"
        self._address = address
        self._free_at_s: float | None = None
        self._given = False
        self._taken = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"sim-turn-{self._name.decode()}", protocol=mqtt.MQTTv311
        )
        self._client.on_connect = self._connected
        self._client.on_message = self._heard
        self._client.will_set(self._topic, _FREE, qos=1, retain=True)
        self._client.reconnect_delay_set(1, _LATEST_S)
        if address.user:
            self._client.username_pw_set(address.user, address.password or None)
        if address.tls:
            self._client.tls_set_context(ssl.create_default_context())

    def start(self) -> None:
        """Take the turn, in a thread of its own; a broker that is not there yet is waited for."""
        self._client.connect_async(self._address.host, self._address.port, _KEEPALIVE_S)
        self._client.loop_start()

    def look(self, now_s: float) -> bool:
        """Return whether it is this simulation's turn; takes it when nobody has it (monotonic seconds)."""
        if self._free_at_s is not None and now_s >= self._free_at_s:
            self._take()
        return self.mine

    def give(self) -> bool:
        """Give the turn away for good; return whether another simulation took it and speaks for the devices now."""
        self._given = True
        had, self.mine = self.mine, False
        if not had:
            return True
        self._taken.clear()
        # A broker that is gone publishes nothing more, nor need it.
        with contextlib.suppress(ValueError, RuntimeError):
            self._client.publish(self._topic, _OVER, qos=1, retain=True).wait_for_publish(_FAREWELL_S)
            return self._taken.wait(_HASTE_S + _SPREAD_S / 2)
        return False

    def stop(self) -> None:
        """Leave the broker; who has not given the turn away gives it now."""
        if self.mine:
            self.give()
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self) -> None:
        self._free_at_s = None
        self.mine = True
        self._client.publish(self._topic, self._name, qos=1, retain=True)

    def _connected(self, *found: Any) -> None:
        if found[3].is_failure:
            return
        # First, so that whatever comes as retained is from before this one took its turn.
        self._client.subscribe([(self._topic, 1), (self._question, 1)])
        if self.mine:
            self._take()
        else:
            # A broker that keeps nothing over its restart has forgotten whose turn it was; one that keeps all tells a
            # name that may be of a simulation which died with it.
            self._free_at_s = time.monotonic() + _PATIENCE_S + _SPREAD_S * random.random()
            self._client.publish(self._question, b"", qos=1)

    def _heard(self, _client: mqtt.Client, _user: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic == self._question:
            if self.mine:
                self._take()
        elif self._given:
            # Its own name of just before may still come, and takes nothing back.
            if message.payload not in (self._name, _FREE, _OVER):
                self._taken.set()
        elif message.payload == self._name:
            self.mine, self._free_at_s = True, None
        elif message.payload not in (_FREE, _OVER):
            if not message.retain:
                self.mine, self._free_at_s = False, None
                self._taken.set()
        elif self.mine:
            self._take()
        else:
            pause_s = _PAUSE_S if message.payload == _FREE else 0.0
            self._free_at_s = time.monotonic() + pause_s + _HASTE_S * random.random()
