"""The grammar of a scenario: what happens to which devices, when, and which alarms must follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from devices.kind import Label, Value


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A way to be wrong; ``amount`` is what its amount means, empty where it has none."""

    label: Label
    description: Label
    amount: str = ""


FAULTS: Mapping[str, FaultKind] = {
    "silent": FaultKind(Label("静默", "Silent"), Label("没有任何消息", "is not heard at all")),
    "stuck": FaultKind(Label("卡值", "Stuck"), Label("数值停在某一刻", "repeats the numbers of one instant")),
    "drift": FaultKind(Label("漂移", "Drift"), Label("数值逐渐偏离", "goes away from the truth"), "units a second"),
    "spike": FaultKind(Label("尖峰", "Spike"), Label("偶尔出现突变值", "jumps to a value"), "the value of a spike"),
    "late": FaultKind(Label("迟到", "Late"), Label("消息延迟到达", "is heard later than it spoke"), "seconds"),
    "twice": FaultKind(Label("重复", "Twice"), Label("每条消息发送两次", "sends every message two times")),
    "garbled": FaultKind(Label("乱码", "Garbled"), Label("字节被截断或改写", "has bytes cut off or overwritten")),
    "clock_wrong": FaultKind(Label("时钟错误", "Wrong clock"), Label("时间戳偏差", "stamps wrong times"), "seconds"),
    "deaf": FaultKind(Label("不应答", "Deaf"), Label("不响应遥控指令", "does not answer commands")),
    "refuses": FaultKind(Label("拒绝指令", "Refuses"), Label("拒绝遥控指令", "refuses commands")),
    "disobeys": FaultKind(Label("拒动", "Disobeys"), Label("接受指令而不动作", "accepts commands and does nothing")),
}
# What concerns commands alone; ``share`` is then of the devices, not of their reports.
COMMAND_FAULTS = frozenset({"deaf", "refuses", "disobeys"})


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
class Never:
    """Alarms the scenario must not raise; ``*`` in rule and device stands for anything."""

    rule: str
    device: str = "*"

    def means(self, rule: str, device: str) -> bool:
        """Tell whether an alarm is one of them."""
        return fnmatchcase(rule, self.rule) and fnmatchcase(device, self.device)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scripted incident. Without ``incidents`` the day around it has none of its own.

    ``at_least`` is how many alarms it raises in all where that is what it is about.
    """

    key: str
    label: Label
    description: Label
    lasts_s: float
    targets: Mapping[str, Selector]
    steps: tuple[Step, ...]
    expects: tuple[Expect, ...]
    incidents: bool = True
    nevers: tuple[Never, ...] = ()
    at_least: int = 0
