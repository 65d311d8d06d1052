"""A receiver of notices as a city's gateway would be: it can be slow, broken or away."""

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """An HTTP server that keeps what it takes; ``answer`` is the status it gives.

    ``hold`` lets it take nothing, ``mute`` lets it take and not answer.
    """

    def __init__(self, port: int = 0) -> None:
        self.answer = 200
        self.hold = threading.Event()
        self.hold.set()
        self.mute = threading.Event()
        self.mute.set()
        self.messages: list[dict[str, Any]] = []
        self.tried = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.tried += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.hold.wait(30)
                if receiver.answer == 200:
                    receiver.messages.append(json.loads(body))
                receiver.mute.wait(30)
                with suppress(OSError):
                    self.send_response(receiver.answer)
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.port}/"

    def keys(self) -> list[str]:
        """Return the number that each message carries."""
        return [message["message"].rsplit("编号 ", 1)[1] for message in self.messages]

    def close(self) -> None:
        self.hold.set()
        self.mute.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
