"""The thin shell around the feed: reads the clock, sends what is due, stops when told."""

import threading
import time
from collections.abc import Callable

from simulators.feed import Feed
from simulators.fleet import Fleet
from simulators.turn import Turn

_TICK_S = 0.1
# Longer pauses (a laptop asleep, a process stopped) are not made up for: devices were silent then.
_LONGEST_GAP_MS = 5_000
_PROGRESS_S = 60.0
_FAREWELL_S = 3.0


def run(
    feed: Feed, fleet: Fleet, turn: Turn, started_ms: int, stopping: threading.Event, say: Callable[[str], None]
) -> None:
    """Publish whenever it is this simulation's turn, until told to stop; then let every device say it is offline."""
    done_ms = started_ms
    greeted, told_at_s, told = False, time.monotonic(), 0
    turn.start()
    while not stopping.is_set():
        if not turn.look(time.monotonic()):
            say("another simulation of this site has begun at this broker; this one waits until it ends")
            fleet.rest()
            while not stopping.is_set() and not turn.look(time.monotonic()):
                stopping.wait(_TICK_S)
            greeted = False
            continue
        now_ms = time.time_ns() // 1_000_000
        if now_ms - done_ms > _LONGEST_GAP_MS or now_ms < done_ms - _LONGEST_GAP_MS:
            done_ms = now_ms - 1_000
        if now_ms > done_ms:
            fleet.publish(feed.due(done_ms, now_ms))
            done_ms = now_ms
        now_s = time.monotonic()
        fleet.tend(now_s)
        while (left_s := now_s + _TICK_S - time.monotonic()) > 0 and not stopping.is_set():
            fleet.serve(left_s)
        if not greeted and fleet.up == len(fleet):
            greeted = True
            say(f"{fleet.up} connections, the city is talking")
        if now_s - told_at_s >= _PROGRESS_S:
            rate = (fleet.sent - told) / (now_s - told_at_s)
            say(f"{fleet.sent} messages sent, {rate:.0f}/s, {fleet.up} of {len(fleet)} connected")
            told_at_s, told = now_s, fleet.sent
    if not turn.give():
        fleet.farewell()
    until_s = time.monotonic() + _FAREWELL_S
    while fleet.unacknowledged and time.monotonic() < until_s:
        fleet.serve(0.05)
    fleet.close()
    turn.stop()
    say(f"stopped after {fleet.sent} messages")
