"""Reading in chunks gives what paho gives, wherever the stream is cut, and hands everything else over."""

import paho.mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from ingest import chunks
from ingest.chunks import ChunkedClient, MalformedPacket, PlainClient, client_class, pubacks, publishes
from ingest.inbox import Arrived

PINGRESP = b"\xd0\x00"


def varint(number: int) -> bytes:
    found = b""
    while True:
        number, digit = number >> 7, number & 0x7F
        found += bytes([digit | (0x80 if number else 0)])
        if not number:
            return found


def publish(topic: bytes, payload: bytes, mid: int, properties: bytes = b"") -> bytes:
    head = 0x32 if mid else 0x30
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if mid else b"")
    body += varint(len(properties)) + properties + payload
    return bytes([head]) + varint(len(body)) + body


def walked(pieces: list[bytes]) -> tuple[list[Arrived], list[bytes]]:
    """Return the messages and the other packets of a stream that comes in pieces."""
    found: list[Arrived] = []
    others: list[bytes] = []
    topics: dict[bytes, str] = {}
    rest = b""
    for piece in pieces:
        rest += piece
        while True:
            used, other = publishes(rest, 7, topics, found)
            rest = rest[used:]
            if not other:
                break
            others.append(rest[:other])
            rest = rest[other:]
    assert rest == b""
    return found, others


messages = st.tuples(
    st.text(min_size=1, max_size=40), st.binary(max_size=400), st.integers(0, 65535), st.binary(max_size=200)
)


@given(st.lists(messages, max_size=20), st.data())
def test_any_cutting_gives_the_same_messages(sent: list[tuple[str, bytes, int, bytes]], data: st.DataObject) -> None:
    stream = b"".join(
        publish(topic.encode(errors="replace"), payload, mid, extra) for topic, payload, mid, extra in sent
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    expected = [(topic.encode(errors="replace").decode(), payload, mid, 7) for topic, payload, mid, _ in sent]
    assert walked(pieces) == (expected, [])


def test_other_packets_are_left_to_paho_in_their_place() -> None:
    stream = PINGRESP + publish(b"a", b"1", 1) + PINGRESP + publish(b"b", b"2" * 200, 2)
    assert walked([stream[:5], stream[5:]]) == ([("a", b"1", 1, 7), ("b", b"2" * 200, 2, 7)], [PINGRESP, PINGRESP])


def test_qos_2_is_left_to_paho() -> None:
    packet = b"\x34" + publish(b"a", b"1", 1)[1:]
    assert walked([packet]) == ([], [packet])


def test_a_topic_that_is_no_text_is_shown_as_its_bytes() -> None:
    assert walked([publish(b"city/\xff", b"1", 0)])[0] == [(r"b'city/\xff'", b"1", 0, 7)]


@pytest.mark.parametrize(
    "packet",
    [b"\x32\x05\xff\xff\x00\x00\x00", b"\x32\xff\xff\xff\xff\x7f", b"\x32\x06\x00\x01a\x00\x01\x7f"],
    ids=["topic longer than the packet", "length of five bytes", "properties longer than the packet"],
)
def test_what_is_no_mqtt_is_refused(packet: bytes) -> None:
    with pytest.raises((MalformedPacket, IndexError)):
        publishes(packet, 7, {}, [])


def test_topics_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_TOPICS_KEPT", 10)
    topics: dict[bytes, str] = {}
    for n in range(100):
        publishes(publish(b"t%d" % n, b"", 0), 7, topics, [])
    assert len(topics) <= 10


def test_a_topic_beyond_any_contract_is_not_remembered() -> None:
    topics: dict[bytes, str] = {}
    found: list[Arrived] = []
    long = "a" * 60_000
    publishes(publish(b"city/x", b"1", 1) + publish(long.encode(), b"2", 2), 1, topics, found)
    assert [message[0] for message in found] == ["city/x", long]
    assert topics == {b"city/x": "city/x"}


def test_pubacks_stand_in_order() -> None:
    assert pubacks([1, 65535, 258]) == b"\x40\x02\x00\x01\x40\x02\xff\xff\x40\x02\x01\x02"


def test_an_acknowledgement_is_taken_for_sent_only_when_it_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for that and disconnects must not overtake it."""
    client = ChunkedClient(CallbackAPIVersion.VERSION2, on_chunk=lambda _messages: None)
    monkeypatch.setattr(client, "is_connected", lambda: True)
    waits: list[float] = []
    monkeypatch.setattr(chunks.time, "sleep", waits.append)

    def queued(*_: object) -> None:
        client.settle(0.01)
        assert waits, "it is not on its way yet"
        waits.clear()

    monkeypatch.setattr(client, "_packet_queue", queued)
    client.acknowledge(0, [1, 2])
    client.loop_write()
    client.settle(0.01)
    assert (waits, len(client._acks)) == ([], 0)


def test_acknowledgements_without_a_thread_are_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As paho does it where its thread is gone: what queues a packet also writes."""
    client = ChunkedClient(CallbackAPIVersion.VERSION2, on_chunk=lambda _messages: None)
    sent = []

    def queued(_command: int, packet: bytes, *_: object) -> None:
        sent.append(packet)
        client.loop_write()

    monkeypatch.setattr(client, "_packet_queue", queued)
    client.acknowledge(0, [1, 2])
    client.acknowledge(0, [3])
    client.loop_write()
    assert sent == [pubacks([1, 2]), pubacks([3])]


def test_the_installed_paho_is_the_one_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paho.mqtt.__version__ == "2.2.0"
    assert client_class() is chunks.ChunkedClient
    monkeypatch.setattr(chunks, "FITS", False)
    assert client_class() is PlainClient


@pytest.mark.parametrize(
    "name",
    ["_packet_read", "_packet_queue", "_loop_rc_handle", "_sock_recv", "loop_read", "loop_write"],
)
def test_the_inner_names_it_relies_on_exist(name: str) -> None:
    assert callable(getattr(chunks.Client, name))
