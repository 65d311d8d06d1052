"""What the devices of a round say, and what must become of it: written down by hand while it is made up, not by rule.

The thresholds stand here as plain numbers: gas low from 25 %LEL, high from 50 %LEL, back below 20 %LEL for 60 s;
gas rising by 5 %LEL a minute and more, as the slope of the newest 120 s, back below 3 for 60 s; a two-axle vehicle is
over its 18 t by 10, 30, 50 or 100 per cent; a pole leaks from 30 mA.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.ingest.messages import T_MS, Message, dji, gas, hj212, native, passage

STEP_MS = 30_000
LANES = 3
# The database of a round knows the temperature of a gas alarm as a text, so a number in it is refused for good.
CONFLICT = f'gas_alarm,device_id=somebody,district=demo temp_c="warm",quality=0i {T_MS}000000'
CONFLICTING = "somebody"


class Point(NamedTuple):
    """Where a reading is stored: a passage or a lift by its name, all else by its time in nanoseconds."""

    measurement: str
    device: str
    key: int | str


class Stands(NamedTuple):
    """How an alarm stands at the end."""

    level_peak: int
    activations: int
    active: bool


# What a gas alarm reads, one value each 30 s of its own time, and the alarms that must come of it: level, then slope.
_LEAKS: tuple[tuple[tuple[float, ...], Stands | None, Stands | None], ...] = (
    ((3.0,) * 10, None, None),
    ((3.0, 24.9, 3.0, 24.9), None, Stands(1, 1, True)),
    ((3.0, 25.0, 26.0, 30.0), Stands(1, 1, True), Stands(1, 1, True)),
    ((3.0, 30.0, 50.0, 49.0), Stands(2, 1, True), Stands(1, 1, True)),
    ((70.0, 70.0, 3.0, 2.0), Stands(2, 1, True), None),
    ((70.0, 3.0, 3.0, 3.0, 2.0), Stands(2, 1, False), None),
    ((60.0, 3.0, 3.0, 3.0, 2.0, 2.0, 30.0, 31.0), Stands(2, 2, True), Stands(1, 1, True)),
    ((30.0, 3.0, 3.0, 22.0, 3.0, 3.0), Stands(1, 1, True), None),
    # By the sixth value the fall from the first is out of sight, and the fifth makes 5.6 a minute of the rest.
    ((30.0, 2.0, 2.0, 2.0, 30.0, 2.0, 2.0, 2.0, 2.0), Stands(1, 2, False), Stands(1, 1, False)),
)
_LEGAL, _OVERLOADS = (10_000.0, 18_000.0, 19_700.0), ((19_800.0, 1), (24_000.0, 2), (28_000.0, 3), (36_000.0, 4))


@dataclass
class Load:
    """The messages of one round by uplink, and what they must leave behind."""

    seed: int
    lanes: list[list[Message]] = field(default_factory=lambda: [[] for _ in range(LANES)])
    points: dict[Point, dict[str, Any]] = field(default_factory=dict)
    refused: dict[Point, dict[str, Any]] = field(default_factory=dict)
    alarms: dict[str, Stands] = field(default_factory=dict)
    unreadable: set[Message] = field(default_factory=set)
    half_readable: int = 0
    readable: int = 0
    repeats: int = 0

    @property
    def total(self) -> int:
        """Return how many messages there are, repeats included."""
        return sum(len(lane) for lane in self.lanes)


def make_load(seed: int, size: int, unreadable_share: float = 0.03) -> Load:
    """Make up about ``size`` messages."""
    return _Maker(seed, size, unreadable_share).load


class _Maker:
    def __init__(self, seed: int, size: int, unreadable_share: float) -> None:
        self.load = Load(seed)
        self.chance = random.Random(f"load {seed}")
        self._devices: list[list[Message]] = []
        weights = {"_gas": 34, "_late": 3, "_vehicles": 8, "_pole": 12, "_truck": 10, "_drone": 6, "_station": 6}
        weights |= {"_half": 2, "_refused": 2}
        made = 0
        while made < size:
            (maker,) = self.chance.choices(list(weights), list(weights.values()))
            said = getattr(self, maker)(len(self._devices))
            self._devices.append(said)
            made += len(said)
        self._interleave()
        self._repeat()
        self._rubbish(round(size * unreadable_share / (1 - unreadable_share)))

    def _interleave(self) -> None:
        # Each device keeps its order, as it does on its one connection.
        turns = [number for number, said in enumerate(self._devices) for _ in said]
        self.chance.shuffle(turns)
        said_so_far: Counter[int] = Counter()
        for number in turns:
            self.load.lanes[number % LANES].append(self._devices[number][said_so_far[number]])
            said_so_far[number] += 1

    def _repeat(self) -> None:
        for lane in self.load.lanes:
            for index in sorted(self.chance.sample(range(len(lane)), len(lane) // 25), reverse=True):
                lane.insert(min(len(lane), index + self.chance.randint(1, 300)), lane[index])
                self.load.repeats += 1

    def _rubbish(self, count: int) -> None:
        gas_topic = "city/v1/demo/gas_alarm/gas-{}/telemetry"
        for n in range(count):
            mark = f"rubbish {self.load.seed} {n}"
            message = self.chance.choice(
                [
                    (gas_topic.format(n % 50), b"\xff\0" + self.chance.randbytes(40) + mark.encode()),
                    (gas_topic.format(n % 50), f'{{"v":1,"ts":{T_MS},"data":{{"conc_pct_lel":99,"x":"{mark}'.encode()),
                    (gas_topic.format(n % 50), f'{{"v":1,"ts":{T_MS},"data":"{mark}"}}'.encode()),
                    (f"city/v1/demo/gas_alarms/gas-{n % 50}/telemetry", f'{{"data":{{"x":"{mark}"}}}}'.encode()),
                    (f"city/v1/demo/gas_alarm/gas {n}/telemetry", b'{"data":{"conc_pct_lel":99}}'),
                    (f"hj212/MN{n % 50}/up", f"##0012{mark}".encode()),
                    ("thing/product/SN1/osd", f'["{mark}"]'.encode()),
                ]
            )
            lane = self.chance.choice(self.load.lanes)
            lane.insert(self.chance.randint(0, len(lane)), message)
            self.load.unreadable.add(message)

    def _ts(self, number: int, step: int) -> int:
        return T_MS + number + step * STEP_MS

    def _stored(self, measurement: str, device: str, at_ms: int, values: dict[str, Any], refused: bool = False) -> None:
        point = Point(measurement, device, at_ms * 1_000_000)
        (self.load.refused if refused else self.load.points)[point] = values

    def _gas(self, number: int) -> list[Message]:
        device, said = f"gas-{number}", []
        values, level, slope = self.chance.choice(_LEAKS)
        for step, value in enumerate(values):
            ts = self._ts(number, step)
            said.append(gas(device, value, id=f"{number}-{step}", ts=ts))
            self._stored("gas_alarm", device, ts, {"conc_pct_lel": value})
        for rule, stands in (("high", level), ("rate", slope)):
            if stands:
                self.load.alarms[f"{device}/conc_pct_lel.{rule}"] = stands
        self.load.readable += len(said)
        return said

    def _late(self, number: int) -> list[Message]:
        """A device that was cut off tells afterwards, in one message, what it read meanwhile: a leak that is over."""
        device, values = f"late-{number}", (3.0, 55.0, 3.0)
        now = [gas(device, 2.0, seq=step, ts=self._ts(number, step)) for step in range(3)]
        for step in range(3):
            self._stored("gas_alarm", device, self._ts(number, step), {"conc_pct_lel": 2.0})
        entries = []
        for step, value in enumerate(values, 1):
            ts = self._ts(number, -10 * step)
            entry = f'{{"id":"h{step}","ts":{ts},"hist":true,"data":{{"conc_pct_lel":{value}}}}}'
            entries.append(entry)
            self._stored("gas_alarm", device, ts, {"conc_pct_lel": value})
        self.load.alarms[f"{device}/conc_pct_lel.high"] = Stands(2, 1, False)
        self.load.readable += 4
        return [*now, (now[0][0], f"[{','.join(entries)}]".encode())]

    def _vehicles(self, number: int) -> list[Message]:
        device, said = f"wim-{number}", []
        for n in range(40):
            over = self.chance.random() < 0.1
            gross, level = self.chance.choice(_OVERLOADS) if over else (self.chance.choice(_LEGAL), 0)
            # Four vehicles on one millisecond: their names alone keep them apart.
            ts, name = T_MS + number + n // 4, f"p{number}-{n}"
            said.append(passage(device, name, ts, gross))
            self.load.points[Point("wim_pass", device, name)] = {"gvw_kg": gross, "at_ms": ts}
            if level:
                self.load.alarms[f"{device}/over_pct.overload/{name}"] = Stands(level, 1, False)
        self.load.readable += len(said)
        return said

    def _pole(self, number: int) -> list[Message]:
        device, said, leaking = f"pole-{number}", [], number % 7 == 0
        for step in range(12):
            ts, leak = self._ts(number, step), 31.5 if leaking and step > 8 else 29.9
            data = {"dim_pct": step, "leak_ma": leak, "pm25_ugm3": 12 + step}
            said.append(native("light_pole", device, data, seq=step, ts=ts))
            self._stored("light_pole", device, ts, {"dim_pct": float(step), "leak_ma": leak})
            self._stored("pole_env", device, ts, {"pm25_ugm3": 12.0 + step})
        if leaking:
            self.load.alarms[f"{device}/leak_ma.leakage"] = Stands(1, 1, True)
        self.load.readable += len(said)
        return said

    def _truck(self, number: int) -> list[Message]:
        device, said = f"truck-{number}", []
        for step in range(10):
            ts, loaded = self._ts(number, step), 1000 + 10 * step
            said.append(native("refuse_truck", device, {"load_kg": loaded}, id=step, ts=ts))
            self._stored("refuse_truck", device, ts, {"load_kg": float(loaded)})
            if step % 3 == 0:
                lift = f"l{number}-{step}"
                said.append(native("refuse_truck", device, {"lift_id": lift, "net_kg": 60}, "event", id=step, ts=ts))
                self.load.points[Point("bin_lift", device, lift)] = {"net_kg": 60.0, "at_ms": ts}
        self.load.readable += len(said)
        return said

    def _drone(self, number: int) -> list[Message]:
        serial, said = f"SN{number}", []
        for step in range(8):
            ts = self._ts(number, step)
            said.append(dji(serial, {"latitude": 30.0 + step, "longitude": 120.0}, tid=f"t{step}", timestamp=ts))
            self._stored("drone", serial, ts, {"lat": 30.0 + step, "lon": 120.0})
        self.load.readable += len(said)
        return said

    def _station(self, number: int) -> list[Message]:
        station, said = f"MN{number}", []
        for step in range(8):
            said.append(hj212(station, f"LA-Rtd={40 + step}", f"202601010800{step:02d}"))
            self._stored("pole_env", station, T_MS + step * 1000, {"noise_dba": 40.0 + step})
        self.load.readable += len(said)
        return said

    def _half(self, number: int) -> list[Message]:
        """One field cannot be read: the others are stored and judged, and the message is in quarantine all the same."""
        device, said = f"half-{number}", []
        for step in range(3):
            ts, data = self._ts(number, step), {"conc_pct_lel": 51, "temp_c": "warm"}
            said.append(native("gas_alarm", device, data, id=step, ts=ts))
            self._stored("gas_alarm", device, ts, {"conc_pct_lel": 51.0})
        self.load.alarms[f"{device}/conc_pct_lel.high"] = Stands(2, 1, True)
        self.load.half_readable += len(said)
        return said

    def _refused(self, number: int) -> list[Message]:
        """The database will not take it; the alarm does not ask the database."""
        device, said = f"poison-{number}", []
        for step in range(3):
            ts = self._ts(number, step)
            said.append(native("gas_alarm", device, {"conc_pct_lel": 60, "temp_c": 20 + step}, id=step, ts=ts))
            self._stored("gas_alarm", device, ts, {"conc_pct_lel": 60.0}, refused=True)
        self.load.alarms[f"{device}/conc_pct_lel.high"] = Stands(2, 1, True)
        self.load.readable += len(said)
        return said
