"""The dispatcher: publishes what was ordered, hears the answers, gives up what nobody answers.

Each cockpit has one. All it knows is in the database, so whatever is cut off in between goes on with the next look.
"""

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from ingest.address import BrokerAddress
from ingest.alarms.database import AlarmDatabase
from ingest.commands import steps
from ingest.commands.link import CommandLink, Taken
from ingest.commands.orders import LONGEST_S
from ingest.commands.standing import Reading
from ingest.commands.steps import ANSWER_WITHIN_MS
from ingest.commands.wire import Answer, payload_of, topic_of
from ingest.errors import IngestError

log = logging.getLogger(__name__)

LOOK_S = 0.5
_WATCH_MS = 1_000


class Dispatcher(threading.Thread):
    """Sends commands until stopped; ``look`` is one round of it."""

    def __init__(
        self,
        database: AlarmDatabase,
        address: BrokerAddress,
        clock_ms: Callable[[], int],
        reading: Callable[[str], Reading],
        answer_within_ms: int = ANSWER_WITHIN_MS,
    ) -> None:
        """Prepare; ``reading`` returns what a pole last said of itself."""
        super().__init__(name="dispatcher", daemon=True)
        self._database = database
        self._clock_ms = clock_ms
        self._reading = reading
        self._answer_within_ms = answer_within_ms
        self._heard: SimpleQueue[Taken | Answer | None] = SimpleQueue()
        self._link = CommandLink(address, self._heard)
        self._underway: dict[int, str] = {}
        self._stopping = threading.Event()
        self._watch_ms = 0
        self._trouble = ""
        self.untrusted = 0

    def wake(self) -> None:
        """Look now: somebody has ordered something."""
        self._heard.put(None)

    def stop(self) -> None:
        """End after the round at hand."""
        self._stopping.set()
        self.wake()
        self.join(10.0)

    def run(self) -> None:
        """Work until stopped."""
        self._link.start()
        waiting: list[Taken | Answer] = []
        while not self._stopping.is_set():
            waiting += self._wait()
            try:
                self.look(self._clock_ms(), waiting)
                waiting = []
                self._trouble = ""
            except IngestError as error:
                # What was heard is kept for the next round.
                if str(error) != self._trouble:
                    self._trouble = str(error)
                    log.warning("commands to lamps wait: %s", error)
                self._stopping.wait(LOOK_S)
            except Exception:
                waiting = []
                log.exception("a round of commands failed; the next one goes on")
                self._stopping.wait(LOOK_S)
        self._link.stop()

    def look(self, now_ms: int, heard: list[Taken | Answer]) -> None:
        """Take in what was heard, send what is due, give up what is late.

        Raises:
            AlarmError: the database is away; the same may be told again.
        """
        for answer in heard:
            if isinstance(answer, Answer):
                self._answered(answer, now_ms)
        self._taken([word for word in heard if isinstance(word, Taken)], now_ms)
        if self._link.ready:
            for row in steps.claim(self._database, now_ms):
                number = self._link.publish(topic_of(row), payload_of(row))
                if number is not None:
                    self._underway[number] = row["id"]
        steps.time_out(self._database, now_ms, self._answer_within_ms)
        if now_ms >= self._watch_ms:
            self._watch_ms = now_ms + _WATCH_MS
            self._watch(now_ms)

    def _wait(self) -> list[Taken | Answer]:
        """Return what was heard since the last look, or nothing after a while."""
        found = []
        try:
            found.append(self._heard.get(timeout=LOOK_S))
            while True:
                found.append(self._heard.get_nowait())
        except Empty:
            return [word for word in found if word is not None]

    def _answered(self, answer: Answer, now_ms: int) -> None:
        if steps.answered(self._database, answer, now_ms):
            return
        self.untrusted += 1
        if self.untrusted == 1:
            log.warning("%s answers a command that was never sent to it; such answers are ignored", answer.device)

    def _taken(self, words: list[Taken], now_ms: int) -> None:
        good = [self._underway[word.number] for word in words if not word.why and word.number in self._underway]
        if good:
            steps.taken(self._database, good, now_ms)
        for word in words:
            if word.why and word.number in self._underway:
                steps.turned_away(self._database, self._underway[word.number], word.why, now_ms)
        for word in words:
            self._underway.pop(word.number, None)

    def _watch(self, now_ms: int) -> None:
        rows = steps.unseen(self._database, now_ms - LONGEST_S * 1000)
        seen = [row["id"] for row in rows if self._reading(row["device"]).shows(row["dim_pct"], row["made_at"])]
        if seen:
            steps.obeyed(self._database, seen, now_ms)
