"""The oracle: outcomes of the journal, one by one in its order → everything that must have been found.

Written from the rules in force and ALARMS §4 in plain loops. It shares the decoding and the tables of rules with the
engine and nothing of how they are judged, so that a fault of the engine shows as a difference.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import date

from devices.calendar import local
from devices.decode import STATUS
from devices.kind import PRIORITIES, Limit
from devices.readings import Quality, Reading
from devices.signals import Registered, Signal, Tagged, While
from devices.site import Device, Site
from ingest.alarms.own_kind import KIND as OWN_KIND
from ingest.alarms.own_kind import own_device
from ingest.alarms.rules import BAD_DATA, BAD_DATA_VERSION, CLOCK, CLOCK_VERSION, EXPIRES, VERIFY_DUE, Rule
from ingest.outcomes import Outcome
from ingest.recount.figures import Ask, Figures
from ingest.recount.gatherings import Gatherings
from ingest.recount.in_force import InForce
from ingest.recount.levels import Flip, at_rest, feed, reached
from ingest.recount.silence import Silences
from ingest.recount.state import Happening, Heard, Judged, Known, Memory

# Behind a longer gap the collector was down, and nobody could be heard meanwhile.
_DEAF_MS = 10_000
_SOON_D = 30
_DATES_VERSION = "1"


class Oracle:
    """Recounts the journal of one collector."""

    def __init__(self, site: Site, shard: str, memory: Memory, registered_ms: Mapping[str, int] | None = None) -> None:
        """Begin behind the record at which a memory stands.

        Args:
            site: with the rules in force.
            shard: the collector's name.
            memory: a fresh one, or where an earlier recount ended; it goes on here.
            registered_ms: since when the collector waits for devices that were not heard yet, where that is known.
        """
        self.memory = memory
        self._site = site
        self._own_device = own_device(shard)
        self._registered_ms = registered_ms or {}
        self.in_force = InForce(site, memory)
        self._figures = Figures(site)
        # No revision changes how long a device may be silent.
        self._silences = Silences(site, self.in_force.book.silence, memory)
        self._compile()

    def _compile(self) -> None:
        book = self.in_force.book
        self._rules = {measurement: _by_signal(rules) for measurement, rules in book.by_measurement.items()}
        self._own = book.own or {}
        self._gatherings = Gatherings(self._site, self.in_force, self.memory)

    def judge(self, outcome: Outcome) -> list[Happening]:
        """Return what a record makes happen."""
        memory = self.memory
        memory.position = outcome.position
        found = list(self._passed(outcome)) if outcome.received_ms > memory.now_ms else []
        if not memory.armed:
            memory.armed = True
            for device in self._site.devices.values():
                self._known(device.id, device.kind)
            found += self._dated()
        if outcome.own:
            at_ns = outcome.received_ms * 1_000_000
            values = dict(outcome.own)
            reading = Reading(
                OWN_KIND, OWN_KIND, self._own_device, "", at_ns, {**values}, {}, Quality.GOOD, {},
                outcome.received_ms, outcome.position,
            )  # fmt: skip
            found += self._judged(reading, self._known(self._own_device, OWN_KIND))
        for reading in outcome.readings:
            found += self._reading(reading, outcome)
        if outcome.revision is not None:
            self.in_force.adopt(outcome.revision)
            self._compile()
        return found

    def _passed(self, outcome: Outcome) -> Iterator[Happening]:
        """Yield what the passing of time makes happen before a record."""
        memory, until_ms = self.memory, outcome.received_ms
        begun_ms = memory.now_ms
        away = outcome.fate == "tick" and outcome.status is False
        if away or until_ms - begun_ms > _DEAF_MS:
            memory.listening_ms = until_ms
        if until_ms // 1000 > begun_ms // 1000:
            for due_ms, group in self._gatherings.turns(begun_ms, until_ms):
                yield from self._silences.until(due_ms)
                memory.now_ms = max(memory.now_ms, due_ms)
                yield from self._gatherings.look(group, due_ms)
        yield from self._silences.until(until_ms)
        memory.now_ms = until_ms
        zone = self._site.timezone
        if memory.armed and local(begun_ms, zone).date() != local(until_ms, zone).date():
            yield from self._dated()

    def _known(self, name: str, kind: str) -> Heard:
        device = self.memory.devices.get(name)
        if device is None:
            since_ms = self._registered_ms.get(name) or self.memory.now_ms
            device = self.memory.devices[name] = Heard(kind, since_ms)
            self._silences.enter(name, device)
        return device

    def _reading(self, reading: Reading, outcome: Outcome) -> Iterator[Happening]:
        name = reading.device
        device = self._known(name, reading.kind)
        goes_on = device.online and outcome.status is not False
        if outcome.status is False:
            device.online = False
        # What is tried again was said long ago: it is no sign of life.
        elif outcome.origin is None:
            yield from self._silences.heard(name, device)
        if reading.measurement != STATUS:
            if outcome.origin is None:
                yield from self._clock(name, device, outcome)
                if not reading.history:
                    yield from self._doubt(name, device, reading, outcome.position)
            yield from self._judged(reading, device)
            known = device.values.setdefault(reading.measurement, {})
            at_ms = reading.at_ns // 1_000_000
            for key, value in reading.values.items():
                if key not in known or at_ms >= known[key].at_ms:
                    known[key] = Known(value, at_ms)
        if not (goes_on and self._silences.entered(name, device)):
            self._silences.enter(name, device)

    def _clock(self, name: str, device: Heard, outcome: Outcome) -> Iterator[Happening]:
        ahead = outcome.ahead_ms > 0
        if ahead != device.ahead:
            device.ahead = ahead
            now_ms = self.memory.now_ms
            yield Happening(
                outcome.position, "raise" if ahead else "return", name, f"{name}/{CLOCK}", f"{device.kind}.{CLOCK}",
                CLOCK_VERSION, int(ahead), now_ms, now_ms,
            )  # fmt: skip

    def _doubt(self, name: str, device: Heard, reading: Reading, position: int) -> Iterator[Happening]:
        before = bool(device.bad)
        everything = f"{reading.measurement}/"
        for key in {"?", everything, *(f"{everything}{field}" for field in (*reading.values, *reading.flags) if field)}:
            device.bad.discard(key)
        if reading.quality == Quality.BAD:
            device.bad = {key for key in device.bad if not key.startswith(everything)} | {everything}
        else:
            worse = [field for field in reading.flags if field and reading.quality_of(field) == Quality.BAD]
            device.bad.update(f"{everything}{field}" for field in worse)
        if bool(device.bad) != before:
            now_ms = self.memory.now_ms
            yield Happening(
                position, "return" if before else "raise", name, f"{name}/{BAD_DATA}", f"{device.kind}.{BAD_DATA}",
                BAD_DATA_VERSION, int(not before), now_ms, now_ms,
            )  # fmt: skip

    def _judged(self, reading: Reading, device: Heard) -> Iterator[Happening]:
        own = self._own.get(reading.device, {})
        at_ms = reading.at_ns // 1_000_000
        vehicle: list[tuple[int, Rule, Judged]] = []

        def ask(key: str) -> float | None:
            value = reading.values.get(key)
            if value is None:
                return device.number(key)
            return value if isinstance(value, float) else None

        for window_key, field, usual, calm in self._rules.get(reading.measurement, ()):
            value = reading.values.get(field)
            if reading.quality_of(field) == Quality.BAD:
                # Nobody knows what it was meanwhile: no delay runs on.
                for flip in _pending(device, usual):
                    flip.in_doubt = flip.in_doubt or at_ms >= flip.last_ms
                continue
            if not isinstance(value, float):
                continue
            if calm is not None and not own and not device.flips and calm[0] < value < calm[1]:
                continue
            rules = [own.get(rule.id, rule) for rule in usual]
            figure: float | None = value
            if rules[0].limit.signal is not None:
                window = device.windows.setdefault(window_key, [])
                registered = self._site.devices.get(reading.device)
                frozen = any(rule.id in device.flips for rule in rules)
                figure = self._figures.of(rules[0], window, value, at_ms, ask, registered, frozen)
                if not window:
                    del device.windows[window_key]
            if figure is None:
                continue
            for rule in rules:
                if rule.id not in device.flips and not reached(rule.limit, figure):
                    continue
                seen = self._armed(rule.limit, figure, reading, ask)
                if rule.id in device.stays and rule.id in device.flips:
                    was = self.in_force.limit(device.stays[rule.id], reading.device, rule)
                    both = (self._armed(was, figure, reading, ask), seen)
                    judged = self.in_force.both(device, reading.device, rule, both, at_ms, rule.stale_after_ms)
                else:
                    judged = _weighed(rule, device, seen, at_ms)
                if rule.limit.passage and judged.level:
                    vehicle.append((PRIORITIES.index(rule.limit.levels[judged.level - 1].priority), rule, judged))
                else:
                    yield from self._told(rule, reading, judged)
        # However many limits a vehicle is over, it is one: the worst counts, of equals the first in the table.
        urgency = min((each[0] for each in vehicle), default=None)
        for _, rule, judged in [each for each in vehicle if each[0] == urgency][:1]:
            yield from self._told(rule, reading, judged)

    def _armed(self, limit: Limit, figure: float, reading: Reading, ask: Ask) -> float | None:
        """Return the figure, or None where the limit is not armed."""
        at_ms = reading.at_ns // 1_000_000
        for arming in limit.armed:
            if isinstance(arming, While):
                holds = arming.holds(ask(arming.field))
            elif isinstance(arming, Registered):
                registered = self._site.devices.get(reading.device)
                holds = arming.holds(str(getattr(registered, arming.attribute, "")))
            elif isinstance(arming, Tagged):
                holds = arming.holds(reading.tags.get(arming.tag, ""))
            else:
                holds = self._site.place(reading.device).holds(arming, at_ms)
            if not holds:
                return None
        return figure

    def _told(self, rule: Rule, reading: Reading, judged: Judged) -> Iterator[Happening]:
        memory, at_ms = self.memory, reading.at_ns // 1_000_000
        point = f"{reading.device}/{rule.field}.{rule.limit.key}"
        what = judged.what
        if what and rule.limit.passage:
            what, point = "passage", f"{point}/{reading.values.get(rule.passage or '') or reading.at_ns}"
        if not what:
            return
        told = Happening(
            memory.position, what, reading.device, point, rule.id, rule.version, judged.late or judged.level, at_ms,
            memory.now_ms, rule.limit.latch,
        )  # fmt: skip
        yield told
        yield from self._gatherings.joined(told)

    def _dated(self) -> Iterator[Happening]:
        """Yield what the dates the site registers make happen by the calendar of today."""
        now_ms = self.memory.now_ms
        today = local(now_ms, self._site.timezone).date()
        for registered in self._site.devices.values():
            device = self.memory.devices.get(registered.id)
            if device is None:
                continue
            for key, day in _dates(registered).items():
                left_d = None if day is None else (day - today).days
                level = 0 if left_d is None or left_d > _SOON_D else 1 if left_d >= 0 else 2
                before = device.dates.get(key, 0)
                if level == before:
                    continue
                device.dates[key] = level
                what = Judged(before, level).what
                yield Happening(
                    self.memory.position, what, registered.id, f"{registered.id}/{key}", f"{registered.kind}.{key}",
                    _DATES_VERSION, level, now_ms, now_ms,
                )  # fmt: skip


def _weighed(rule: Rule, device: Heard, figure: float | None, at_ms: int) -> Judged:
    flip = device.flips.get(rule.id)
    if flip is None and figure is None:
        return Judged(0, 0)
    if rule.limit.passage:
        return Judged(0, 0 if figure is None else reached(rule.limit, figure))
    if flip is None:
        newest = device.newest(rule.field)
        flip = at_rest(rule.limit, newest.at_ms if newest is not None else 0)
    before = flip.level
    late = feed(rule.limit, flip, figure, at_ms, rule.stale_after_ms)
    device.flips[rule.id] = flip
    if flip.at_rest:
        del device.flips[rule.id]
    return Judged(before, flip.level, late)


def _pending(device: Heard, rules: list[Rule]) -> Iterator[Flip]:
    for rule in rules:
        flip, stays = device.flips.get(rule.id), device.stays.get(rule.id)
        if flip is not None:
            yield flip
        if stays is not None and stays.flip is not None:
            yield stays.flip


def _dates(device: Device) -> dict[str, date | None]:
    return {EXPIRES: device.expires, VERIFY_DUE: device.verify_due}


def _by_signal(rules: tuple[Rule, ...]) -> list[tuple[str, str, list[Rule], tuple[float, float] | None]]:
    """Return (window, field, rules, calm) by field and what is judged: limits that judge the same share its window.

    ``calm`` are the numbers between which a plain value reaches none of them, None where that cannot be said.
    """
    found: list[tuple[str, str, Signal | None, list[Rule]]] = []
    for rule in rules:
        for _, field, signal, same in found:
            if field == rule.field and signal == rule.limit.signal:
                same.append(rule)
                break
        else:
            found.append((f"{rule.field}.{rule.limit.key}", rule.field, rule.limit.signal, [rule]))
    return [(window, field, same, None if signal else _calm(same)) for window, field, signal, same in found]


def _calm(rules: list[Rule]) -> tuple[float, float] | None:
    if any(rule.limit.sense == "state" for rule in rules):
        return None
    levels = [(rule.limit.sense, level.value) for rule in rules for level in rule.limit.levels]
    lows = [value for sense, value in levels if sense == "below"]
    highs = [value for sense, value in levels if sense == "above"]
    return max(lows, default=-math.inf), min(highs, default=math.inf)
