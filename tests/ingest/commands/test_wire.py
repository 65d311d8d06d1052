"""Commands and answers as bytes."""

import json

import pytest

from ingest.alarms.database import AlarmDatabase
from ingest.commands.steps import claim
from ingest.commands.wire import Answer, answer_of, payload_of, topic_of
from tests.ingest.commands.lighting import NOON, order

TOPIC = "city/v1/demo/light_pole/pole-1/cmd_ack"


def test_a_command(database: AlarmDatabase) -> None:
    order(database, 40, for_s=600)
    (row,) = claim(database, NOON)
    assert topic_of(row) == "city/v1/demo/light_pole/pole-1/cmd"
    expected = {"v": 1, "command": row["id"], "ts": NOON, "expires": NOON + 120_000}
    assert json.loads(payload_of(row)) == {**expected, "dim_pct": 40, "until": NOON + 600_000}
    order(database, None, now_ms=NOON + 1)
    (row,) = claim(database, NOON + 1)
    assert json.loads(payload_of(row)) == {
        "v": 1, "command": row["id"], "ts": NOON + 1, "expires": NOON + 120_001, "auto": True,
    }  # fmt: skip


def test_an_answer() -> None:
    assert answer_of(TOPIC, b'{"v":1,"command":"ab","accepted":true}') == Answer("pole-1", "ab", True)
    found = answer_of(TOPIC, b'{"command":"ab","accepted":false,"reason":"relay\\u0000stuck"}')
    assert found == Answer("pole-1", "ab", False, "relay\ufffdstuck")
    long = answer_of(TOPIC, json.dumps({"command": "a" * 99, "accepted": False, "reason": "x" * 999}).encode())
    assert long is not None
    assert (len(long.command), len(long.reason)) == (40, 200)


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"ok", b"[]", b"null", b'{"command":"ab"}', b'{"command":7,"accepted":true}', b"\xff\xfe",
        b'{"command":"ab","accepted":"yes"}', b'{"command":"ab","accepted":false,"reason":7}',
    ],
)  # fmt: skip
def test_what_is_no_answer(payload: bytes) -> None:
    assert answer_of(TOPIC, payload) is None
