"""From a detector to two telephones: a P1 goes out by two kinds of channel, whatever becomes of the collector."""

import time
from collections.abc import Iterator

import pytest

from ingest import steward
from ingest.notices import courier
from ingest.stewardship import Stewardship
from tests.ingest.collector import Collector
from tests.ingest.conftest import MakeCollector
from tests.ingest.messages import gas
from tests.ingest.notices.receiver import Receiver
from tests.ingest.publisher import Publisher
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import wait_until

CHANNELS = """
[[notify]]
name = "duty-group"
kind = "wecom"
env = "CITYDECK_NOTIFY_GROUP"
[[notify]]
name = "duty-mail"
kind = "mail"
env = "CITYDECK_NOTIFY_MAIL"
"""


@pytest.fixture
def receivers() -> Iterator[tuple[Receiver, Receiver]]:
    two = Receiver(), Receiver()
    yield two
    for each in two:
        each.close()


@pytest.fixture
def duty(make_collector: MakeCollector, mosquitto: Mosquitto, receivers: tuple[Receiver, Receiver]) -> Collector:
    """Return a collector that tells two receivers."""
    environment = {"CITYDECK_NOTIFY_GROUP": receivers[0].address, "CITYDECK_NOTIFY_MAIL": receivers[1].address}
    made = make_collector(mosquitto.port, "embedded", env=environment)
    with made.site_file.open("a", encoding="utf-8") as file:
        file.write(CHANNELS)
    return made


def leak(publisher: Publisher, device: str) -> None:
    publisher.publish(gas(device, 60.0, ts=time.time_ns() // 1_000_000))


def has_taken(receiver: Receiver, count: int) -> None:
    wait_until(lambda: len(receiver.messages) == count, 40)


def test_the_pauses_on_the_way_add_up_to_less_than_fifteen_seconds(duty: Collector) -> None:
    """What an announcement can wait for: the steward's look, its duty's turn, the courier's look."""
    pauses_s = steward.LOOK_S + Stewardship.NOTICES_EVERY_MS / 1000 + courier.LOOK_S
    assert pauses_s < 15 / 3


def test_a_p1_reaches_both_kinds_of_channel_once(
    duty: Collector, publisher: Publisher, receivers: tuple[Receiver, Receiver]
) -> None:
    duty.connected()
    leak(publisher, "gas-1")
    for receiver in receivers:
        has_taken(receiver, 1)
        assert "[P1 紧急]" in receiver.messages[0]["title"]
    assert duty.stop() == 0
    first, second = (receiver.keys() for receiver in receivers)
    assert (len(first), len(second)) == (1, 1)
    assert first[0].removesuffix("duty-group") == second[0].removesuffix("duty-mail")


def test_a_collector_killed_in_the_middle_tells_after_its_restart(
    duty: Collector, publisher: Publisher, receivers: tuple[Receiver, Receiver]
) -> None:
    """Nothing is lost by the kill; what its receiver had taken already comes again under the same number."""
    for receiver in receivers:
        receiver.mute.clear()
    duty.connected()
    leak(publisher, "gas-1")
    wait_until(lambda: receivers[0].messages and receivers[1].messages)
    duty.kill()
    for receiver in receivers:
        receiver.mute.set()
    duty.connected()
    for receiver in receivers:
        has_taken(receiver, 2)
        assert len(set(receiver.keys())) == 1
    leak(publisher, "gas-2")
    for receiver in receivers:
        has_taken(receiver, 3)
        assert len(set(receiver.keys())) == 2
