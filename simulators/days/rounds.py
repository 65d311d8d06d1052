"""A truck's collection round as a time table: drive, stop, lift, drive to the transfer station, empty, home."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from simulators.tracks import Track

Doing = Literal["drive", "collect", "lift", "empty", "parked"]
_DRIVE_MPS, _COLLECT_MPS = 8.4, 5.2
_BETWEEN_STOPS_M = 165.0
_LIFT_S, _STOP_S, _EMPTY_S = 24.0, 16.0, 330.0


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of a round; ``lifts`` bins were taken before it began."""

    start_s: float
    stop_s: float
    from_m: float
    to_m: float
    doing: Doing
    lifts: int


class Round:
    """The time table of a track; times count from the start of the round."""

    def __init__(self, track: Track, bins: tuple[int, ...]) -> None:
        """Plan the stops; ``bins`` says how many are lifted at the first, second … stop, and begins anew at its end."""
        self.track = track
        collect_from = track.marks.get("collect_from_m", track.length_m * 0.2)
        collect_to = track.marks.get("collect_to_m", track.length_m * 0.7)
        transfer = track.marks.get("transfer_m", track.length_m * 0.85)
        self._legs: list[Leg] = []
        self.lifts_s: list[float] = []
        self._add(0.0, collect_from, "drive", collect_from / _DRIVE_MPS)
        stops = min(max(round((collect_to - collect_from) / _BETWEEN_STOPS_M), 6), 64)
        here = collect_from
        for stop in range(stops):
            there = collect_from + (collect_to - collect_from) * (stop + 1) / stops
            self._add(here, there, "collect", (there - here) / _COLLECT_MPS)
            here = there
            for _ in range(bins[stop % len(bins)]):
                self._add(here, here, "lift", _LIFT_S)
                self.lifts_s.append(self._legs[-1].stop_s - 4)
            self._add(here, here, "collect", _STOP_S)
        self._add(here, transfer, "drive", (transfer - here) / _DRIVE_MPS)
        self._add(transfer, transfer, "empty", _EMPTY_S)
        self._add(transfer, track.length_m, "drive", (track.length_m - transfer) / _DRIVE_MPS)
        self._starts = [leg.start_s for leg in self._legs]
        self.lasts_s = self._legs[-1].stop_s
        empty = next(leg for leg in self._legs if leg.doing == "empty")
        self.empty_from_s, self.empty_to_s = empty.start_s + 90, empty.stop_s - 60

    def leg(self, gone_s: float) -> Leg:
        """Return what is done so many seconds into the round."""
        return self._legs[max(bisect_right(self._starts, gone_s) - 1, 0)]

    def _add(self, from_m: float, to_m: float, doing: Doing, lasts_s: float) -> None:
        start_s = self._legs[-1].stop_s if self._legs else 0.0
        self._legs.append(Leg(start_s, start_s + max(lasts_s, 0.1), from_m, to_m, doing, len(self.lifts_s)))
