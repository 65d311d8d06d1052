"""Random series of one field that lie where rules are decided: on levels and deadbands, with gaps and faults."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Literal

from devices.kind import Level, Limit, Value
from devices.readings import Quality, Reading
from devices.signals import Mean
from ingest.alarms.rules import Rule
from ingest.outcomes import Outcome

T0 = 1_767_225_600_000
_EPSILON = 1e-9


def values(limit: Limit, random: Random) -> float:
    """Return a value at, next to, or far from a level or the end of its deadband."""
    level = random.choice(limit.levels)
    if limit.sense == "state":
        return float(random.choice([level.value, 0, 0, *(limit.clears or ()), random.randrange(6)]))
    sign = 1.0 if limit.sense == "above" else -1.0
    edge = level.value - sign * random.choice([0.0, limit.deadband])
    return edge + random.choice([0.0, 0.0, _EPSILON, -_EPSILON, 1e6 * sign, -1e6 * sign, random.uniform(-1, 1) * 10])


def instants(limit: Limit, stale_after_ms: int, count: int, random: Random) -> Iterator[int]:
    """Yield irregular instants: one together with the last, within delays, at their very end, and behind a gap."""
    at_ms = T0 + random.randrange(10_000)
    delays = [round(delay_s * 1000) for delay_s in (limit.on_s, limit.off_s) if delay_s]
    steps = [1, 7_000, *delays, *(delay // 2 for delay in delays), stale_after_ms, stale_after_ms + 1]
    for _ in range(count):
        yield at_ms
        at_ms += max(1, random.choice([*steps, random.randrange(1, 30_000)]))


def readings(
    rule: Rule, other: str, device: str, count: int, random: Random, tags: list[dict[str, str]]
) -> list[Reading]:
    """Return what a device measured: mostly quiet for a while, then around the levels, some of it in doubt."""
    found = []
    lively, tag, own = False, random.choice(tags), 0.0
    for at_ms in instants(rule.limit, rule.stale_after_ms, count, random):
        if random.random() < 0.1:
            lively, tag = not lively, random.choice(tags)
        calm = 0.0 if rule.limit.sense != "below" else 1e6
        # What stays as it is lets delays come to their end.
        if random.random() < 0.5:
            own = values(rule.limit, random) if lively else calm
        quality, flags = random.choice(
            [(Quality.GOOD, {})] * 12
            + [
                (Quality.UNCERTAIN, {}),
                (Quality.BAD, {}),
                (Quality.UNCERTAIN, {rule.field: "range"}),
                (Quality.GOOD, {rule.field: "sensor_fault"}),
                (Quality.GOOD, {other: "comm"}),
                (Quality.GOOD, {"": "comm"}),
            ]
        )
        # A message without this field tells nothing of it.
        present: dict[str, Value] = {rule.field: own} if random.random() < 0.95 else {other: 1.0}
        found.append(
            Reading(
                rule.kind, rule.measurement, device, "demo", at_ms * 1_000_000, present, dict(tag), quality,
                dict(flags), at_ms, 0,
            )
        )  # fmt: skip
    return found


def followed(rule: Rule, other: str, device: str, count: int, random: Random) -> list[Reading]:
    """Return what a device measured over hours whose means and slopes come to lie around the levels.

    Now and then it is quiet for long, speaks too fast, or in doubt, or has a value that nobody can believe.
    """
    found, at_ms, own = [], T0 + random.randrange(60_000), 0.0
    # What is permitted of noise, somewhere at some hour.
    ground = 50.0 if isinstance(rule.limit.signal, Mean) and rule.limit.signal.over else 0.0
    period_ms, mood = random.choice([7_000, 20_000, 60_000]), "calm"
    for _ in range(count):
        if random.random() < 0.02:
            mood = random.choice(["calm", "level", "edge", "rise", "fall"])
        value = ground + random.choice(rule.limit.levels).value
        if mood == "level":
            own = value + random.choice([0.0, 0.1, -0.1, 30.0])
        elif mood == "edge":
            own = value - rule.limit.deadband + random.choice([0.0, 0.0, -0.1])
        elif mood in ("rise", "fall"):
            own += (1 if mood == "rise" else -1) * random.choice([value, value * 2]) * period_ms / 60_000
        else:
            own = ground + random.choice([0.0, 1.0])
        quality = random.choice([Quality.GOOD] * 40 + [Quality.UNCERTAIN, Quality.BAD])
        said = random.choice([own] * 60 + [1e5])
        present: dict[str, Value] = {rule.field: said} if random.random() < 0.97 else {other: 1.0}
        found.append(
            Reading(rule.kind, rule.measurement, device, "demo", at_ms * 1_000_000, present, {}, quality, {}, at_ms, 0)
        )
        gaps = [rule.stale_after_ms + 1, 3_600_000, 1_500, 1]
        at_ms += random.choice(gaps) if random.random() < 0.02 else period_ms + random.choice([0, 0, 0, 900])
    return found


def outcomes(found: list[Reading], random: Random) -> list[Outcome]:
    """Return the journal's view of readings, in order of time; some come twice, which is told and not judged again."""
    ordered = sorted(found, key=lambda reading: reading.at_ns)
    journal: list[Outcome] = []
    for reading in ordered:
        for repeat in range(1 + (random.random() < 0.05)):
            position = len(journal) + 1
            journal.append(
                Outcome(
                    position, reading.received_ms, "city/v1/demo", "duplicate" if repeat else "decoded",
                    reading.kind, reading.device, () if repeat else (reading,),
                )
            )  # fmt: skip
    return journal


def limits(random: Random) -> Limit:
    """Return a limit of any plain shape."""
    senses: list[Literal["above", "below", "state"]] = ["above", "below", "state"]
    sense = random.choice(senses)
    count = random.randrange(1, 5)
    if sense == "state":
        levels = [float(each) for each in random.sample(range(1, 6), count)]
    else:
        levels = sorted((round(random.uniform(0, 50), 1) for _ in range(count)), reverse=sense == "below")
    plain = Limit(
        "any", "任", "any", tuple(Level(n, value, "P3") for n, value in enumerate(levels, 1)), "test", "C",
        sense=sense, deadband=0.0 if sense == "state" else random.choice([0.0, 0.1, 3.0]),
        on_s=random.choice([0.0, 0.5, 10.0, 60.0, 300.0]), off_s=random.choice([0.0, 0.3, 60.0]),
    )  # fmt: skip
    return replace(plain, clears=random.choice([None, (0.0,), (0.0, 5.0)])) if sense == "state" else plain
