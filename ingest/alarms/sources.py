"""The health of a source: numbers it skipped and a clock that is ahead."""

from collections.abc import Iterator

from ingest.alarms.memory import DeviceState, Memory
from ingest.alarms.rules import CLOCK, CLOCK_VERSION
from ingest.alarms.transitions import Transition
from ingest.decoding import Outcome

# A number so far below the last one is a device that began anew, not a message that comes late.
_BEGAN_ANEW = 1_000
# Nor has anybody lost so many at once: a device that numbers by another beginning since it was started again.
_LEAP = 100_000
_TELL_EVERY_MS = 60_000


def counted(device: str, state: DeviceState, seq: int, memory: Memory) -> Iterator[Transition]:
    """Follow a device's own numbering; skipped numbers are told once a minute, so that chaos stays readable."""
    last = state.seq
    if last is None or seq > last:
        if last is not None and seq - last <= _LEAP:
            state.missed += seq - last - 1
        state.seq = seq
    elif seq == 0 or last - seq > _BEGAN_ANEW:
        state.seq = seq
    elif seq < last and state.missed:
        state.missed -= 1
    if state.missed and memory.now_ms - state.told_ms >= _TELL_EVERY_MS:
        yield memory.transition("health", device, state, device, field="seq_gap", value=float(state.missed))
        state.missed, state.told_ms = 0, memory.now_ms


def clocked(device: str, state: DeviceState, outcome: Outcome, memory: Memory) -> Iterator[Transition]:
    """Follow whether a device's clock is ahead: an alarm of the device-health class while it is."""
    ahead = outcome.ahead_ms > 0
    if ahead == state.ahead:
        return
    state.ahead = ahead
    value = outcome.ahead_ms / 1000
    yield memory.transition("health", device, state, device, field="clock_skew_s", value=value, unit="s")
    yield memory.transition(
        "raise" if ahead else "return", device, state, f"{device}/{CLOCK}", f"{state.kind}.{CLOCK}", CLOCK_VERSION,
        int(ahead), "health", value=value, unit="s",
    )  # fmt: skip
