"""A wire between two parties: it can be cut, or go silent while both still believe in it."""

import socket
import threading
from contextlib import suppress

from tests.servers.ports import free_port

_CHUNK = 65_536


class Wire:
    """A TCP relay on a port of its own to another one on this machine."""

    def __init__(self, to_port: int) -> None:
        self.port = free_port()
        self._to_port = to_port
        self._whole = threading.Event()
        self._whole.set()
        self._is_cut = False
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self._thread = threading.Thread(target=self._accept, name="wire", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break every connection, and every new one, until mended."""
        self._is_cut = True
        self._drop()

    def silence(self) -> None:
        """Carry nothing, in neither direction; connections stay open and new ones are taken."""
        self._whole.clear()

    def mend(self, dropping: bool = False) -> None:
        """Carry again; after a silence what was held goes on, or is lost with its connection."""
        if dropping:
            self._drop()
        self._is_cut = False
        self._whole.set()

    def close(self) -> None:
        """Break everything and listen no more."""
        self._is_cut = True
        self._whole.set()
        # A thread that waits in accept() is not woken by close() alone.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._drop()
        self._thread.join()

    def _drop(self) -> None:
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            _shut(end)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to_port), timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                self._ends |= {near, far}
            if self._is_cut:
                self._drop()
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), name="wire", daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while chunk := one.recv(_CHUNK):
                self._whole.wait()
                other.sendall(chunk)
        for end in (one, other):
            _shut(end)
        with self._lock:
            self._ends -= {one, other}


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
