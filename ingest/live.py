"""Live topics: what changed, told to every cockpit at once (alarms) or once a second (values).

They are hints: an alarm message names the occurrence and its version, and the cockpit reads the row; values carry
shard, boot id, sequence number and an HMAC with the site secret. After a gap or a start a cockpit asks for a snapshot.
"""

import hmac
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from devices.catalog import Catalog
from devices.readings import Reading
from ingest.alarms.engine import Engine
from ingest.alarms.memory import DeviceState
from ingest.alarms.own_kind import KIND as OWN_KIND
from ingest.alarms.rows import saved_row

ROOT = "citydeck/v1/live"
ASK = f"{ROOT}/ask"
# A broker may carry 1 MiB a message, and a device with every field and long texts takes 4 kB. Whoever judges alarms
# makes the pieces between two looks at the journal: one must not take long.
_PIECE_BYTES, _PIECE_DEVICES = 256 * 1024, 200
_MAC_BYTES = 64
_PASSAGES = 200

Publish = Callable[[str, bytes, int], None]
_encode = msgspec.json.Encoder(enc_hook=saved_row).encode


def sealed(document: Mapping[str, Any], secret: bytes) -> bytes:
    """Return a document as JSON behind its HMAC."""
    body = msgspec.json.encode(document)
    return hmac.new(secret, body, sha256).hexdigest().encode() + body


def unsealed(payload: bytes, secret: bytes) -> dict[str, Any] | None:
    """Return the document of a sealed message, or None when it was not sealed with this secret."""
    mac, body = payload[:_MAC_BYTES], payload[_MAC_BYTES:]
    if not hmac.compare_digest(hmac.new(secret, body, sha256).hexdigest().encode(), mac):
        return None
    found = msgspec.json.decode(body)
    return found if isinstance(found, dict) else None


class Live:
    """What one collector tells the cockpits: alarms at once, all else in pieces, one with each ``go_on``."""

    def __init__(self, engine: Engine, catalog: Catalog, shard: str, secret: bytes, publish: Publish) -> None:
        self._memory = engine.memory
        self._shard = shard
        self._secret = secret
        self._publish = publish
        self._boot = secrets.token_hex(8)
        self._seq = 0
        self._begun: deque[Iterator[None]] = deque()
        self._passages: list[dict[str, Any]] = []
        self._passage_names = frozenset(m.key for _, m in catalog.measurements.values() if m.passage)

    def heard(self, readings: Iterable[Reading]) -> None:
        """Note the passages among what was heard; which devices changed, the engine's memory knows."""
        names = self._passage_names
        # It may take long until they are told, and only the newest are.
        del self._passages[:-_PASSAGES]
        for reading in [reading for reading in readings if reading.measurement in names]:
            if not reading.history:
                self._passages.append(
                    {
                        "device": reading.device,
                        "kind": reading.kind,
                        "measurement": reading.measurement,
                        "at": reading.at_ns // 1_000_000,
                        "values": reading.values,
                        "quality": reading.quality.word,
                    }
                )

    def alarms(self, touched: Iterable[tuple[str, int]]) -> None:
        """Tell at once which occurrences changed."""
        items = [{"id": identifier, "version": version} for identifier, version in touched]
        if items:
            self._send("alarm", {"items": items})

    def second(self, changed: Iterable[str], ledger: Mapping[str, Any]) -> None:
        """Begin to tell how the devices that changed are by now, and the ledger."""
        passages, self._passages = self._passages[-_PASSAGES:], []
        self._begun.append(self._told(changed, "ledger", {"ledger": ledger, "passages": passages}))

    def snapshot(self) -> None:
        """Begin to tell everything known, in pieces a small broker can carry."""
        known = sorted(name for name, state in self._memory.devices.items() if state.kind != OWN_KIND)
        self._begun.append(self._told(known, "snapshot_end", {"devices_total": len(known)}))

    @property
    def busy(self) -> bool:
        """Whether something that was begun is not told to its end."""
        return bool(self._begun)

    def go_on(self) -> None:
        """Tell the next piece of what was begun."""
        if self._begun and next(self._begun[0], self) is self:
            self._begun.popleft()

    def finish(self) -> None:
        """Tell all that was begun."""
        while self.busy:
            self.go_on()

    def _told(self, names: Iterable[str], end: str, last: dict[str, Any]) -> Iterator[None]:
        for piece in self._pieces(names):
            self._send("values", {"devices": piece})
            yield
        self._send(end, last)

    def metrics(self, text: str, now_ms: int) -> None:
        """Tell the collector's metrics; without a number of the sequence, for another comes in a moment.

        May be called by any thread, so that they are told while the pipeline waits too.
        """
        document = {"shard": self._shard, "boot": self._boot, "now": now_ms, "metrics": text}
        self._publish(f"{ROOT}/{self._shard}/metrics", sealed(document, self._secret), 0)

    def _pieces(self, names: Iterable[str]) -> Iterator[dict[str, msgspec.Raw]]:
        piece: dict[str, msgspec.Raw] = {}
        size = 0
        for name in names:
            state = self._memory.device(name)
            if state is None or state.kind == OWN_KIND:
                continue
            body = _encode(_device(state))
            if size + len(body) > _PIECE_BYTES or len(piece) == _PIECE_DEVICES:
                yield piece
                piece, size = {}, 0
            piece[name] = msgspec.Raw(body)
            size += len(body) + len(name)
        yield piece

    def _send(self, topic: str, document: dict[str, Any]) -> None:
        self._seq += 1
        head = {"shard": self._shard, "boot": self._boot, "seq": self._seq, "now": self._memory.now_ms}
        self._publish(
            f"{ROOT}/{self._shard}/{topic}", sealed({**head, **document}, self._secret), 1 if topic == "alarm" else 0
        )


def _device(state: DeviceState) -> dict[str, Any]:
    return {
        "kind": state.kind,
        "district": state.district,
        "online": state.online,
        "silent": state.silent,
        "seen": state.seen_ms,
        "rows": state.rows,
    }
