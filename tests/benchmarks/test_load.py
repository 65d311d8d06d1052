"""The load is what the figures say it is: 120 bytes, decodable, quiet, and never the same point twice."""

import json
from collections.abc import Iterator
from dataclasses import replace
from struct import unpack
from typing import Any

import pytest

from benchmarks import load
from devices.readings import Quality
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.engine import Engine
from ingest.decoding import Decoder, Unregistered
from ingest.records import Record

NOW_MS = 1_767_225_600_123


def parsed(packets: bytes) -> Iterator[tuple[str, int, dict[str, Any], bytes]]:
    """Yield topic, packet id, document and payload of PUBLISH packets, read by the specification."""
    at = 0
    while at < len(packets):
        assert packets[at] == 0x32, "PUBLISH, QoS 1, no DUP, no RETAIN"
        length = shift = 0
        while True:
            at += 1
            length |= (packets[at] & 127) << shift
            shift += 7
            if packets[at] < 128:
                break
        rest = packets[at + 1 : at + 1 + length]
        at += 1 + length
        (size,) = unpack("!H", rest[:2])
        (mid,) = unpack("!H", rest[2 + size : 4 + size])
        yield rest[2 : 2 + size].decode(), mid, json.loads(rest[4 + size :]), rest[4 + size :]


def rounds(fleet: load.Fleet, count: int, now_ms: int) -> list[tuple[str, int, dict[str, Any], bytes]]:
    """Return the messages of batches of up to 3 devices."""
    found = []
    while len(found) < count:
        packets, told = fleet.next(3, now_ms)
        messages = list(parsed(packets))
        assert len(messages) == told
        found.extend(messages)
    return found


def test_every_payload_has_120_bytes_and_says_what_payload_says() -> None:
    for topic, _, document, body in rounds(load.Fleet(10, 7), 21, NOW_MS):
        assert len(body) == load.PAYLOAD_BYTES
        number, seq = int(topic.split("/")[4][-5:]), document["seq"] - load.FIRST_SEQ
        assert body == load.payload(document["ts"], seq, number)


def test_no_device_stamps_twice_however_often_it_is_asked_at_one_instant() -> None:
    messages = rounds(load.Fleet(0, 5), 50, NOW_MS)
    points = {(topic, document["ts"]) for topic, _, document, _ in messages}
    assert len(points) == len(messages) == 50
    per_device = [document["seq"] for topic, _, document, _ in messages if topic == load.topic(load.device_id(2))]
    assert per_device == list(range(load.FIRST_SEQ, load.FIRST_SEQ + 10))


def test_packet_ids_count_and_are_never_zero() -> None:
    fleet = load.Fleet(0, 5)
    assert [mid for _, mid, _, _ in rounds(fleet, 10, NOW_MS)] == list(range(1, 11))
    fleet.sent = 65_530
    assert [mid for _, mid, _, _ in rounds(fleet, 10, NOW_MS)] == [*range(65_531, 65_536), *range(1, 6)]


@pytest.fixture
def site() -> Site:
    return replace(load_site(), devices={})


@pytest.mark.parametrize(("leak_ma", "raised"), [(load.QUIET_LEAK_MA, 0), ("60", 1)])
def test_the_load_is_quiet_and_a_leak_is_not(site: Site, leak_ma: str, raised: int) -> None:
    record = Record(1, NOW_MS, load.topic("pole-00001"), load.payload(NOW_MS, 0, leak_ma=leak_ma))
    outcome = Decoder(site, Unregistered()).outcome(record)
    assert (outcome.fate, outcome.unknown, len(outcome.readings)) == ("decoded", 0, 1)
    assert outcome.readings[0].quality == Quality.GOOD
    assert sum(transition.what == "raise" for transition in Engine(site).feed([outcome])) == raised


def test_a_whole_message_says_all_that_a_lamp_can_say(site: Site) -> None:
    """Nothing of it is unknown or alarms, and those of all devices are equally long."""
    payloads = [load.whole_payload(NOW_MS, seq, number) for seq, number in ((0, 0), (7, 3), (1_000, 4_999))]
    record = Record(1, NOW_MS, load.topic("pole-00001"), payloads[0])
    outcome = Decoder(site, Unregistered()).outcome(record)
    (reading,) = outcome.readings
    _, lamp = site.catalog.measurements[load.KIND]
    assert (outcome.fate, outcome.unknown, reading.quality) == ("decoded", 0, Quality.GOOD)
    assert {*reading.values, *reading.tags} == {field.key for field in lamp.fields}
    assert not [each for each in Engine(site).feed([outcome]) if each.what == "raise"]
    assert len({len(payload) for payload in payloads}) == 1
