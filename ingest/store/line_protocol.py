"""Readings in InfluxDB's line protocol: every number a float, texts as strings, time in nanoseconds."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any

import msgspec

from devices.readings import Reading
from ingest.store.usual import UsualReadings

_json = msgspec.json.Encoder().encode
_QUALITIES = ("0i", "1i", "2i")
_HEADS_KEPT = 200_000
# While texts of thousands are put together by one call, no other thread gets a turn, and an alarm may wait for one.
_TOGETHER = 1_000


class Lines:
    """Writes readings as lines; what stands at the head of a device's lines is remembered."""

    def __init__(self) -> None:
        self._heads: dict[tuple[object, ...], str] = {}

    def of(self, readings: Sequence[Reading]) -> list[str]:
        """Return one line a reading, in their order."""
        found: list[str] = []
        for begin in range(0, len(readings), _TOGETHER):
            found += self._of(readings[begin : begin + _TOGETHER])
        return found

    def of_usual(self, usual: Iterable[UsualReadings]) -> list[str]:
        """Return the same of usual readings."""
        found: list[str] = []
        for each in usual:
            tags = [zip(repeat(key), said, strict=False) for key, said in zip(each.tag_keys, each.tags, strict=True)]
            whose = list(zip(repeat(each.measurement), each.devices, each.districts, *tags, strict=False))
            heads = list(map(self._heads.get, whose))
            if None in heads:
                heads = [self._headed(name, device, district, dict(pairs)) for name, device, district, *pairs in whose]
            pieces: list[Iterable[Any]] = [heads]
            for key, column in zip(each.fields, each.columns(), strict=True):
                pieces += repeat(f"{',' if len(pieces) > 1 else ''}{key}="), _texts(column)
            pieces += repeat(f",quality={_QUALITIES[0]} "), _texts(each.at_ms.tolist()), repeat("000000")
            found += map("".join, zip(*pieces, strict=False))
        return found

    def _of(self, readings: Sequence[Reading]) -> list[str]:
        # Numbers look the same in JSON, and msgspec writes those of a whole batch at once.
        bodies = _json([reading.values for reading in readings]).decode()
        if '":"' in bodies or "{}" in bodies:
            return [line(reading) for reading in readings]
        fields = bodies[3:-2].replace(',"', ",").replace('":', "=").split('},{"')
        found = []
        for reading, values in zip(readings, fields, strict=True):
            if reading.flags:
                found.append(line(reading))
                continue
            head = self._headed(reading.measurement, reading.device, reading.district, reading.tags)
            found.append(f"{head}{values},quality={_QUALITIES[reading.quality]} {reading.at_ns}")
        return found

    def _headed(self, measurement: str, device: str, district: str, tags: Mapping[str, str]) -> str:
        key: tuple[object, ...] = (measurement, device, district)
        if tags:
            key = (*key, *tags.items())
        head = self._heads.get(key)
        if head is None:
            if len(self._heads) >= _HEADS_KEPT:
                self._heads.clear()
            head = self._heads[key] = _head(measurement, device, district, tags)
        return head


def _texts(numbers: Sequence[float]) -> list[str]:
    # Numbers look the same in JSON, and msgspec writes those of a whole column at once.
    return _json(numbers)[1:-1].decode().split(",")


def line(reading: Reading) -> str:
    """Return one reading as a line."""
    fields = [
        f"{key}={value!r}" if isinstance(value, float) else f"{key}={_string(value)}"
        for key, value in reading.values.items()
    ]
    if reading.flags:
        fields.append(f"flags={_string(' '.join(f'{key}:{code}' for key, code in reading.flags.items()))}")
    fields.append(f"quality={_QUALITIES[reading.quality]}")
    head = _head(reading.measurement, reading.device, reading.district, reading.tags)
    return f"{head}{','.join(fields)} {reading.at_ns}"


def _head(measurement: str, device: str, district: str, tags: Mapping[str, str]) -> str:
    told = "".join([f",{key}={_tag(value)}" for key, value in sorted(tags.items()) if value])
    return f"{measurement},device_id={_tag(device)},district={_tag(district)}{told} "


@lru_cache(maxsize=200_000)
def _tag(value: str) -> str:
    kept = value.replace("\\", "/").replace("\n", " ").replace("\r", " ")
    return kept.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _string(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
    return f'"{escaped}"'
