"""What a site may not do to a limit: make one that protects people come later or milder, or count less than one."""

from collections.abc import Iterator

from devices.kind import PRIORITIES, Limit

COUNTS = ("count", "passes")


def loosened(own: Limit, changed: Limit) -> Iterator[str]:
    """Yield how a capped limit would be looser than in the kind's table; its first level is held by the cap itself."""
    if own.cap is None:
        return
    sign = -1.0 if own.sense == "below" else 1.0
    for old, new in zip(own.levels, changed.levels, strict=True):
        if own.sense == "state" and new.value != old.value:
            yield f"level {new.level}: state {new.value:g} in place of the {old.value:g} of a capped limit"
        elif old.level > 1 and sign * new.value > sign * old.value:
            yield f"level {new.level}: {new.value:g} is looser than the {old.value:g} of a capped limit"
    for old, new in zip(own.levels, changed.levels, strict=True):
        if PRIORITIES.index(new.priority) > PRIORITIES.index(old.priority):
            yield f"level {new.level}: {new.priority} is milder than the {old.priority} of a capped limit"
    if changed.deadband > own.deadband:
        yield f"deadband {changed.deadband:g} is larger than the {own.deadband:g} of a capped limit"
    if changed.on_s > own.on_s:
        yield f"on_s {changed.on_s:g} is longer than the {own.on_s:g} of a capped limit"
    if changed.off_s < own.off_s:
        yield f"off_s {changed.off_s:g} is shorter than the {own.off_s:g} of a capped limit"
    if changed.armed != own.armed:
        yield "a capped limit is always armed"


def too_few(limit: Limit, least: int) -> Iterator[str]:
    """Yield which levels of a limit on a count are below what can be counted."""
    for level in limit.levels:
        if level.value < least:
            yield f"level {level.level}: {level.value:g} is too few; expected {least} or more"
