"""Keeping in an interpreter of its own, so that playing at full speed has a core for itself.

It is given batches through a socket and answers each with what is kept by now, or with why it cannot be. It ends with
whoever plays, however that one ends, and knows no kinds: the store's tables must be there.
"""

import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

import msgspec

from devices.catalog import Catalog
from devices.readings import Reading
from ingest import heap
from ingest.errors import IngestError, ReplayError
from ingest.places import Places
from ingest.records import Packed
from ingest.replay.keeping import Keeper, Kept, OwnKeeper, Part
from ingest.store.sqlite import SqliteStore
from ingest.store.usual import UsualReadings

# How a pickle begins, and no pair in MessagePack.
_PICKLED = b"\x80"


class _Sent(Reading, gc=False):
    """A reading whose values are as they were, whatever their types."""

    values: dict[str, Any]


_encode = msgspec.msgpack.Encoder().encode
_parts = msgspec.msgpack.Decoder(list[memoryview]).decode
_decode = msgspec.msgpack.Decoder(tuple[list[Packed], list[_Sent], list[UsualReadings]]).decode


class Apart(Keeper[bytes]):
    """Lets a process of its own write them."""

    # What is packed takes little room.
    most = 200_000

    def __init__(self, places: Places, store: SqliteStore) -> None:
        """Begin; the store is left to it with its tables made."""
        self._store = store
        with closing(store):
            store.write([], 0)
        self._folder = places.data
        self._connection, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-m", "ingest.replay.apart", str(theirs.fileno()), str(places.data)]
            # In a session of its own: what ends whoever plays from the keyboard must not end it before.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True
            )
        self._kept = Kept()

    @property
    def pid(self) -> int:
        """Return the number of its process."""
        return self._process.pid

    def gathered(self, part: Part) -> tuple[bytes, int]:
        """See :meth:`Keeper.gathered`."""
        # At once: what was just made lies near, and packed it takes a fourth of the room.
        packed = _packed(part)
        return packed, len(packed)

    def keep(self, batch: Sequence[bytes]) -> Kept:
        """See :meth:`Keeper.keep`."""
        try:
            # In one: between two pieces whoever plays would take its turn, and the other process wait.
            self._connection.send_bytes(_encode(batch))
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


def _batch(packed: bytes) -> list[Part]:
    """Return the parts of a batch."""
    return [pickle.loads(part) if part[:1] == _PICKLED else Part(*_decode(part)) for part in _parts(packed)]


def main(connection: Connection, folder: Path) -> None:
    """Keep what comes, until nobody is there any more, or a batch cannot be kept."""
    places = Places(folder)
    keeper = OwnKeeper(places, SqliteStore(places.readings, Catalog({}), durable=False, indexed=False))
    with closing(keeper), suppress(EOFError, ConnectionError):
        while True:
            batch = _batch(connection.recv_bytes())
            try:
                connection.send(keeper.keep(batch))
            except IngestError as error:
                connection.send(error)
                break


if __name__ == "__main__":
    # A stop is told to whoever plays; this ends once all they gave is kept.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    heap.settle()
    main(Connection(int(sys.argv[1])), Path(sys.argv[2]))
