"""Whatever a connection brings, reading in chunks ends in messages, in waiting for more, or in a refusal."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunks import MalformedPacket, publishes
from ingest.inbox import Arrived

HEADS = st.integers(0, 255) | st.sampled_from([0x30, 0x31, 0x32, 0x3A, 0x34, 0x40, 0xD0])


@st.composite
def packet(draw: st.DrawFn) -> bytes:
    """Draw a packet whose length is right, whatever is in it."""
    topic = draw(st.binary(max_size=30))
    size = draw(st.sampled_from([len(topic), len(topic), 0, 65_535]) | st.integers(0, 65_535))
    body = size.to_bytes(2, "big") + topic + draw(st.binary(max_size=60))
    return bytes([draw(HEADS), len(body)]) + body


@settings(max_examples=500)
@given(st.lists(packet() | st.binary(max_size=20), max_size=6).map(b"".join))
def test_any_bytes_end_in_messages_or_a_refusal(buffer: bytes) -> None:
    found: list[Arrived] = []
    # What the client takes for the end of the connection.
    with suppress(MalformedPacket, IndexError):
        used, other = publishes(buffer, 7, {}, found)
        assert 0 <= used <= used + other <= len(buffer)
        assert used or not found
    for topic, payload, mid, connection in found:
        topic.encode()
        assert len(payload) <= len(buffer)
        assert 0 <= mid <= 65_535
        assert connection == 7
