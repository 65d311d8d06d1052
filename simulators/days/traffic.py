"""One day of heavy vehicles over one bridge, drawn at once.

Source: PAYLOADS §3, the distribution of a real weigh-in-motion site (speed, gross mass, axle groups, busiest hour).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

# Share of the day's passages in each hour; the busiest 7.9 %, the quietest 0.5 %.
HOUR_SHARES = (
    0.008, 0.006, 0.005, 0.006, 0.010, 0.022, 0.044, 0.066, 0.079, 0.070, 0.060, 0.056,
    0.050, 0.054, 0.058, 0.060, 0.066, 0.074, 0.064, 0.046, 0.036, 0.028, 0.018, 0.014,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AxleGroup:
    """A make of vehicle: share of the traffic, usual mass, legal limit, and how axles share mass and length."""

    name: str
    share: float
    median_kg: float
    sigma: float
    limit_kg: float
    axle_shares: tuple[float, ...]
    gaps_m: tuple[float, ...]


GROUPS = (
    AxleGroup("113", 0.51, 23_500, 0.42, 43_000, (0.16, 0.27, 0.19, 0.19, 0.19), (3.6, 6.9, 1.31, 1.31)),
    AxleGroup("11", 0.17, 8_200, 0.42, 18_000, (0.36, 0.64), (4.7,)),
    AxleGroup("112", 0.13, 16_500, 0.42, 31_000, (0.20, 0.20, 0.30, 0.30), (1.9, 4.4, 1.35)),
    AxleGroup("12", 0.07, 12_500, 0.40, 25_000, (0.28, 0.36, 0.36), (4.6, 1.35)),
    AxleGroup("123", 0.06, 26_500, 0.42, 49_000, (0.13, 0.20, 0.19, 0.16, 0.16, 0.16), (3.3, 1.35, 6.4, 1.31, 1.31)),
    AxleGroup("122", 0.04, 22_000, 0.40, 43_000, (0.16, 0.22, 0.22, 0.20, 0.20), (3.3, 1.35, 6.2, 1.31)),
    AxleGroup("111", 0.02, 11_000, 0.35, 25_000, (0.26, 0.37, 0.37), (3.6, 7.2)),
)
BY_NAME = {group.name: group for group in GROUPS}

# Warning bits: multiple presence, negative or unequal load, speed changed, off the middle of the lane.
WARNINGS = ((1, 0.094), (2, 0.078), (8, 0.07), (16, 0.065))


@dataclass(frozen=True)
class TrafficDay:
    """The passages of a day in order; ``at_s`` counts from midnight, ``group`` is an index into ``GROUPS``."""

    at_s: NDArray[np.float64]
    group: NDArray[np.int64]
    gross_kg: NDArray[np.float64]
    speed_mps: NDArray[np.float64]
    lane: NDArray[np.int64]
    headway_s: NDArray[np.float64]
    warnings: NDArray[np.int64]

    def until(self, day_s: float) -> int:
        """Return how many vehicles have passed since midnight."""
        return int(np.searchsorted(self.at_s, day_s, side="left"))


def traffic_day(
    seed: int, station: str, day: int, vehicles: float, posted_kg: float | None, heavy_per_hour: float
) -> TrafficDay:
    """Draw a day.

    Args:
        seed: of the simulation.
        station: the device's id.
        day: ordinal of the local date.
        vehicles: expected number of ordinary vehicles.
        posted_kg: the bridge's own limit, which ordinary drivers keep.
        heavy_per_hour: expected number of vehicles 10 % and more over the limit, the same by night and by day.
    """
    key = int.from_bytes(blake2b(station.encode(), digest_size=6).digest(), "big")
    random = np.random.default_rng([seed % 2**32, key, day])
    counts = random.poisson(np.array(HOUR_SHARES) * vehicles)
    heavy = random.poisson(np.full(24, heavy_per_hour))
    hours = np.concatenate([np.repeat(np.arange(24), counts), np.repeat(np.arange(24), heavy)])
    total, ordinary = len(hours), int(counts.sum())
    at_s = (hours + random.random(total)) * 3600
    group = random.choice(len(GROUPS), total, p=[g.share for g in GROUPS])
    limits = np.array([g.limit_kg for g in GROUPS])[group]
    usual = np.array([g.median_kg for g in GROUPS])[group] * np.exp(
        np.array([g.sigma for g in GROUPS])[group] * random.standard_normal(total)
    )
    ratio = _kept(usual / (limits if posted_kg is None else np.minimum(limits, posted_kg)), posted_kg is not None)
    ratio[ordinary:] = 1.105 + np.minimum(random.exponential(0.11, total - ordinary), 0.75)
    gross = ratio * (limits if posted_kg is None else np.minimum(limits, posted_kg))
    speed = np.clip(random.normal(19.4, 3.85, total), 6, 33)
    lane = random.choice(4, total, p=[0.30, 0.20, 0.30, 0.20]) + 1
    warnings = np.zeros(total, np.int64)
    for bit, share in WARNINGS:
        warnings |= np.where(random.random(total) < share, bit, 0)
    warnings |= np.where(ratio > 1, 4, 0)
    order = np.argsort(at_s, kind="stable")
    return TrafficDay(
        at_s[order],
        group[order],
        gross[order],
        speed[order],
        lane[order],
        _headways(at_s[order], lane[order]),
        warnings[order],
    )


def _kept(ratio: NDArray[np.float64], posted: bool) -> NDArray[np.float64]:
    """Press the tail of a distribution below what the law, or stricter the sign at the bridge, lets pass."""
    knee, room, softness = (0.80, 0.17, 0.4) if posted else (0.95, 0.135, 0.30)
    pressed = knee + room * (1 - np.exp(-(ratio - knee) / softness))
    return np.maximum(np.where(ratio > knee, pressed, ratio), 0.12)


def _headways(at_s: NDArray[np.float64], lane: NDArray[np.int64]) -> NDArray[np.float64]:
    headways = np.full(len(at_s), 60.0)
    for number in range(1, 5):
        own = np.flatnonzero(lane == number)
        headways[own[1:]] = np.diff(at_s[own])
    return headways


def axle_loads(group: AxleGroup, gross_kg: float, noise: Sequence[float]) -> list[float]:
    """Share a gross mass among the axles, to whole tens of kilograms; their sum is the mass the station sends."""
    weights = [share * (0.93 + 0.14 * noise[n % len(noise)]) for n, share in enumerate(group.axle_shares)]
    return [round(gross_kg * weight / sum(weights) / 10) * 10.0 for weight in weights]
