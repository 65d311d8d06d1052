"""A city of nothing but light poles on the streets of the demo city, and what they say."""

import csv
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import load
from devices.site import Street
from devices.site_file import load_site

DISTRICT: Final = "demo"
SITE: Final = """\
base = "demo"
devices_file = "devices.csv"
[simulation]
run = false
"""
_SEED = 20_260_101
_BATCH = 500
_IN_FLIGHT = 90
_PATIENCE_S = 60.0


def write_poles(folder: Path, count: int) -> list[str]:
    """Write the devices file of so many poles, spread over all streets; return their ids."""
    chance = random.Random(_SEED)
    streets = [street for street in load_site(None).streets.values() if street.polygon]
    names = [load.device_id(number) for number in range(count)]
    spots = [_spots(street, chance) for street in streets]
    with (folder / "devices.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "kind", "street", "lat", "lon"))
        for number, name in enumerate(names):
            place = number % len(streets)
            lon, lat = next(spots[place])
            writer.writerow((name, load.KIND, streets[place].key, f"{lat:.6f}", f"{lon:.6f}"))
    return names


def _spots(street: Street, chance: random.Random) -> Iterator[tuple[float, float]]:
    """Give places inside a street's outline, without end."""
    lons, lats = zip(*street.polygon, strict=True)
    while True:
        at = chance.uniform(min(lons), max(lons)), chance.uniform(min(lats), max(lats))
        if _inside(at, street.polygon):
            yield at


def _inside(at: tuple[float, float], outline: Sequence[tuple[float, float]]) -> bool:
    within = False
    for (lon, lat), (next_lon, next_lat) in zip(outline, [*outline[1:], outline[0]], strict=True):
        crosses = (lat > at[1]) != (next_lat > at[1])
        if crosses and at[0] < (next_lon - lon) * (at[1] - lat) / (next_lat - lat) + lon:
            within = not within
    return within


class Poles:
    """The poles' one connection to a broker; use it in a ``with``."""

    def __init__(self, port: int, names: Sequence[str]) -> None:
        """Say where and for whom; nothing is connected yet."""
        self._port = port
        self._names = names
        self._lit = [False] * len(names)
        self._next = 0
        self._seq = 0
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="bench-poles")

    def __enter__(self) -> "Poles":
        self._client.max_inflight_messages_set(_IN_FLIGHT)
        self._client.max_queued_messages_set(0)
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def switch(self, count: int) -> None:
        """Switch the next so many poles, on or off, have each tell it, and return when the broker has heard them."""
        for start in range(0, count, _BATCH):
            sent = [self._tell() for _ in range(min(_BATCH, count - start))]
            for each in sent:
                each.wait_for_publish(_PATIENCE_S)

    def _tell(self) -> MQTTMessageInfo:
        number, self._next = self._next, (self._next + 1) % len(self._names)
        self._lit[number] = not self._lit[number]
        self._seq += 1
        dim = 80 if self._lit[number] else 0
        at_ms = time.time_ns() // 1_000_000
        body = f'{{"v":1,"ts":{at_ms},"seq":{self._seq},"data":{{"dim_pct":{dim},"cmd_pct":{dim}}}}}'
        topic = f"city/v1/{DISTRICT}/{load.KIND}/{self._names[number]}/telemetry"
        return self._client.publish(topic, body.encode(), qos=1)
