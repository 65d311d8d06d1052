"""Which devices an act of the night on duty is about: those whose point allows it, as the reference knows them."""

from collections.abc import Callable
from typing import Any, Protocol

from hypothesis import strategies as st

from tests.ingest.alarms.reference import Point


class Walk(Protocol):
    """The points of a walk, by device."""

    points: dict[str, Point]


def where(fits: Callable[[Point], object]) -> dict[str, Any]:
    """Return how a rule chooses among the devices whose point fits; with none it waits."""

    def chosen(walk: Walk) -> list[str]:
        return sorted(device for device, point in walk.points.items() if fits(point))

    return {"device": st.runner().flatmap(lambda walk: st.sampled_from(chosen(walk)))}


def any_point(fits: Callable[[Point], object]) -> Callable[[Walk], bool]:
    return lambda walk: any(fits(point) for point in walk.points.values())


def is_open(point: Point) -> bool:
    return point.alarm is not None


def is_acked(point: Point) -> bool:
    return point.alarm is not None and point.alarm.acked


def is_over(point: Point) -> bool:
    return is_acked(point) and point.alarm is not None and not point.alarm.active


def is_shelved(point: Point) -> bool:
    return point.shelf is not None


def is_out(point: Point) -> bool:
    return point.out_until is not None
