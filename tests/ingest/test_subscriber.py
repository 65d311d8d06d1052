"""The session with the broker: nothing is acknowledged that is not durable, and every trouble is one sentence."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from devices.points import MAX_BYTES
from ingest import chunks
from ingest import inbox as module
from ingest.address import BrokerAddress
from ingest.inbox import Arrived, Inbox
from ingest.live import ASK
from ingest.subscriber import MAXIMUM_PACKET_BYTES, Subscriber
from tests.ingest.publisher import Listener, Publisher
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import wait_until

Make = Callable[..., Subscriber]


def arrived(n: int, size: int = 10) -> Arrived:
    return (f"city/{n}", b"x" * size, n, 1)


_granted: set[Subscriber] = set()


@pytest.fixture(autouse=True)
def granted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note who has a subscription."""
    subscribed = Subscriber._subscribed

    def noted(self: Subscriber, *answer: Any) -> None:
        subscribed(self, *answer)
        _granted.add(self)

    monkeypatch.setattr(Subscriber, "_subscribed", noted)


def test_the_inbox_gives_what_came_in_order_and_once() -> None:
    inbox = Inbox()
    for n in range(5):
        inbox.put([arrived(n)])
    assert (len(inbox), inbox.received) == (5, 5)
    assert [message[2] for message in inbox.take(0)] == [0, 1, 2, 3, 4]
    assert (len(inbox), inbox.received, inbox.take(0)) == (0, 5, [])


@pytest.mark.parametrize(("limit", "bytes_", "fits"), [(3, 10**6, 3), (100, 40, 3)])
def test_a_full_inbox_makes_the_network_wait(
    monkeypatch: pytest.MonkeyPatch, limit: int, bytes_: int, fits: int
) -> None:
    monkeypatch.setattr(module, "_LIMIT", limit)
    monkeypatch.setattr(module, "_LIMIT_BYTES", bytes_)
    inbox = Inbox()
    network = threading.Thread(target=lambda: [inbox.put([arrived(n)]) for n in range(10)])
    network.start()
    wait_until(lambda: len(inbox) == fits)
    network.join(0.1)
    assert (network.is_alive(), len(inbox)) == (True, fits)
    found: list[int] = []
    while len(found) < 10:
        found += [message[2] for message in inbox.take(5)]
    network.join(5)
    assert found == list(range(10))


def test_a_closed_inbox_lets_nobody_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LIMIT", 1)
    inbox = Inbox()
    inbox.put([arrived(1)])
    writer = threading.Thread(target=inbox.put, args=([arrived(2)],))
    writer.start()
    inbox.close()
    writer.join(5)
    assert not writer.is_alive()
    assert [message[2] for message in inbox.take(60)] == [1, 2]
    assert inbox.take(60) == []


@pytest.fixture(params=["chunked", "plain"])
def make(mosquitto: Mosquitto, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(chunks, "FITS", request.param == "chunked")
    made: list[Subscriber] = []

    def new(port: int = mosquitto.port, on_ask: Callable[[], None] = lambda: None) -> Subscriber:
        made.append(Subscriber(BrokerAddress("127.0.0.1", port), "citydeck-test", ["city/#"], ASK, on_ask))
        return made[-1]

    yield new
    for subscriber in made:
        subscriber.stop()


def started(subscriber: Subscriber) -> Subscriber:
    """Start one, and return when the broker keeps messages for it: of a new session not when it is connected."""
    subscriber.start()
    wait_until(lambda: subscriber in _granted)
    return subscriber


def taken(subscriber: Subscriber, count: int) -> list[Arrived]:
    found: list[Arrived] = []
    wait_until(lambda: found.extend(subscriber.inbox.take(0.05)) or len(found) >= count)  # type: ignore[func-returns-value]
    return found


def payloads(messages: list[Arrived]) -> list[bytes]:
    return [message[1] for message in messages]


def send(publisher: Publisher, *payloads: bytes) -> None:
    publisher.publish(*(("city/x", payload) for payload in payloads))


def test_what_was_not_acknowledged_comes_again(make: Make, publisher: Publisher) -> None:
    first = started(make())
    send(publisher, b"1", b"2", b"3", b"4", b"5")
    messages = taken(first, 5)
    assert payloads(messages) == [b"1", b"2", b"3", b"4", b"5"]
    first.acknowledge(messages[:3])
    send(publisher, b"6")
    assert payloads(taken(first, 1)) == [b"6"]
    first.stop()
    second = started(make())
    again = taken(second, 3)
    assert payloads(again) == [b"4", b"5", b"6"]
    second.acknowledge(again)
    send(publisher, b"7")
    assert payloads(taken(second, 1)) == [b"7"]


def test_what_comes_while_nobody_listens_waits_with_the_broker(make: Make, publisher: Publisher) -> None:
    first = started(make())
    first.stop()
    send(publisher, *(b"%d" % n for n in range(3000)))
    assert payloads(taken(started(make()), 3000)) == [b"%d" % n for n in range(3000)]


def test_acknowledgements_of_an_earlier_connection_are_dropped(
    make: Make, publisher: Publisher, mosquitto: Mosquitto
) -> None:
    subscriber = started(make())
    send(publisher, b"1", b"2")
    before = taken(subscriber, 2)
    mosquitto.restart()
    again = taken(subscriber, 2)
    assert payloads(again) == [b"1", b"2"]
    assert {message[3] for message in before} != {message[3] for message in again}
    subscriber.acknowledge(before)
    subscriber.stop()
    third = started(make())
    assert payloads(taken(third, 2)) == [b"1", b"2"]


def test_a_retained_status_is_news_only_to_a_new_session(make: Make, publisher: Publisher) -> None:
    publisher.publish(("city/status", b"online"), retain=True)
    first = started(make())
    first.acknowledge(taken(first, 1))
    send(publisher, b"1")
    first.acknowledge(taken(first, 1))
    first.stop()
    second = started(make())
    send(publisher, b"2")
    assert payloads(taken(second, 1)) == [b"2"]


def test_asking_is_no_message_of_a_device(make: Make, publisher: Publisher) -> None:
    asked = threading.Event()
    subscriber = started(make(on_ask=asked.set))
    publisher.publish((ASK, b""))
    assert asked.wait(5)
    send(publisher, b"1")
    assert payloads(taken(subscriber, 1)) == [b"1"]
    assert subscriber.inbox.received == 1


def test_live_messages_go_out_while_the_broker_is_there(make: Make, mosquitto: Mosquitto) -> None:
    subscriber = make()
    subscriber.publish("live/x", b"dropped", 1)
    listener = Listener(mosquitto.port, "live/#")
    started(subscriber).publish("live/x", b"told", 1)
    wait_until(lambda: listener.heard)
    listener.close()
    assert listener.heard == [("live/x", b"told")]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def attempts(subscriber: Subscriber, callback: str, count: int) -> None:
    """Wait until paho has called a callback so many times more."""
    seen: list[int] = []
    original = getattr(subscriber._client, callback)

    def counted(*arguments: object) -> None:
        original(*arguments)
        seen.append(1)

    setattr(subscriber._client, callback, counted)
    subscriber._client.reconnect_delay_set(1, 1)
    wait_until(lambda: len(seen) >= count, 30)


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_wrong_password_is_one_sentence(
    guarded_mosquitto: Mosquitto,
    make: Make,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    password: str | None,
) -> None:
    if password is not None:
        monkeypatch.setenv("CITYDECK_MQTT_USER", "citydeck")
        monkeypatch.setenv("CITYDECK_MQTT_PASSWORD", password)
    subscriber = make(guarded_mosquitto.port)
    subscriber.start()
    attempts(subscriber, "on_disconnect", 3)
    assert warnings(caplog) == [
        f"broker 127.0.0.1:{guarded_mosquitto.port} refuses the connection: Not authorized; "
        "check CITYDECK_MQTT_USER and CITYDECK_MQTT_PASSWORD"
    ]
    assert not subscriber.connected


def test_the_right_password_lets_it_in(
    guarded_mosquitto: Mosquitto, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYDECK_MQTT_USER", "citydeck")
    monkeypatch.setenv("CITYDECK_MQTT_PASSWORD", "right")
    assert started(make(guarded_mosquitto.port)).connected


def test_a_broker_that_is_away_is_one_sentence_each_time(
    mosquitto: Mosquitto, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    mosquitto.stop()
    subscriber = make()
    subscriber.start()
    attempts(subscriber, "on_connect_fail", 3)
    where = f"broker 127.0.0.1:{mosquitto.port}"
    assert warnings(caplog) == [f"{where} does not answer; trying again for ever"]
    mosquitto.start()
    wait_until(lambda: subscriber.connected, 30)
    caplog.clear()
    mosquitto.kill()
    wait_until(lambda: not subscriber.connected)
    attempts(subscriber, "on_connect_fail", 2)
    gone, away = warnings(caplog)
    assert gone.startswith(f"{where} is gone (")
    assert away == f"{where} does not answer; trying again for ever"
    mosquitto.start()
    wait_until(lambda: subscriber.connected, 30)


def test_a_subscription_that_is_refused_is_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    """Brokers answer each topic by itself; mosquitto's files cannot refuse one, EMQX can."""
    subscriber = Subscriber(BrokerAddress("127.0.0.1", 1), "c", ("city/v1/#", "hj212/#"), ASK, lambda: None)
    granted, refused = (ReasonCode(PacketTypes.SUBACK, word) for word in ("Granted QoS 1", "Not authorized"))
    subscriber._subscribed(subscriber._client, None, 1, [granted, refused, granted], None)
    (sentence,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert sentence.endswith("refuses the subscription to hj212/#: Not authorized; nothing of it is collected")


def test_a_broker_that_grants_less_than_it_must_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of what is delivered with QoS 0 nobody knows whether it came."""
    broker = Mosquitto(tmp_path, settings={"max_qos": "0"})
    broker.start()
    subscriber = Subscriber(BrokerAddress("127.0.0.1", broker.port), "citydeck-test", ["city/#"], ASK, lambda: None)
    caplog.set_level(logging.INFO)
    try:
        started(subscriber)
        wait_until(lambda: "broker connected" in caplog.text)
        wait_until(lambda: "QoS" in caplog.text)
        # A hint that is published with more would end the connection, and again each time it is back.
        for number in range(3):
            subscriber.publish("city/hint", b"%d" % number, 1)
        wait_until(lambda: len(subscriber.inbox) == 3)
        assert (subscriber.connected, subscriber.connections) == (True, 1)
    finally:
        subscriber.stop()
        broker.stop()
    (sentence,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "grants the subscription to city/# with QoS 0, not 1: what is on its way when the" in sentence


def test_two_collectors_of_one_name_are_told(mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    """Each takes the session from the other, and half of the messages is with somebody else."""
    both = [
        Subscriber(BrokerAddress("127.0.0.1", mosquitto.port), "citydeck-test", ["city/#"], ASK, lambda: None)
        for _ in range(2)
    ]
    try:
        for subscriber in both:
            subscriber.start()
        wait_until(lambda: "does another client have the name citydeck-test?" in caplog.text, 60)
    finally:
        for subscriber in both:
            subscriber.stop()


@pytest.mark.parametrize("known", [True, False])
def test_a_session_that_the_broker_has_forgotten_is_told(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture, known: bool
) -> None:
    """Nothing is said of a first one; of one that was, also over a restart of the collector."""
    caplog.set_level(logging.INFO)
    address = BrokerAddress("127.0.0.1", mosquitto.port)
    subscriber = Subscriber(address, "citydeck-test", ["city/#"], ASK, lambda: None, known)
    forgotten = f"broker {address} has forgotten the session of this collector: what was sent while it was away is lost"
    try:
        started(subscriber)
        wait_until(lambda: "session=new" in caplog.text)
        assert warnings(caplog) == [forgotten] * known
        mosquitto.restart()
        wait_until(lambda: "session=resumed" in caplog.text, 30)
        assert warnings(caplog).count(forgotten) == known
        mosquitto.stop()
        mosquitto.forget()
        mosquitto.start()
        wait_until(lambda: caplog.text.count("session=new") == 2, 30)
        assert warnings(caplog).count(forgotten) == known + 1
    finally:
        subscriber.stop()


def test_a_message_of_a_mebibyte_and_more_arrives(make: Make, publisher: Publisher) -> None:
    """The largest that a payload may be, and one larger than that, which is for quarantine to say."""
    subscriber = started(make())
    sizes = [MAX_BYTES, MAX_BYTES + 1, 8 * MAX_BYTES]
    send(publisher, *(b"x" * size for size in sizes), b"last")
    assert [len(payload) for payload in payloads(taken(subscriber, 4))] == [*sizes, 4]


def test_a_packet_beyond_all_bounds_is_not_sent_and_nothing_else_is_lost(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Mosquitto(tmp_path, settings={"message_size_limit": "0"})
    broker.start()
    publisher = Publisher(broker.port)
    try:
        subscriber = started(make(broker.port))
        send(publisher, b"1", b"x" * MAXIMUM_PACKET_BYTES, b"2")
        messages = taken(subscriber, 2)
        assert payloads(messages) == [b"1", b"2"]
        subscriber.acknowledge(messages)
        send(publisher, b"3")
        assert payloads(taken(subscriber, 1)) == [b"3"]
        assert (subscriber.connections, warnings(caplog)) == (1, [])
    finally:
        publisher.close()
        broker.stop()


def test_what_cockpits_ask_fills_no_window_where_a_pattern_covers_it(mosquitto: Mosquitto) -> None:
    """Delivered with QoS 1 and never journaled, it is acknowledged all the same, or the broker ends to send."""
    asked: list[int] = []
    address = BrokerAddress("127.0.0.1", mosquitto.port)
    subscriber = Subscriber(address, "citydeck-test", ["citydeck/#"], ASK, lambda: asked.append(1))
    publisher = Publisher(mosquitto.port)
    acknowledged: list[int] = []
    send_pubacks = subscriber.acknowledge

    def noted(messages: Iterable[Arrived]) -> None:
        sent = list(messages)
        acknowledged.extend(message[2] for message in sent)
        send_pubacks(sent)

    subscriber.acknowledge = noted  # type: ignore[method-assign]
    try:
        started(subscriber)
        publisher.publish((ASK, b""), (ASK, b""))
        wait_until(lambda: len([mid for mid in acknowledged if mid]) == 2)
        assert asked
    finally:
        publisher.close()
        subscriber.stop()


def test_while_the_journal_is_behind_nothing_piles_up_to_be_sent(
    make: Make, mosquitto: Mosquitto, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIMIT", 1)
    listener = Listener(mosquitto.port, "live/#")
    try:
        subscriber = started(make())
        send(publisher, b"1")
        wait_until(lambda: len(subscriber.inbox) == 1)
        send(publisher, b"2")
        wait_until(lambda: subscriber.inbox.held)
        for n in range(100):
            subscriber.publish(f"live/{n}", b"x", 1)
        assert payloads(taken(subscriber, 2)) == [b"1", b"2"]
        wait_until(lambda: not subscriber.inbox.held)
        subscriber.publish("live/last", b"x", 1)
        wait_until(lambda: listener.heard)
        assert [topic for topic, _ in listener.heard] == ["live/last"]
    finally:
        listener.close()
