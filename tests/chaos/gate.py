"""A gate before a real InfluxDB: it lets requests pass, or answers them the way a database in trouble does."""

import http.client
import http.server
import threading
from contextlib import suppress
from typing import Literal
from urllib.parse import urlsplit

from tests.servers.ports import free_port

Mood = Literal["open", "500", "401", "hanging", "unanswered"]
_WORDS = {"500": (500, b'{"error":"engine: cache-max-memory-size exceeded"}'), "401": (401, b'{"error":"no token"}')}


class Gate:
    """An HTTP relay whose ``mood`` may be changed at any time.

    ``hanging`` keeps requests until the mood changes and then drops them unread; ``unanswered`` lets the database have
    them and drops the connection instead of its answer, so that the collector cannot know.
    """

    def __init__(self, to_url: str) -> None:
        self._to = urlsplit(to_url).netloc
        self.mood: Mood = "open"
        self.turned_away = 0
        self._changed = threading.Condition()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), _Relay)
        self._server.daemon_threads = True
        self._server.gate = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="gate", daemon=True)
        self._thread.start()

    def become(self, mood: Mood) -> None:
        """Change the mood; requests that hang are dropped."""
        with self._changed:
            self.mood = mood
            self._changed.notify_all()

    def close(self) -> None:
        """Listen no more."""
        self.become("open")
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes] | None:
        """Return status and body of an answer, or None for a connection that ends without one."""
        with self._changed:
            mood = self.mood
            if mood != "open":
                self.turned_away += 1
            if mood == "hanging":
                self._changed.wait_for(lambda: self.mood != "hanging")
                return None
        if mood in _WORDS:
            return _WORDS[mood]
        passed = self._passed(method, path, headers, body)
        return None if mood == "unanswered" else passed

    def _passed(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes] | None:
        connection = http.client.HTTPConnection(self._to, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


class _Relay(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one segment: in two, the second would wait for the other side's delayed acknowledgement.
    wbufsize = -1

    def do_POST(self) -> None:
        gate: Gate = self.server.gate  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        found = gate.answer(self.command, self.path, kept, body)
        if found is None:
            self.close_connection = True
            return
        status, text = found
        # The collector may have been killed meanwhile.
        with suppress(OSError):
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if status != 204:
                self.wfile.write(text)

    do_GET = do_POST

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Say nothing: the log belongs to the round."""
