"""Pseudonyms: a name becomes a keyed hash whose key nobody keeps; it is the same all through one file."""

import hmac
from hashlib import sha256
from typing import Any

import msgspec

from devices.errors import Undecodable
from devices.formats import hj212
from devices.site import Site

# Names of vehicles, bins, passages, flights and pictures; a device's own name is known from the site and the topic.
_NAMES = frozenset({"plate", "plate_hash", "bin_rfid", "pass_id", "lift_id", "mission_id", "finding_id", "picture"})
# What a status says in plain words; no name is in them.
_STATUSES = frozenset({b"online", b"offline"})
_ABOUT = frozenset({"device", "device_id", "gateway", "sn", "device_sn", "child_sn", "id", "tid", "bid"})


class Pseudonyms:
    """Replaces names in topics and payloads; ``left_out`` counts messages that could not be understood."""

    def __init__(self, site: Site, secret: bytes) -> None:
        """Know the names of a site's devices."""
        self._secret = secret
        self._known = {*site.devices, *site.by_foreign}
        self.left_out = 0

    def of(self, topic: str, payload: bytes) -> tuple[str, bytes] | None:
        """Return a message under pseudonyms, or None when it cannot be told what in it is a name."""
        levels = topic.split("/")
        if topic.startswith("city/v1/") and len(levels) == 6:
            self._known.add(levels[4])
        elif topic.startswith("hj212/") and len(levels) == 3:
            self._known.add(levels[1])
        elif topic.startswith(("thing/product/", "sys/product/")) and len(levels) > 2:
            self._known.add(levels[2])
        if payload.strip().strip(b'"').lower() in _STATUSES:
            body: bytes | None = payload
        else:
            body = self._frame(payload) if hj212.owns(topic) else self._json(payload)
        if body is None:
            self.left_out += 1
            return None
        return "/".join(self._name(level) if level in self._known else level for level in levels), body

    def _json(self, payload: bytes) -> bytes | None:
        try:
            return msgspec.json.encode(self._walked(msgspec.json.decode(payload), ""))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def _walked(self, found: Any, key: str) -> Any:
        if isinstance(found, dict):
            return {self._key(name): self._walked(value, name) for name, value in found.items()}
        if isinstance(found, list):
            return [self._walked(value, key) for value in found]
        if key in _NAMES | _ABOUT and isinstance(found, str | int) and not isinstance(found, bool):
            return self._name(str(found))
        return self._name(found) if isinstance(found, str) and found in self._known else found

    def _key(self, name: str) -> str:
        return self._name(name) if name in self._known else name

    def _frame(self, payload: bytes) -> bytes | None:
        try:
            text = hj212.unframed(payload).decode("ascii", "replace")
        except Undecodable:
            return None
        parts = [self._setting(part) for part in text.removesuffix("&&").split(";")]
        return hj212.framed((";".join(parts) + "&&").encode())

    def _setting(self, part: str) -> str:
        key, equals, value = part.partition("=")
        if key == "PW":
            return "PW=******"
        return f"{key}{equals}{self._name(value)}" if key == "MN" else part

    def _name(self, name: str) -> str:
        if not name:
            return name
        return f"p-{hmac.new(self._secret, name.encode(), sha256).hexdigest()[:20]}"
