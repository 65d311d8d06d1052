"""A city of nothing but light poles on the streets of the demo city, and what they say."""

import csv
import random
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

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
        """Connect them."""
        self._names = names
        self._lit = [False] * len(names)
        self._next = 0
        self._seq = 0
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)

    def __enter__(self) -> "Poles":
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(load.connect_packet("bench-poles"))
        self._socket.recv(4, socket.MSG_WAITALL)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def switch(self, count: int) -> None:
        """Switch the next so many poles, on or off, have each tell it, and return when the broker has heard them."""
        for start in range(0, count, _BATCH):
            size = min(_BATCH, count - start)
            self._socket.sendall(b"".join(self._packet(mid) for mid in range(1, size + 1)))
            # An acknowledgement has four bytes.
            left = 4 * size
            while left:
                heard = len(self._socket.recv(left))
                if not heard:
                    raise RuntimeError("the broker has closed the poles' connection")
                left -= heard

    def _packet(self, mid: int) -> bytes:
        number, self._next = self._next, (self._next + 1) % len(self._names)
        self._lit[number] = not self._lit[number]
        self._seq += 1
        dim = 80 if self._lit[number] else 0
        body = (
            f'{{"v":1,"ts":{time.time_ns() // 1_000_000},"seq":{self._seq},"data":{{"dim_pct":{dim},"cmd_pct":{dim}}}}}'
        )
        topic = f"city/v1/{DISTRICT}/{load.KIND}/{self._names[number]}/telemetry"
        return load.publish_packet(topic, body.encode(), mid)
