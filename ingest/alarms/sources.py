"""The health of a source: numbers it skipped, a clock that is ahead, readings it calls bad itself."""

from collections.abc import Iterator

from devices.readings import Quality, Reading
from ingest.alarms.memory import DeviceState, Memory
from ingest.alarms.rules import BAD_DATA, BAD_DATA_VERSION, CLOCK, CLOCK_VERSION
from ingest.alarms.transitions import Transition
from ingest.outcomes import AnyOutcome

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


def clocked(device: str, state: DeviceState, outcome: AnyOutcome, memory: Memory) -> Iterator[Transition]:
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


def doubted(reading: Reading, state: DeviceState, memory: Memory) -> Iterator[Transition]:
    """Follow which readings of a device are bad: its alarms on them stay as they are, and it has one of its own."""
    place = f"{reading.measurement}/"
    before = {key.removeprefix(place) for key in state.bad if key.startswith(place)}
    whole = reading.quality == Quality.BAD
    bad = {""} if whole else {key for key in reading.flags if key and reading.quality_of(key) == Quality.BAD}
    # A field that did not come is as it was.
    still = {key for key in before if not whole and key and key not in reading.values and key not in reading.flags}
    now = bad | still
    if now == before:
        return
    was_bad = bool(state.bad)
    state.bad = sorted({*state.bad} - {f"{place}{key}" for key in before} | {f"{place}{key}" for key in now})
    device = reading.device
    for key in sorted(before - now):
        yield memory.transition("doubt", device, state, device, field=key)
    for key in sorted(now):
        yield memory.transition("doubt", device, state, device, field=key, quality="bad")
    if bool(state.bad) != was_bad:
        yield memory.transition(
            "return" if was_bad else "raise", device, state, f"{device}/{BAD_DATA}", f"{state.kind}.{BAD_DATA}",
            BAD_DATA_VERSION, int(not was_bad), "health", quality="good" if was_bad else "bad",
        )  # fmt: skip
