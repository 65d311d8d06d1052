"""What a device sent last of one measurement."""

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from devices.kind import Value
from devices.readings import Reading
from devices.shapes import Sample, Shape
from ingest.alarms.calm import Calm

if TYPE_CHECKING:
    from ingest.alarms.memory import DeviceState


class Latest(NamedTuple):
    """The newest value of a field, its device time and quality."""

    value: Value
    at_ms: int
    quality: int


class Row:
    """The newest values of one measurement of a device.

    ``values`` are those of its newest sample, ``apart`` the fields that come from others or have their own quality.
    ``shape`` is that of the newest sample where it was a usual one, the device is calm and nothing stands apart, else
    None; of such a row all is good, and as long as nobody asks for its values only their ``sample`` is kept. It is
    bound to a place, where newer ones may stand (:mod:`ingest.alarms.calm`); ``release`` takes them over.
    """

    __slots__ = ("_calm", "_place", "_values", "apart", "at_ms", "quality", "sample", "shape")

    def __init__(
        self, values: dict[str, Value], at_ms: int, quality: int, apart: dict[str, Latest] | None = None
    ) -> None:
        self._values = values
        self.at_ms = at_ms
        self.quality = quality
        self.apart: dict[str, Latest] = {} if apart is None else apart
        self.shape: Shape | None = None
        self.sample: Sample | None = None
        self._calm: Calm | None = None
        self._place = 0

    def bind(self, calm: Calm, place: int, state: "DeviceState", shape: Shape) -> None:
        """Let what comes be kept at a place, as long as it has a shape; ``state`` is that of the device."""
        self._calm, self._place, self.shape = calm, place, shape
        calm.bind(place, state, self, shape)

    def stir(self) -> None:
        """Let what comes next be looked at closely."""
        if self._calm is not None:
            calm, self._calm = self._calm, None
            calm.drop(self._place)
            self._values, self.sample, self.shape = self.values, None, None

    def release(self) -> None:
        """Take over what stands at its place."""
        if self._calm is not None:
            self._calm.release(self._place)

    def renumber(self) -> None:
        """Tell its place which number of the device is the next."""
        if self._calm is not None:
            self._calm.renumber(self._place)

    @property
    def values(self) -> dict[str, Value]:
        """Return the values by field."""
        if self.sample is not None and self.shape is not None:
            self._values, self.sample = self.shape.values(self.sample), None
        return self._values

    @values.setter
    def values(self, values: dict[str, Value]) -> None:
        self.stir()
        self._values = values

    def told(self) -> dict[str, Value]:
        """Return the values for whoever only reads them now; of a usual sample they are not kept."""
        if self.sample is not None and self.shape is not None:
            return self.shape.values(self.sample)
        return self._values

    def value(self, key: str) -> Value | None:
        """Return the newest value of one field."""
        found = self.values.get(key)
        if found is None and self.apart:
            latest = self.apart.get(key)
            return None if latest is None else latest.value
        return found

    def take(self, reading: Reading, at_ms: int) -> None:
        """Take in a sample; a field keeps its value until a newer one of itself comes."""
        values = reading.values
        if at_ms >= self.at_ms and not self.apart and not reading.flags and values.keys() == self.values.keys():
            self.values, self.at_ms, self.quality = values, at_ms, int(reading.quality)
            return
        fields = self.fields()
        for key, value in values.items():
            before = fields.get(key)
            if before is None or at_ms >= before.at_ms:
                fields[key] = Latest(value, at_ms, int(reading.quality_of(key)))
        if at_ms >= self.at_ms:
            self.at_ms, self.quality = at_ms, int(reading.quality)
        newest = (self.at_ms, self.quality)
        self.values = {key: latest.value for key, latest in fields.items() if latest[1:] == newest}
        self.apart = {key: latest for key, latest in fields.items() if latest[1:] != newest}

    def fields(self) -> dict[str, Latest]:
        """Return the newest value of each field."""
        found = {key: Latest(value, self.at_ms, self.quality) for key, value in self.values.items()}
        found.update(self.apart)
        return found


class _SavedRow(msgspec.Struct, array_like=True):
    values: dict[str, Value]
    at_ms: int
    quality: int
    apart: dict[str, Latest] = {}


def saved_row(row: object) -> _SavedRow:
    """Return a row as it is saved and told; for encoders, which know no rows."""
    if not isinstance(row, Row):
        raise TypeError(f"{type(row).__name__} is neither saved nor told")
    return _SavedRow(row.told(), row.at_ms, row.quality, row.apart)


def loaded_row(_kind: type, saved: object) -> Row:
    """Return a row as it was saved; for decoders, to which a row is all that a device holds and they do not know."""
    row = msgspec.convert(saved, _SavedRow)
    return Row(row.values, row.at_ms, row.quality, row.apart)
