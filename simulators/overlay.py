"""A scenario under way: what it adds to the day and what it changes in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from devices.site import Device, Site
from simulators.chance import draws
from simulators.moment import SimulatedClock, Window
from simulators.report import Data, Report
from simulators.scenario import COMMAND_FAULTS, NamedFault, Ramp, Scenario, Step
from simulators.setting import Day
from simulators.targets import resolve


@dataclass(frozen=True, slots=True)
class Sending:
    """A report with what happens to it on its way: when it leaves, how often, and whether it arrives whole.

    ``spoken_ms`` is when the device spoke, whatever its clock says.
    """

    report: Report
    spoken_ms: int
    send_ms: int
    times: int = 1
    garbled: bool = False


class Overlay:
    """One running scenario; pure: the same report at the same instant is changed the same way."""

    def __init__(
        self, scenario: Scenario, site: Site, days: Mapping[str, Day], clock: SimulatedClock, seed: int, started_ms: int
    ) -> None:
        """Find the targets.

        Raises:
            ScenarioFault: a target means no device of the site.
        """
        self.scenario, self.started_ms = scenario, started_ms
        self._site, self._days, self._clock, self._seed = site, days, clock, seed
        self._targets = resolve(scenario, site)
        self._steps: dict[str, list[Step]] = {}
        for step in scenario.steps:
            for device in self._targets[step.target]:
                self._steps.setdefault(device.id, []).append(step)

    def flights(self, window: Window) -> Iterator[tuple[int, Device]]:
        """Yield the drones that must take off in a window."""
        for step in self.scenario.steps:
            if step.fly and window.holds(self._instant(step.at_s)):
                yield from ((self._instant(step.at_s), device) for device in self._targets[step.target])

    def statuses(self, window: Window) -> Iterator[tuple[int, Device, str]]:
        """Yield the sign-offs and returns that fall in a window."""
        for step in self.scenario.steps:
            if not step.status:
                continue
            for at_s, status in ((step.at_s, step.status), (step.at_s + step.for_s, "online")):
                if window.holds(self._instant(at_s)):
                    yield from ((self._instant(at_s), device, status) for device in self._targets[step.target])

    def extras(self, window: Window) -> Iterator[Report]:
        """Yield what devices say out of turn in a window."""
        for step in self.scenario.steps:
            if step.every_s is None:
                continue
            turns = int(step.for_s / step.every_s + 1e-9) or 1
            begun_ms = self._instant(step.at_s)
            first = max(0, int((window.start_ms - begun_ms) / 1000 / step.every_s) - 1)
            for turn in range(first, turns):
                at_ms = self._instant(step.at_s + turn * step.every_s)
                if at_ms >= window.stop_ms:
                    break
                if at_ms >= window.start_ms:
                    yield from (self._spoken(step, device, at_ms) for device in self._targets[step.target])

    def applied(self, sending: Sending) -> Sending | None:
        """Return a report as the scenario leaves it, or None when it is never heard."""
        report = sending.report
        gone_s = (sending.spoken_ms - self.started_ms) / 1000
        for step in self._steps.get(report.device.id, ()):
            if not step.holds(gone_s):
                continue
            if not (report.passage or self._is_passage(step, report.device)):
                report.data.update(self._set(step, report, gone_s))
            if step.fault is not None:
                changed = self._faulted(step.fault, step, replace_report(sending, report), gone_s)
                if changed is None:
                    return None
                sending, report = changed, changed.report
        return sending

    def way_with_commands(self, device: Device, at_ms: int) -> str:
        """Return how a device treats a command: ``deaf``, ``refuses`` or ``disobeys`` it; empty: it obeys."""
        gone_s = (at_ms - self.started_ms) / 1000
        for step in self._steps.get(device.id, ()):
            if step.fault is None or not step.holds(gone_s):
                continue
            if step.fault.name == "silent":
                return "deaf"
            own = draws(self._seed, self.scenario.key, device.id, "commands")[0]
            if step.fault.name in COMMAND_FAULTS and own < step.fault.share:
                return step.fault.name
        return ""

    def _instant(self, at_s: float) -> int:
        return self.started_ms + round(at_s * 1000)

    def _spoken(self, step: Step, device: Device, at_ms: int) -> Report:
        day, moment = self._days[device.kind], self._clock.moment(at_ms)
        if step.channel != "event":
            part = "light_pole" if device.kind == "light_pole" else ""
            return Report(at_ms, device, step.channel, day.telemetry(device, moment), part=part, direct=step.direct)
        wishes = {key: _value(value, (at_ms - self._instant(step.at_s)) / 1000) for key, value in step.sets.items()}
        passage = f"{at_ms:x}-{self.scenario.key}" if self._is_passage(step, device) else ""
        return Report(at_ms, device, "event", day.event(device, moment, wishes), passage, direct=step.direct)

    def _is_passage(self, step: Step, device: Device) -> bool:
        kind = self._site.catalog.kinds[device.kind]
        return any(m.passage is not None for m in kind.measurements_on(step.channel))

    def _set(self, step: Step, report: Report, gone_s: float) -> Data:
        values = {key: _value(value, gone_s - step.at_s) for key, value in step.sets.items()}
        if not report.part:
            return values
        own = next(m for m in self._site.catalog.kinds[report.device.kind].measurements if m.key == report.part)
        keys = {field.key for field in own.fields}
        return {key: value for key, value in values.items() if key in keys}

    def _faulted(self, fault: NamedFault, step: Step, sending: Sending, gone_s: float) -> Sending | None:
        report = sending.report
        chance = draws(self._seed, self.scenario.key, report.device.id, report.at_ms)[0]
        if fault.name in COMMAND_FAULTS:
            return sending
        if fault.name == "silent":
            return sending if report.direct else None
        if fault.name == "late":
            return replace(sending, send_ms=sending.send_ms + round(fault.amount * 1000))
        if fault.name == "twice":
            return replace(sending, times=2)
        if fault.name == "garbled":
            return replace(sending, garbled=chance < fault.share)
        if fault.name == "clock_wrong":
            return replace_report(sending, replace(report, at_ms=report.at_ms + round(fault.amount * 1000)))
        report.data.update(self._wrong_numbers(fault, step, report, gone_s, chance))
        return sending

    def _wrong_numbers(self, fault: NamedFault, step: Step, report: Report, gone_s: float, chance: float) -> Data:
        numbers = {key: float(value) for key, value in report.data.items() if isinstance(value, float)}
        wanted = {key: value for key, value in numbers.items() if not fault.fields or key in fault.fields}
        if fault.name == "drift":
            return {key: value + fault.amount * (gone_s - step.at_s) for key, value in wanted.items()}
        if fault.name == "spike":
            return dict.fromkeys(wanted, fault.amount) if chance < fault.share else {}
        moment = self._clock.moment(self._instant(step.at_s))
        frozen = self._days[report.device.kind].telemetry(report.device, moment)
        return {key: frozen[key] for key in wanted if key in frozen}


def replace_report(sending: Sending, report: Report) -> Sending:
    """Return a sending with another report in it."""
    return sending if sending.report is report else replace(sending, report=report)


def _value(value: Ramp | float | str | bool, gone_s: float) -> float | str | bool:
    return value.at(gone_s) if isinstance(value, Ramp) else value
