"""The couriers: one thread per channel, so that a slow or broken one keeps no other from being told.

At least once: a message is noted as taken after its receiver took it, so a repeat can only happen when the process
dies in between or the receiver's answer is lost, and then it carries the same number.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

from devices.site import Channel
from ingest.alarms.database import AlarmDatabase
from ingest.errors import AlarmError
from ingest.notices.deliveries import due, refused, taken

log = logging.getLogger(__name__)

LOOK_S = 0.5
_ANSWER_S = 10.0
# A message in flight is not waited for longer; who is killed while sending sends it again under the same number.
_STOP_S = 8.0

# Sends (title, body); tells whether the receiver took it.
Send = Callable[[str, str], bool]


def sender(channel: Channel) -> Send | None:
    """Return how a channel sends, None while the environment holds no address that can be used."""
    address = os.environ.get(channel.env, "")
    if not address:
        log.warning("channel %s has no address: set %s; its messages wait", channel.name, channel.env)
        return None
    import apprise  # takes a while, and a city may have no channel

    # Not written to the log: an address holds the channel's secret.
    target = apprise.Apprise()
    if not target.add(address):
        log.warning("channel %s: %s holds no address that can be used; its messages wait", channel.name, channel.env)
        return None
    for server in target:
        # Given up too early, a slow receiver would take a message and get it again.
        server.socket_read_timeout = max(server.socket_read_timeout, _ANSWER_S)
    return lambda title, body: bool(target.notify(body=body, title=title))


class Courier(threading.Thread):
    """Sends what is due on one channel while this process may, the most urgent first."""

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
        self._unnoted: str | None = None

    def ask_to_stop(self) -> None:
        """End after the message at hand."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping.wait(LOOK_S):
            try:
                self.deliver()
            except AlarmError as error:
                self._tell(str(error))
            except Exception:
                log.exception("channel %s failed; it is tried again", self._channel.name)

    def deliver(self) -> int:
        """Try what is due and return how many were taken.

        Raises:
            AlarmError: the database could not be used; what is due stays due, what was taken is noted first next time.
        """
        sent = 0
        while self._may_send() and not self._stopping.is_set():
            self._note()
            # Asked for anew each time: what is urgent overtakes what waits behind a slow receiver.
            found = due(self._database, self._channel.name, self._clock_ms(), 1)
            if not found:
                break
            (row,) = found
            if self._send(row["title"], row["body"]):
                self._unnoted = row["key"]
                self._note()
                self._trouble = ""
                sent += 1
            else:
                sentence = f"channel {self._channel.name} did not take a message; it is tried again"
                refused(self._database, row, sentence, self._clock_ms())
                self._tell(sentence)
        return sent

    def _note(self) -> None:
        if self._unnoted is not None:
            taken(self._database, self._unnoted, self._clock_ms())
            self._unnoted = None

    def _tell(self, sentence: str) -> None:
        if sentence != self._trouble:
            self._trouble = sentence
            log.warning("%s", sentence)


def couriers(
    channels: Sequence[Channel], database: AlarmDatabase, clock_ms: Callable[[], int], may_send: Callable[[], bool]
) -> list[Courier]:
    """Return a courier for every channel that has an address."""
    # It has a line for each message and names hosts; what matters is told here, once.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    found = ((channel, sender(channel)) for channel in channels)
    return [Courier(channel, send, database, clock_ms, may_send) for channel, send in found if send is not None]


def stop(all_of_them: Sequence[Courier]) -> None:
    """Let couriers end, together."""
    for courier in all_of_them:
        courier.ask_to_stop()
    until_s = time.monotonic() + _STOP_S
    for courier in all_of_them:
        if courier.ident is not None:
            courier.join(max(0.0, until_s - time.monotonic()))
