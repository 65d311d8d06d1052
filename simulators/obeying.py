"""Light poles that are commanded: a command in, an answer and a reading at once out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devices.site import Device
from simulators.days.poles import PoleDay
from simulators.lamps import Hold
from simulators.moment import Window
from simulators.overlay import Overlay
from simulators.report import Message, Report
from simulators.setting import Setting
from simulators.wire import commands, native
from simulators.wire.commands import LampCommand

_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class _Heard:
    at_ms: int
    device: Device
    command: LampCommand


class Obeying:
    """Takes commands in as they come and answers them in the next window."""

    def __init__(self, setting: Setting, day: PoleDay | None, via: Mapping[str, str]) -> None:
        """Keep who speaks on whose connection (``via``); a city without poles hears nothing."""
        self._setting = setting
        self._day = day
        self._via = via
        self._heard: list[_Heard] = []
        self._newest_ms: dict[str, int] = {}
        self._answers: dict[str, dict[str, str]] = {}
        poles = {} if day is None else {native.topic(device, "cmd"): device for device in day.lamps}
        self._poles: Mapping[str, Device] = poles
        self._topics: dict[str, list[str]] = {}
        for topic, device in poles.items():
            self._topics.setdefault(via[device.id], []).append(topic)

    def topics(self, owner: str) -> tuple[str, ...]:
        """Return where a connection hears commands."""
        return tuple(self._topics.get(owner, ()))

    def hear(self, topic: str, payload: bytes, at_ms: int) -> None:
        """Take a command in; what is none is not answered."""
        device, command = self._poles.get(topic), commands.read_command(payload)
        if device is not None and command is not None:
            self._heard.append(_Heard(at_ms, device, command))

    def due(self, window: Window, overlays: Sequence[Overlay]) -> tuple[list[Message], list[Report]]:
        """Return the answers of a window, and what the lamps say of themselves with them."""
        answers, reports = [], []
        heard, self._heard = self._heard, []
        for each in heard:
            at_ms = min(max(each.at_ms, window.start_ms), window.stop_ms - 1)
            ways = {way for overlay in overlays if (way := overlay.way_with_commands(each.device, at_ms))}
            if "deaf" in ways:
                continue
            refusal = self._refusal(each, at_ms, ways)
            if not refusal:
                reports.append(self._report(each.device, at_ms))
            payload = commands.answer(each.command.id, at_ms, refusal)
            topic = native.topic(each.device, "cmd_ack")
            answers.append(Message(at_ms, self._via[each.device.id], topic, payload))
        return answers, reports

    def _refusal(self, each: _Heard, at_ms: int, ways: set[str]) -> str:
        """Carry a command out; return why not, or an empty text."""
        known = self._answers.setdefault(each.device.id, {})
        if each.command.id in known:
            # Sent again because its answer was lost: done once, answered again.
            return known[each.command.id]
        refusal = self._fault(each, at_ms, ways)
        if not refusal:
            self._newest_ms[each.device.id] = each.command.issued_ms
            self._obey(each, at_ms, "disobeys" in ways)
        known[each.command.id] = refusal
        while len(known) > _REMEMBERED:
            del known[next(iter(known))]
        return refusal

    def _fault(self, each: _Heard, at_ms: int, ways: set[str]) -> str:
        if each.command.fault:
            return each.command.fault
        if each.command.expires_ms <= at_ms:
            return "expired"
        if each.command.issued_ms < self._newest_ms.get(each.device.id, 0):
            return "a newer command was carried out"
        return "local control" if "refuses" in ways else ""

    def _obey(self, each: _Heard, at_ms: int, stuck: bool) -> None:
        assert self._day is not None
        command, moment = each.command, self._setting.clock.moment(at_ms)
        if command.dim_pct is None:
            hold = Hold(0.0, at_ms, at_ms)
        else:
            until_ms = command.until_ms or self._day.next_switching_ms(each.device, moment)
            hold = Hold(command.dim_pct, at_ms, until_ms, stuck)
        self._setting.lamps.take(each.device.id, hold)

    def _report(self, device: Device, at_ms: int) -> Report:
        assert self._day is not None
        data = self._day.telemetry(device, self._setting.clock.moment(at_ms))
        return Report(at_ms, device, "telemetry", data, part="light_pole")
