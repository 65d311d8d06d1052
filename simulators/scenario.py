"""The grammar of a scenario: what happens to which devices, when, and which alarms must follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.kind import Label, Value

FAULTS = ("silent", "stuck", "drift", "spike", "late", "twice", "garbled", "clock_wrong")


@dataclass(frozen=True, slots=True)
class Selector:
    """Which devices: ``ids``, or ``count`` of a kind, street, parent or circuit, or those nearest to a device."""

    ids: tuple[str, ...] = ()
    kind: str = ""
    street: str = ""
    parent: str = ""
    circuit: str = ""
    nearest: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Ramp:
    """A value that goes from one number to another and stays there; both equal for one that simply is."""

    start: float
    stop: float
    lasts_s: float

    def at(self, gone_s: float) -> float:
        """Return the value so many seconds after the beginning."""
        share = min(gone_s / self.lasts_s, 1.0) if self.lasts_s > 0 else 1.0
        return self.start + (self.stop - self.start) * share


@dataclass(frozen=True, slots=True)
class NamedFault:
    """One of ``FAULTS`` with its measure.

    ``fields`` it concerns (stuck, drift, spike; none means all numbers) · ``amount``: units a second of a drift, value
    of a spike, seconds of late and clock_wrong · ``share`` of reports that a spike or a garbling hits.
    """

    name: str
    fields: tuple[str, ...] = ()
    amount: float = 0.0
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """What a target does from ``at_s`` on for ``for_s`` seconds (real ones, whatever the speed of the day).

    ``sets`` lies over what the device would have said. With ``every_s`` it also speaks out of turn, on ``channel``;
    on a channel of passages only these are touched. ``direct``: past its gateway. ``fly``: the drone takes off now.
    ``status``: what its last will would say meanwhile.
    """

    target: str
    at_s: float
    for_s: float
    sets: Mapping[str, Ramp | Value | bool] = field(default_factory=dict)
    every_s: float | None = None
    channel: str = "telemetry"
    fault: NamedFault | None = None
    direct: bool = False
    fly: bool = False
    status: str = ""

    def holds(self, gone_s: float) -> bool:
        """Tell whether the step is on so many seconds after the scenario's beginning."""
        return self.at_s <= gone_s < self.at_s + self.for_s


@dataclass(frozen=True, slots=True)
class Expect:
    """An alarm the scenario must raise.

    ``rule`` is ``{kind}.{field}.{limit}``, ``{kind}.no_data`` or that of a group, ``device`` then ``circuit:…`` or
    ``street:…``. ``light`` is the time of day at which alone it can be, ``day`` or ``night``.
    """

    rule: str
    level: int
    device: str
    light: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scripted incident. Without ``incidents`` the day around it has none of its own."""

    key: str
    label: Label
    description: Label
    lasts_s: float
    targets: Mapping[str, Selector]
    steps: tuple[Step, ...]
    expects: tuple[Expect, ...]
    incidents: bool = True
