"""The newest usual message of each calm device, as columns: nearly every message comes to no more than that.

A device that is heard and of which nothing is or may become an alarm is *bound* to its place as long as its messages
have the shape of its row. What stands in a column is then newer than what its state and its row hold; whoever wants to
know asks for the state (:meth:`ingest.alarms.memory.Memory.device`), which is written back before.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from devices.lanes import Lanes
from devices.shapes import Sample, Shape
from ingest.lanewise import Instants, Mask
from ingest.sheets import Sheet

if TYPE_CHECKING:
    from ingest.alarms.memory import DeviceState
    from ingest.alarms.rows import Row

# What stands for no number of a device: none of its numbers is the next.
_NO_SEQ = -2


class Calm:
    """Calm devices of one channel of a kind, by their places in its lanes.

    Attributes:
        shapes: the number of the shape that a message must have to be only kept; 0 where none is.
        at_ms: the instant of the newest message.
    """

    __slots__ = (
        "_changed", "_dirty", "_rows", "_seen_ms", "_seqs", "_states", "_values", "at_ms", "lanes", "shapes",
    )  # fmt: skip

    def __init__(self, lanes: Lanes, width: int) -> None:
        self.lanes = lanes
        self._states: list[DeviceState | None] = []
        self._rows: list[Row | None] = []
        self.shapes: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.at_ms: Instants = np.zeros(0, dtype=np.int64)
        self._seen_ms: Instants = np.zeros(0, dtype=np.int64)
        self._seqs: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._dirty: Mask = np.zeros(0, dtype=np.bool_)
        self._changed: Mask = np.zeros(0, dtype=np.bool_)
        self._values: NDArray[np.float64] = np.zeros((0, width))

    def grow(self) -> None:
        """Have a place for every device of the lanes."""
        more = len(self.lanes) - len(self.shapes)
        if more <= 0:
            return
        # A fourth beyond: places come one by one.
        more += len(self.shapes) // 4
        for name in ("shapes", "at_ms", "_seen_ms", "_seqs", "_dirty", "_changed", "_values"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros((more, *column.shape[1:]), dtype=column.dtype)]))
        self._states += [None] * more
        self._rows += [None] * more

    def bind(self, place: int, state: "DeviceState", row: "Row", shape: Shape) -> None:
        """Keep what comes of a device here from now on; nothing that stands here yet is newer than its state."""
        self._states[place], self._rows[place] = state, row
        self.shapes[place], self.at_ms[place] = shape.number, row.at_ms
        self.renumber(place)

    def drop(self, place: int) -> None:
        """Let what comes next of a device be looked at closely."""
        self.release(place)
        self.shapes[place] = 0
        self._states[place] = self._rows[place] = None

    def renumber(self, place: int) -> None:
        """Note which number of a device comes next by its state."""
        state = self._states[place]
        assert state is not None
        self._seqs[place] = _NO_SEQ if state.seq is None or state.missed else state.seq

    def release(self, place: int) -> None:
        """Write back what stands here of a device."""
        if not self._dirty[place]:
            return
        self._dirty[place] = False
        state, row = self._states[place], self._rows[place]
        assert state is not None
        assert row is not None
        state.seen_ms = int(self._seen_ms[place])
        seq = int(self._seqs[place])
        if seq != _NO_SEQ:
            state.seq = seq
        row.at_ms, row.sample = int(self.at_ms[place]), self._values[place].tobytes()

    def release_all(self) -> None:
        """Write back all."""
        for place in np.flatnonzero(self._dirty).tolist():
            self.release(place)

    def changes(self) -> list[str]:
        """Return the devices of which something was kept since the last call."""
        places = np.flatnonzero(self._changed).tolist()
        self._changed[places] = False
        return [self.lanes.devices[place] for place in places]

    def take(self, place: int, at_ms: int, seq: int, received_ms: int, sample: Sample) -> bool:
        """Keep one message of a device that is bound; tell whether its number was the next."""
        state, row = self._states[place], self._rows[place]
        assert state is not None
        assert row is not None
        # Of what stands here only the number need be written back: all else is newer now.
        self._dirty[place] = False
        self._changed[place] = True
        row.sample, row.at_ms, state.seen_ms = sample, at_ms, received_ms
        self.at_ms[place] = at_ms
        before = int(self._seqs[place])
        if before == seq - 1:
            self._seqs[place] = state.seq = seq
            return True
        if before != _NO_SEQ:
            state.seq = before
        return False

    def state(self, place: int) -> "DeviceState":
        """Return the state of a device that is bound; what stands here of it is not written back."""
        state = self._states[place]
        assert state is not None
        return state

    def keep(self, sheet: Sheet, rows: slice) -> None:
        """Keep rows of a sheet, each of a device that is bound and next in every respect."""
        places = sheet.places[rows]
        self.at_ms[places] = sheet.at_ms[rows]
        self._seqs[places] = sheet.seqs[rows]
        self._seen_ms[places] = sheet.received_ms[rows]
        self._values[places] = sheet.values[rows]
        self._dirty[places] = True
        self._changed[places] = True

    def next_of(self, sheet: Sheet, rows: slice, shapes: NDArray[np.int64]) -> Mask:
        """Tell which rows of a sheet are only to be kept: of ``shapes``, and next in every respect.

        Where one of a device is not, the others of it are not, either.
        """
        at_ms, seqs = sheet.at_ms[rows], sheet.seqs[rows]
        lanewise = sheet.lanewise.of(rows)
        good = shapes[rows] == self.shapes[lanewise.places]
        good &= at_ms >= lanewise.before(self.at_ms, at_ms)
        good &= seqs == lanewise.before(self._seqs, seqs) + 1
        return lanewise.all_of(good)
