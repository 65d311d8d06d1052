"""Keeping in an interpreter of its own, so that playing at full speed has a core for itself.

Batches are gathered in two rooms of memory that both see, by turns: one is filled while the other is written. Through a
socket it is told of each and answers with what is kept by now, or with why it cannot be. It ends with whoever plays,
however that one ends, and knows no kinds: the store's tables must be there.
"""

import mmap
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from itertools import accumulate
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from devices.catalog import Catalog
from devices.readings import Reading
from ingest import runtime
from ingest.errors import IngestError, ReplayError
from ingest.places import Places
from ingest.records import Packed
from ingest.replay.keeping import Keeper, Kept, OwnKeeper, Part
from ingest.store.sqlite import SqliteStore
from ingest.store.usual import UsualReadings

# How a pickle begins, and no pair in MessagePack.
_PICKLED = b"\x80"
_ROOMS = 2


class _Sent(Reading, gc=False):
    """A reading whose values are as they were, whatever their types."""

    values: dict[str, Any]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[Packed], list[_Sent], list[UsualReadings]]).decode


class Filled(NamedTuple):
    """A batch in one of the rooms: how long each of its parts is, one behind the other from the begin."""

    room: int
    lengths: list[int]


class Apart(Keeper[Filled]):
    """Lets a process of its own write them."""

    # What is packed takes little room.
    most = 200_000

    def __init__(self, places: Places, store: SqliteStore) -> None:
        """Begin; the store is left to it with its tables made."""
        self._store = store
        with closing(store):
            store.write([], 0)
        self._folder = places.data
        self._gathering = Filled(0, [])
        self._kept = Kept()
        with ExitStack() as begun:
            memories = [os.memfd_create(f"citydeck batch {number}") for number in range(_ROOMS)]
            self._rooms = [begun.enter_context(os.fdopen(memory, "wb")) for memory in memories]
            self._connection, theirs = Pipe()
            begun.enter_context(self._connection)
            with theirs:
                handed = [theirs.fileno(), *memories]
                command = [sys.executable, "-m", "ingest.replay.apart", str(places.data), *map(str, handed)]
                # In a session of its own: what ends whoever plays from the keyboard must not end it before.
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, pass_fds=handed, start_new_session=True
                )
            begun.pop_all()

    @property
    def pid(self) -> int:
        """Return the number of its process."""
        return self._process.pid

    def gather(self, part: Part) -> int:
        """See :meth:`Keeper.gather`."""
        # At once: what was just made lies near, and packed it takes a fourth of the room.
        packed = _packed(part)
        try:
            self._rooms[self._gathering.room].write(packed)
        except OSError as error:
            raise self._no_room(error) from error
        self._gathering.lengths.append(len(packed))
        return len(packed)

    def gathered(self) -> Filled:
        """See :meth:`Keeper.gathered`."""
        batch = self._gathering
        room = self._rooms[batch.room]
        try:
            room.seek(0)
        except OSError as error:
            raise self._no_room(error) from error
        self._gathering = Filled((batch.room + 1) % _ROOMS, [])
        return batch

    def keep(self, batch: Filled) -> Kept:
        """See :meth:`Keeper.keep`."""
        try:
            # The other process knows this module by another name.
            self._connection.send(tuple(batch))
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if isinstance(answer, IngestError):
            raise answer
        self._kept = answer
        return self._kept

    def finish(self) -> None:
        """See :meth:`Keeper.finish`."""
        with closing(self._store) as store:
            store.index()

    def close(self) -> None:
        """See :meth:`Keeper.close`."""
        self._connection.close()
        self._process.wait()
        for room in self._rooms:
            # What could not be written to it was told already.
            with suppress(OSError):
                room.close()

    def _no_room(self, error: OSError) -> ReplayError:
        return ReplayError(f"{self._folder}: there is no memory for what is to be written: {error.strerror}")

    def _ended(self) -> ReplayError:
        code = self._process.wait()
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return ReplayError(
            f"{self._folder}: the process that writes journal and store ended {how}; "
            f"they are whole up to position {self._kept.position}"
        )


def _packed(part: Part) -> bytes:
    try:
        return _encode(part)
    except (OverflowError, UnicodeEncodeError):
        # The store says of each such reading why it cannot hold it.
        return pickle.dumps(part)


def _parts(room: int, lengths: Sequence[int]) -> list[Part]:
    """Return the parts of a batch."""
    if not lengths:
        return []
    with mmap.mmap(room, sum(lengths), prot=mmap.PROT_READ) as mapped, memoryview(mapped) as whole:
        ends = list(accumulate(lengths))
        return [_unpacked(whole[end - length : end]) for end, length in zip(ends, lengths, strict=True)]


def _unpacked(packed: memoryview) -> Part:
    with packed:
        return pickle.loads(packed) if packed[:1] == _PICKLED else Part(*_decode(packed))


def main(connection: Connection, rooms: Sequence[int], folder: Path) -> None:
    """Keep what comes, until nobody is there any more, or a batch cannot be kept."""
    places = Places(folder)
    keeper = OwnKeeper(places, SqliteStore(places.readings, Catalog({}), durable=False, indexed=False))
    with closing(keeper), suppress(EOFError, ConnectionError):
        while True:
            room, lengths = connection.recv()
            try:
                connection.send(keeper.keep(_parts(rooms[room], lengths)))
            except IngestError as error:
                connection.send(error)
                break


if __name__ == "__main__":
    # A stop is told to whoever plays; this ends once all they gave is kept.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    runtime.settle()
    data, handle, *fds = sys.argv[1:]
    main(Connection(int(handle)), list(map(int, fds)), Path(data))
