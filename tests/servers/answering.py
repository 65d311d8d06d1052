"""A server on a port of its own that answers every request alike, or as a test says."""

import http.server
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.servers.ports import free_port


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers every request with what the server says."""

    lines = 0
    """How many lines the request brought."""

    def _answer(self) -> None:
        self.lines = len(self.rfile.read(int(self.headers.get("Content-Length", 0))).splitlines())
        status, body = self.server.answer(self)  # type: ignore[attr-defined]
        # Who was kept waiting for too long is gone by now.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_POST = _answer

    def log_message(self, *_: object) -> None:
        pass


class _Server(socketserver.ThreadingTCPServer):
    # Connections that a server of before ended linger on their port for a minute.
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def answering(answer: Callable[[Any], tuple[int, bytes]]) -> Iterator[str]:
    """Serve one answer on a port of its own and give the address."""
    server = _Server(("127.0.0.1", free_port()), Answering)
    server.answer = answer  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
