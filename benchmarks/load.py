"""The load: native light-pole telemetry of exactly 120 bytes, as MQTT 3.1.1 PUBLISH packets with QoS 1.

All packets of a fleet have the same length, so that a batch is one numpy table with a few columns written over.
"""

import struct
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

DISTRICT = "bench"
KIND = "light_pole"
PAYLOAD_BYTES = 120
MOST_DEVICES = 100_000
# Seven digits from the first message on: a number must not begin with 0, and the packet must not grow.
FIRST_SEQ = 1_000_000
QUIET_LEAK_MA = "0.3"

Number = TypeVar("Number", int, NDArray[np.int64])

_BODY = '{"v":1,"ts":%s,"seq":%s,"data":{"dim_pct":80,"supply_v":231.%s,"active_w":14%s.2,"leak_ma":%s,"pf":0.96}}'
_WHOLE_BODY = (
    '{"v":1,"ts":%s,"seq":%s,"data":{"dim_pct":80,"cmd_pct":80,"supply_v":231.%s,"supply_a":0.64%s,"active_w":14%s.2,'
    '"pf":0.96,"energy_kwh":123.4,"lamp_hours_h":1234.5,"driver_temp_c":31.%s,"leak_ma":0.3,"tilt_deg":0.4,'
    '"lamp_fail":false,"gear_fail":false,"relay_fail":false,"comm_fail":false,"day_burner":false,"door_open":false,'
    '"feeder":"F-%03d"}}'
)
_FEEDERS = 144
_TS, _SEQ = "1767225600000", str(FIRST_SEQ)


def device_id(number: int) -> str:
    """Return the id of a fleet's device; all are equally long."""
    return f"pole-{number:05d}"


def topic(device: str) -> str:
    """Return the topic of a device's telemetry."""
    return f"city/v1/{DISTRICT}/{KIND}/{device}/telemetry"


def payload(at_ms: int, seq: int, number: int = 0, leak_ma: str = QUIET_LEAK_MA) -> bytes:
    """Return one message, padded to its length; ``leak_ma`` above 30 raises an alarm at once."""
    volts, watts = _digits(number, seq)
    body = _BODY % (at_ms, FIRST_SEQ + seq, volts, watts, leak_ma)
    return body.ljust(PAYLOAD_BYTES).encode()


def whole_payload(at_ms: int, seq: int, number: int = 0) -> bytes:
    """Return one message that says all a lamp of the demo city says, its feeder too: some 350 bytes, all is well."""
    volts, watts = _digits(number, seq)
    body = _WHOLE_BODY % (at_ms, FIRST_SEQ + seq, volts, watts, watts, volts, number % _FEEDERS)
    return body.encode()


def _digits(number: Number, seq: int) -> tuple[Number, Number]:
    """Return the digits that change from message to message; a database must not find one value over and over."""
    return (number * 7 + seq) % 10, (number + seq) % 10


def publish_packet(name: str, body: bytes, mid: int) -> bytes:
    """Return a PUBLISH packet with QoS 1."""
    encoded = name.encode()
    rest = struct.pack("!H", len(encoded)) + encoded + struct.pack("!H", mid) + body
    return b"\x32" + _varint(len(rest)) + rest


def connect_packet(client_id: str) -> bytes:
    """Return a CONNECT packet of MQTT 3.1.1: clean session, no keep-alive."""
    encoded = client_id.encode()
    rest = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack("!H", len(encoded)) + encoded
    return b"\x10" + _varint(len(rest)) + rest


class Fleet:
    """Packets of a block of devices, message after message, round after round: every device once a round.

    A device's stamps never repeat: a stamp is the time given, or one millisecond past the last round's newest.
    """

    def __init__(self, first: int, devices: int) -> None:
        """Prepare devices ``first`` to ``first + devices - 1``."""
        self._devices = devices
        names = [topic(device_id(number)) for number in range(first, first + devices)]
        packets = b"".join(
            publish_packet(name, payload(int(_TS), 0, first + index), 1) for index, name in enumerate(names)
        )
        self._table: NDArray[np.uint8] = np.frombuffer(packets, np.uint8).reshape(devices, -1)
        head = self._table.shape[1] - PAYLOAD_BYTES
        body = payload(int(_TS), 0)
        # Where a message writes over the template: found by what stands there, so the body can change freely.
        self._mid = slice(head - 2, head)
        self._ts = slice(head + body.index(_TS.encode()), head + body.index(_TS.encode()) + len(_TS))
        self._seq = slice(head + body.index(_SEQ.encode()), head + body.index(_SEQ.encode()) + len(_SEQ))
        self._volts = head + body.index(b'"supply_v":231.') + len('"supply_v":231.')
        self._watts = head + body.index(b'"active_w":14') + len('"active_w":14')
        self._numbers = np.arange(first, first + devices)
        self._newest_ms = 0
        self._floor_ms = 0
        self.sent = 0

    def next(self, most: int, now_ms: int) -> tuple[bytes, int]:
        """Return the packets of up to ``most`` further messages, and how many; a batch ends with its round."""
        seq, start = divmod(self.sent, self._devices)
        if start == 0:
            self._floor_ms = self._newest_ms + 1
        at_ms = self._newest_ms = max(now_ms, self._floor_ms, self._newest_ms)
        count = min(most, self._devices - start)
        batch = self._table[start : start + count].copy()
        mids = np.arange(self.sent, self.sent + count, dtype=np.uint32) % 65_535 + 1
        batch[:, self._mid] = mids.astype(">u2").view(np.uint8).reshape(count, 2)
        batch[:, self._ts] = np.frombuffer(str(at_ms).encode(), np.uint8)
        batch[:, self._seq] = np.frombuffer(str(FIRST_SEQ + seq).encode(), np.uint8)
        volts, watts = _digits(self._numbers[start : start + count], seq)
        batch[:, self._volts] = volts + ord("0")
        batch[:, self._watts] = watts + ord("0")
        self.sent += count
        return batch.tobytes(), count


def _varint(value: int) -> bytes:
    found = bytearray()
    while True:
        value, digit = divmod(value, 128)
        found.append(digit | (128 if value else 0))
        if not value:
            return bytes(found)
