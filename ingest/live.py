"""Live topics: what changed, told to every cockpit at once (alarms) or once a second (values).

They are hints: an alarm message names the occurrence and its version, and the cockpit reads the row; values carry
shard, boot id, sequence number and an HMAC with the site secret. After a gap or a start a cockpit asks for a snapshot.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from devices.catalog import Catalog
from ingest.alarms.engine import DeviceState, Engine
from ingest.decoding import Outcome

ROOT = "citydeck/v1/live"
ASK = f"{ROOT}/ask"
# A broker may carry 1 MiB a message, and a device with every field and long texts takes 4 kB.
_PIECE_BYTES = 256 * 1024
_MAC_BYTES = 64

Publish = Callable[[str, bytes, int], None]


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
    """What one collector tells the cockpits."""

    def __init__(self, engine: Engine, catalog: Catalog, shard: str, secret: bytes, publish: Publish) -> None:
        self._engine = engine
        self._shard = shard
        self._secret = secret
        self._publish = publish
        self._boot = secrets.token_hex(8)
        self._seq = 0
        self._changed: set[str] = set()
        self._online: dict[str, bool] = {}
        self._passages: list[dict[str, Any]] = []
        self._passage_names = {m.key: m.passage for _, m in catalog.measurements.values() if m.passage}

    def heard(self, outcomes: Iterable[Outcome]) -> None:
        """Note which devices said something, and the passages among it."""
        for outcome in outcomes:
            for reading in outcome.readings:
                self._changed.add(reading.device)
                if reading.measurement in self._passage_names and not reading.history:
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

    def second(self, ledger: Mapping[str, Any]) -> None:
        """Tell what changed in the last second, and the ledger."""
        for device in self._engine.changed | self._changed:
            state = self._engine.devices.get(device)
            if state is not None and self._online.get(device) != state.online:
                self._online[device] = state.online
                self._changed.add(device)
        changed, self._changed = sorted(self._changed), set()
        passages, self._passages = self._passages[-200:], []
        for piece in self._pieces(changed):
            self._send("values", {"devices": piece})
        self._send("ledger", {"ledger": ledger, "passages": passages})

    def snapshot(self) -> None:
        """Tell everything known, in pieces a small broker can carry."""
        known = sorted(self._engine.devices)
        for piece in self._pieces(known):
            self._send("values", {"devices": piece})
        self._send("snapshot_end", {"devices_total": len(known)})

    def _pieces(self, names: Iterable[str]) -> Iterator[dict[str, msgspec.Raw]]:
        piece: dict[str, msgspec.Raw] = {}
        size = 0
        for name in names:
            state = self._engine.devices.get(name)
            if state is None:
                continue
            body = msgspec.json.encode(_device(state))
            if size + len(body) > _PIECE_BYTES:
                yield piece
                piece, size = {}, 0
            piece[name] = msgspec.Raw(body)
            size += len(body) + len(name)
        yield piece

    def _send(self, topic: str, document: dict[str, Any]) -> None:
        self._seq += 1
        head = {"shard": self._shard, "boot": self._boot, "seq": self._seq, "now": self._engine.now_ms}
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
        "latest": {key: [latest.value, latest.at_ms, latest.quality] for key, latest in state.latest.items()},
    }
