"""Readings in InfluxDB's line protocol: every number a float, texts as strings, time in nanoseconds."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from devices.readings import Reading

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

    def _of(self, readings: Sequence[Reading]) -> list[str]:
        # Numbers look the same in JSON, and msgspec writes those of a whole batch at once.
        bodies = _json([reading.values for reading in readings]).decode()
        if '":"' in bodies or "{}" in bodies:
            return [line(reading) for reading in readings]
        fields = bodies[3:-2].replace(',"', ",").replace('":', "=").split('},{"')
        heads = self._heads
        if len(heads) >= _HEADS_KEPT:
            heads.clear()
        found = []
        for reading, values in zip(readings, fields, strict=True):
            if reading.flags:
                found.append(line(reading))
                continue
            tags = reading.tags
            key: tuple[object, ...] = (reading.measurement, reading.device, reading.district)
            if tags:
                key = (*key, *tags.items())
            head = heads.get(key)
            if head is None:
                head = heads[key] = f"{_head(reading)} "
            found.append(f"{head}{values},quality={_QUALITIES[reading.quality]} {reading.at_ns}")
        return found


def line(reading: Reading) -> str:
    """Return one reading as a line."""
    fields = [
        f"{key}={value!r}" if isinstance(value, float) else f"{key}={_string(value)}"
        for key, value in reading.values.items()
    ]
    if reading.flags:
        fields.append(f"flags={_string(' '.join(f'{key}:{code}' for key, code in reading.flags.items()))}")
    fields.append(f"quality={_QUALITIES[reading.quality]}")
    return f"{_head(reading)} {','.join(fields)} {reading.at_ns}"


def _head(reading: Reading) -> str:
    tags = "".join([f",{key}={_tag(value)}" for key, value in sorted(reading.tags.items()) if value])
    return f"{reading.measurement},device_id={_tag(reading.device)},district={_tag(reading.district)}{tags}"


@lru_cache(maxsize=200_000)
def _tag(value: str) -> str:
    kept = value.replace("\\", "/").replace("\n", " ").replace("\r", " ")
    return kept.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _string(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
    return f'"{escaped}"'
