"""What the engine remembers: of every device, and of the instant and the record it stands at."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from devices.kind import Priority, Value
from devices.readings import Quality, Reading
from devices.shapes import Sample, Shape
from ingest.alarms.conditions import Condition
from ingest.alarms.transitions import Suppression, Transition, What

# No device id has a colon in it.
GROUP_PREFIXES = ("circuit:", "street:")


class Latest(NamedTuple):
    """The newest value of a field, its device time and quality."""

    value: Value
    at_ms: int
    quality: int


class Row:
    """The newest values of one measurement of a device.

    ``values`` are those of its newest sample, ``apart`` the fields that come from others or have their own quality.
    ``shape`` is that of the newest sample where it was a usual one, the device is calm and nothing stands apart, else
    None; of such a row all is good, and as long as nobody asks for its values only their ``sample`` is kept.
    """

    __slots__ = ("_values", "apart", "at_ms", "quality", "sample", "shape")

    def __init__(
        self, values: dict[str, Value], at_ms: int, quality: int, apart: dict[str, Latest] | None = None
    ) -> None:
        self._values = values
        self.at_ms = at_ms
        self.quality = quality
        self.apart: dict[str, Latest] = {} if apart is None else apart
        self.shape: Shape | None = None
        self.sample: Sample | None = None

    @property
    def values(self) -> dict[str, Value]:
        """Return the values by field."""
        if self.sample is not None and self.shape is not None:
            self._values, self.sample = self.shape.values(self.sample), None
        return self._values

    @values.setter
    def values(self, values: dict[str, Value]) -> None:
        self._values, self.sample, self.shape = values, None, None

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


def _loaded_row(_kind: type, saved: object) -> Row:
    # A row is all that a device holds and decoders do not know.
    row = msgspec.convert(saved, _SavedRow)
    return Row(row.values, row.at_ms, row.quality, row.apart)


class Bound(msgspec.Struct, array_like=True):
    """An open alarm whose rule was changed: it stays with the rules of ``revision``.

    ``successor`` is the memory of the rule as it is now; it takes over when it says worse, or when the old one returns.
    """

    revision: int
    successor: Condition | None = None


class DeviceState(msgspec.Struct, array_like=True):
    """What the engine remembers of one device; saved with the checkpoint.

    ``back_ms`` is when it last came back after being away, ``folded`` whether its silence stands under that of a device
    it hangs on; ``seq`` is its newest number, ``missed`` how many it skipped since ``told_ms``, ``ahead`` whether its
    clock was ahead in its last message. ``windows`` are the numbers its signals keep, ``dates`` the level of each date
    that is near or past; ``bound`` the rules whose open alarms stay with an older revision, ``bad`` what is
    of bad quality now (``measurement/field``, without a field all of it).
    """

    kind: str
    district: str
    seen_ms: int = 0
    armed_ms: int = 0
    online: bool = False
    silent: bool = False
    rows: dict[str, Row] = {}
    conditions: dict[str, Condition] = {}
    back_ms: int = 0
    folded: bool = False
    seq: int | None = None
    missed: int = 0
    told_ms: int = 0
    ahead: bool = False
    windows: dict[str, list[float]] = {}
    dates: dict[str, int] = {}
    bound: dict[str, Bound] = {}
    bad: list[str] = []

    @property
    def calm(self) -> bool:
        """Whether it is heard and nothing of it is or may become an alarm."""
        return self.online and not (self.conditions or self.silent or self.ahead or self.bad)

    def settle(self) -> None:
        """See to it that what comes next is looked at closely, unless the device is calm."""
        if not self.calm:
            for row in self.rows.values():
                if row.shape is not None:
                    row.values = row.values

    def latest(self) -> dict[str, Latest]:
        """Return the newest value of every field, whichever measurement brought it."""
        found: dict[str, Latest] = {}
        for row in self.rows.values():
            for key, latest in row.fields().items():
                before = found.get(key)
                if before is None or latest.at_ms >= before.at_ms:
                    found[key] = latest
        return found

    def known(self, key: str) -> float | None:
        """Return a number that was sent of a field; a field stands in one measurement of a kind, as a rule."""
        for row in self.rows.values():
            value = row.value(key)
            if value is not None:
                return value if isinstance(value, float) else None
        return None

    def newest(self, key: str) -> Latest | None:
        """Return the newest value of one field."""
        return self.latest().get(key)


class GroupState(msgspec.Struct, array_like=True):
    """What the engine remembers of a circuit or street: its conditions, and who stands under which alarm since when.

    ``members`` maps a rule of single devices to those under it and the instant; ``open`` holds the group rules that
    stand over them; ``bound`` those whose open alarms stay with an older revision.
    """

    kind: str
    conditions: dict[str, Condition] = {}
    members: dict[str, dict[str, int]] = {}
    open: list[str] = []
    bound: dict[str, Bound] = {}


_encode = msgspec.msgpack.Encoder(enc_hook=saved_row).encode
loaded: Callable[[bytes], DeviceState] = msgspec.msgpack.Decoder(DeviceState, dec_hook=_loaded_row).decode
"""Read a device as a checkpoint keeps it."""


class Memory:
    """Devices and groups, which of them changed since they were last saved, and where in the journal the engine is."""

    def __init__(self) -> None:
        self.devices: dict[str, DeviceState] = {}
        self.groups: dict[str, GroupState] = {}
        self.changed: set[str] = set()
        self.now_ms = 0
        self.listening_ms = 0
        # The record at hand, and how many transitions it has brought so far.
        self.position = 0
        self.ordinal = 0

    def encoded(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return devices and groups as a checkpoint keeps them."""
        return {name: _encode(self.groups[name] if name in self.groups else self.devices[name]) for name in names}

    def restore(self, saved: Mapping[str, bytes]) -> None:
        """Take over what a checkpoint kept."""
        for name, state in saved.items():
            if name.startswith(GROUP_PREFIXES):
                self.groups[name] = msgspec.msgpack.decode(state, type=GroupState)
            else:
                self.devices[name] = loaded(state)

    def position_of(self, device: str) -> tuple[float, float] | None:
        """Return where a device was last that may be trusted: latitude and longitude."""
        state = self.devices.get(device)
        if state is None:
            return None
        lat, lon = (state.newest(key) for key in ("lat", "lon"))
        if lat is None or lon is None or Quality.BAD in (lat.quality, lon.quality):
            return None
        return (lat.value, lon.value) if isinstance(lat.value, float) and isinstance(lon.value, float) else None

    def transition(
        self,
        what: What,
        device: str,
        state: DeviceState | GroupState,
        point: str,
        rule_id: str = "",
        version: str = "",
        level: int = 0,
        priority: Priority | str = "",
        *,
        at_ms: int | None = None,
        field: str = "",
        value: float | None = None,
        unit: str = "1",
        latch: bool = False,
        quality: str = "good",
        suppression: Suppression = "none",
        cause: str = "",
        who: str = "",
    ) -> Transition:
        """Return a transition that happens now."""
        self.ordinal += 1
        return Transition(
            what, self.position, self.ordinal, point, device, state.kind, rule_id, version, level, priority,
            self.now_ms if at_ms is None else at_ms, self.now_ms, field, value, unit, latch, quality,
            suppression, cause, who,
        )  # fmt: skip
