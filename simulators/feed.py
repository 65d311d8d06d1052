"""The pure core: a city, a seed and a stretch of time in; the messages that are due out. No clock, no network."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from devices.site import Device, Site
from simulators.chance import draws
from simulators.days import make_days
from simulators.days.flights import Flights
from simulators.days.poles import PoleDay
from simulators.moment import SimulatedClock, Window
from simulators.obeying import Obeying
from simulators.overlay import Overlay, Sending
from simulators.report import Message, Report
from simulators.scenario import Scenario
from simulators.setting import make_setting
from simulators.wire import dji, hj212, native
from simulators.wire.rounding import Rounding

_BEHIND_A_GATEWAY = ("light_pole", "gas_alarm")


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection of the fleet; one without a status topic says nothing of itself and has no last will."""

    owner: str
    status_topic: str | None
    command_topics: tuple[str, ...] = ()


class Feed:
    """Asked for one window after the other; however they are cut, the same messages come."""

    def __init__(
        self, site: Site, seed: int, clock: SimulatedClock, started_ms: int, *, incidents: bool = True
    ) -> None:
        """Prepare the city's day; sequence numbers begin above all that an earlier start can have used."""
        self._site, self._seed, self._clock = site, seed, clock
        setting = make_setting(site, seed, clock, incidents)
        self._flights = Flights(setting)
        self._days = make_days(setting, self._flights)
        self._rounding = Rounding(site.catalog)
        self._overlays: list[Overlay] = []
        self._seq: dict[str, int] = {}
        # So far above the last start that nobody takes what lies between for messages that were lost.
        self._first_seq = started_ms * 100
        self._held: list[tuple[int, int, Message]] = []
        self._held_count = 0
        self._via = {device.id: _via(device, site) for device in site.devices.values()}
        poles = self._days.get("light_pole")
        self._obeying = Obeying(setting, poles if isinstance(poles, PoleDay) else None, self._via)

    @property
    def connections(self) -> list[Connection]:
        """Return the connections the city needs, in the site's order."""
        return [self.connection(owner) for owner in dict.fromkeys(self._via.values())]

    def connection(self, owner: str) -> Connection:
        """Return the connection of one device, also of one that speaks past its gateway."""
        device = self._site.devices[owner]
        foreign = device.foreign.startswith("DJI:")
        topics = self._obeying.topics(owner)
        return Connection(owner, None if foreign else native.topic(device, "status"), topics)

    def start(self, scenario: Scenario, at_ms: int) -> None:
        """Lay a scenario over the day.

        Raises:
            ScenarioFault: the site does not have the devices it means.
        """
        self._overlays.append(Overlay(scenario, self._site, self._days, self._clock, self._seed, at_ms))

    def hear(self, topic: str, payload: bytes, at_ms: int) -> None:
        """Take in a command to a device; it is answered among the messages that are due next."""
        self._obeying.hear(topic, payload, at_ms)

    def due(self, start_ms: int, stop_ms: int) -> list[Message]:
        """Return the messages of a stretch of real time (its end not included), in order."""
        window = Window(start_ms, stop_ms, self._clock)
        messages: list[Message] = []
        for overlay in self._overlays:
            for at_ms, device in overlay.flights(window):
                self._flights.order(device, self._clock.moment(at_ms))
            for at_ms, device, status in overlay.statuses(window):
                topic = native.topic(device, "status")
                messages.append(Message(at_ms, self._via[device.id], topic, status.encode(), retain=True))
        answers, answering = self._obeying.due(window, self._overlays)
        messages.extend(answers)
        for report in self._reports(window, answering):
            sending: Sending | None = Sending(report, report.at_ms, report.at_ms)
            for overlay in self._overlays:
                if sending is not None:
                    sending = overlay.applied(sending)
            if sending is not None:
                messages.extend(self._sent(sending))
        return self._on_time(messages, stop_ms)

    def _reports(self, window: Window, answering: list[Report]) -> list[Report]:
        found = [report for day in self._days.values() for report in day.due(window)]
        found.extend(report for overlay in self._overlays for report in overlay.extras(window))
        found.extend(answering)
        found.sort(key=lambda r: (r.at_ms, r.device.id, r.channel, r.part, r.passage))
        return found

    def _sent(self, sending: Sending) -> Iterator[Message]:
        report = sending.report
        device = report.device
        via = device.id if report.direct else self._via[device.id]
        for topic, payload in self._encoded(report):
            if sending.garbled:
                payload = _garbled(payload, draws(self._seed, device.id, report.at_ms, "garbled"))
            for _ in range(sending.times):
                yield Message(sending.send_ms, via, topic, payload)

    def _encoded(self, report: Report) -> Iterator[tuple[str, bytes]]:
        device = report.device
        sent = self._rounding.sent(device.kind, report.data)
        scheme, _, number = device.foreign.partition(":")
        if scheme == "DJI" and device.kind in ("drone", "drone_dock"):
            dock = self._site.devices.get(device.parent)
            gateway = dock.foreign.partition(":")[2] if dock is not None else ""
            yield from dji.messages(report, sent, number, gateway or number, self._seed)
        elif scheme == "HJ212" and report.part == "pole_env":
            yield hj212.frame(report, sent, number)
        else:
            # Only this format has a number; a frame of another that took one would look like a message lost.
            seq = self._seq[device.id] = self._seq.get(device.id, self._first_seq) + 1
            yield native.topic(device, report.channel), native.payload(report, sent, seq)

    def _on_time(self, messages: list[Message], stop_ms: int) -> list[Message]:
        """Hold back what leaves later, add what was held back and leaves now."""
        now = []
        for message in messages:
            if message.at_ms < stop_ms:
                now.append(message)
            else:
                self._held_count += 1
                heapq.heappush(self._held, (message.at_ms, self._held_count, message))
        while self._held and self._held[0][0] < stop_ms:
            now.append(heapq.heappop(self._held)[2])
        now.sort(key=lambda message: message.at_ms)
        return now


def _via(device: Device, site: Site) -> str:
    """Return whose connection a device speaks on: its gateway's, for an aircraft of DJI its dock's, else its own."""
    if device.parent in site.devices and (
        device.kind in _BEHIND_A_GATEWAY or (device.kind == "drone" and device.foreign.startswith("DJI:"))
    ):
        return device.parent
    return device.id


def _garbled(payload: bytes, chance: tuple[float, ...]) -> bytes:
    """Cut a payload somewhere, or overwrite a few of its bytes."""
    place = int(chance[0] * len(payload))
    return payload[:place] if chance[1] < 0.5 else payload[:place] + b"\xff\xfe" + payload[place + 2 :]
