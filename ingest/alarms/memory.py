"""What the engine remembers: of every device, and of the instant and the record it stands at."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from devices.kind import Priority
from devices.lanes import Lanes
from devices.readings import Quality
from ingest.alarms.calm import Calm
from ingest.alarms.conditions import Condition
from ingest.alarms.rows import Latest, Row, loaded_row, saved_row
from ingest.alarms.transitions import Suppression, Transition, What
from ingest.sheets import Sheet

# No device id has a colon in it.
GROUP_PREFIXES = ("circuit:", "street:")


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
                row.stir()

    def release(self) -> None:
        """Take over what stands at the places of its rows."""
        for row in self.rows.values():
            row.release()

    def renumber(self) -> None:
        """Tell the places of its rows which number is the next."""
        for row in self.rows.values():
            row.renumber()

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
loaded: Callable[[bytes], DeviceState] = msgspec.msgpack.Decoder(DeviceState, dec_hook=loaded_row).decode
"""Read a device as a checkpoint keeps it."""


class Memory:
    """Devices and groups, which of them changed since they were last saved, and where in the journal the engine is."""

    def __init__(self) -> None:
        self._devices: dict[str, DeviceState] = {}
        self._changed: set[str] = set()
        self._calm: dict[Lanes, Calm] = {}
        self.groups: dict[str, GroupState] = {}
        self.now_ms = 0
        self.listening_ms = 0
        # The record at hand, and how many transitions it has brought so far.
        self.position = 0
        self.ordinal = 0

    @property
    def devices(self) -> dict[str, DeviceState]:
        """Return all devices as they are now."""
        for calm in self._calm.values():
            calm.release_all()
        return self._devices

    def device(self, name: str) -> DeviceState | None:
        """Return one device as it is now, None of one that is not known."""
        state = self._devices.get(name)
        if state is not None:
            state.release()
        return state

    def _known(self, name: str) -> DeviceState:
        state = self._devices[name]
        state.release()
        return state

    def add(self, name: str, state: DeviceState) -> None:
        """Remember a new device."""
        self._devices[name] = state
        self._changed.add(name)

    def calm(self, sheet: Sheet) -> Calm:
        """Return where the newest messages of calm devices are kept that come in such sheets."""
        found = self._calm.get(sheet.lanes)
        if found is None:
            found = self._calm[sheet.lanes] = Calm(sheet.lanes, len(sheet.numbers))
        found.grow()
        return found

    @property
    def changed(self) -> set[str]:
        """Return which devices and groups changed since this was emptied."""
        for calm in self._calm.values():
            self._changed.update(calm.changes())
        return self._changed

    def changes(self) -> set[str]:
        """Return them, and begin anew."""
        found, self._changed = self.changed, set()
        return found

    def note(self, name: str) -> None:
        """Note that a device or group changed."""
        self._changed.add(name)

    def encoded(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return devices and groups as a checkpoint keeps them."""
        return {name: _encode(self.groups[name] if name in self.groups else self._known(name)) for name in names}

    def restore(self, saved: Mapping[str, bytes]) -> None:
        """Take over what a checkpoint kept, before anything else is remembered."""
        for name, state in saved.items():
            if name.startswith(GROUP_PREFIXES):
                self.groups[name] = msgspec.msgpack.decode(state, type=GroupState)
            else:
                self._devices[name] = loaded(state)

    def position_of(self, device: str) -> tuple[float, float] | None:
        """Return where a device was last that may be trusted: latitude and longitude."""
        state = self.device(device)
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
