"""The couriers: one thread per channel, so that a slow or broken one keeps no other from being told.

At least once: a message is marked as taken after its receiver took it, so a repeat can only happen when the process
dies in between, and then it carries the same number.
"""

import logging
import os
import threading
from collections.abc import Callable

import apprise

from devices.site import Channel
from ingest.alarms.database import AlarmDatabase
from ingest.errors import AlarmError
from ingest.notices.deliveries import due, refused, taken

log = logging.getLogger(__name__)

_LOOK_S = 0.5
_AT_ONCE = 20

# Sends (title, body); tells whether the receiver took it.
Send = Callable[[str, str], bool]


def sender(channel: Channel) -> Send | None:
    """Return how a channel sends, None while the environment holds no address that can be used."""
    address = os.environ.get(channel.env, "")
    if not address:
        log.warning("channel %s has no address: set %s; its messages wait", channel.name, channel.env)
        return None
    # Not written to the log: an address holds the channel's secret.
    target = apprise.Apprise()
    if not target.add(address):
        log.warning("channel %s: %s holds no address that can be used; its messages wait", channel.name, channel.env)
        return None
    return lambda title, body: bool(target.notify(body=body, title=title))


class Courier(threading.Thread):
    """Sends what is due on one channel while this process may."""

    def __init__(
        self,
        channel: Channel,
        send: Send,
        database: AlarmDatabase,
        clock_ms: Callable[[], int],
        may_send: Callable[[], bool],
    ) -> None:
        super().__init__(name=f"courier {channel.name}", daemon=True)
        self._channel = channel
        self._send = send
        self._database = database
        self._clock_ms = clock_ms
        self._may_send = may_send
        self._stopping = threading.Event()
        self._trouble = ""

    def stop(self) -> None:
        """End after the message at hand; a receiver that hangs is not waited for."""
        self._stopping.set()
        self.join(2.0)

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping.wait(_LOOK_S):
            if self._may_send():
                try:
                    self.deliver()
                except AlarmError as error:
                    self._tell(str(error))

    def deliver(self) -> int:
        """Try what is due and return how many were taken.

        Raises:
            AlarmError: the database could not be used; what is due stays due.
        """
        sent = 0
        for row in due(self._database, self._channel.name, self._clock_ms(), _AT_ONCE):
            if self._stopping.is_set():
                break
            if self._send(row["title"], row["body"]):
                taken(self._database, row["key"], self._clock_ms())
                self._trouble = ""
                sent += 1
            else:
                sentence = f"channel {self._channel.name} did not take a message; it is tried again"
                refused(self._database, row, sentence, self._clock_ms())
                self._tell(sentence)
        return sent

    def _tell(self, sentence: str) -> None:
        if sentence != self._trouble:
            self._trouble = sentence
            log.warning("%s", sentence)
