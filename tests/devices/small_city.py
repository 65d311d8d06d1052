"""What the decoding tests share: a small city, the instant they happen at, and short ways to read a message."""

import json
from pathlib import Path

import pytest

from devices import Undecodable
from devices.decode import decode
from devices.readings import Decoded, Reading
from devices.site_file import load_site

SITE_FILE = Path(__file__).with_name("small_city.toml")
TOYS = Path(__file__).with_name("toys")
SITE = load_site(SITE_FILE)

SENT_MS = 1_767_225_600_123  # 2026-01-01 08:00:00.123 +08:00
NOW_MS = SENT_MS + 1_000
GAS = "city/v1/demo/gas_alarm/gas-0042/telemetry"


def read(topic: str, payload: bytes | str, now_ms: int = NOW_MS) -> Decoded:
    return decode(topic, payload.encode() if isinstance(payload, str) else payload, now_ms, 1, SITE)


def readings(decoded: Decoded) -> list[Reading]:
    return [reading for _, found in decoded.parts for reading in found]


def only(decoded: Decoded) -> Reading:
    """Return the one reading of a message that was read without a fault."""
    (reading,) = readings(decoded)
    assert decoded.faults == ()
    return reading


def envelope(data: object, **keys: object) -> str:
    return json.dumps({"v": 1, "ts": SENT_MS, **keys, "data": data})


def refusal(topic: str, payload: bytes | str) -> tuple[str, str]:
    """Return the reason and the sentence with which a message is refused."""
    with pytest.raises(Undecodable) as refused:
        read(topic, payload)
    return refused.value.reason, str(refused.value)
