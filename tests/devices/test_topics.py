"""Native topics and subscription patterns."""

import pytest

from devices.errors import Undecodable
from devices.topics import Topic, parse_topic, topic_matches

REFUSED = {
    "too short": ("city/v1/demo/drone/d-1", "topic", "expected city/v1/district/kind/device/channel"),
    "too long": ("city/v1/demo/drone/d-1/telemetry/x", "topic", "expected city/v1/district/kind/device/channel"),
    "another root": ("town/v1/demo/drone/d-1/telemetry", "topic", "expected city/v1/district/kind/device/channel"),
    "another version": ("city/v2/demo/drone/d-1/telemetry", "topic", "expected city/v1/district/kind/device/channel"),
    "leading slash": ("/city/v1/demo/drone/d-1/telemetry", "topic", "'/city/v1/demo/drone/d-1/telemetry'"),
    "empty": ("", "topic", "topic ''"),
    "unknown channel": (
        "city/v1/demo/drone/d-1/telemetri",
        "topic",
        "channel 'telemetri': expected one of cmd, cmd_ack, event, state, status, telemetry",
    ),
    "empty id": ("city/v1/demo/drone//telemetry", "device_id", "device id '': expected 1 to 64 of A–Z a–z 0–9 . _ -"),
    "id with a space": ("city/v1/demo/drone/d 1/telemetry", "device_id", "device id 'd 1'"),
    "id of a plate": ("city/v1/demo/drone/浙A12345/telemetry", "device_id", "device id '浙A12345'"),
    "id with a line end": ("city/v1/demo/drone/d-1\n/telemetry", "device_id", "device id 'd-1\\n'"),
    "id of 65": (f"city/v1/demo/drone/{'d' * 65}/telemetry", "device_id", "expected 1 to 64"),
    "id of a folder": ("city/v1/demo/drone/../telemetry", "device_id", "device id '..'"),
    "bad district": ("city/v1/示范/drone/d-1/telemetry", "topic", "district '示范'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_topic_is_named(name: str) -> None:
    topic, reason, sentence = REFUSED[name]
    with pytest.raises(Undecodable) as refused:
        parse_topic(topic)
    assert refused.value.reason == reason
    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("device", ["d", "d" * 64, "A-z.0_9"])
@pytest.mark.parametrize("channel", ["telemetry", "event", "state", "status", "cmd", "cmd_ack"])
def test_a_topic_is_parsed_and_written_alike(device: str, channel: str) -> None:
    topic = f"city/v1/demo/drone/{device}/{channel}"
    assert parse_topic(topic) == Topic("demo", "drone", device, channel)
    assert str(parse_topic(topic)) == topic


@pytest.mark.parametrize(
    ("pattern", "topic", "covered"),
    [
        ("city/v1/#", "city/v1/demo/drone/d-1/telemetry", True),
        ("city/v1/#", "city/v1", True),
        ("city/v1/#", "city/v2/demo", False),
        ("city/v1/#", "city", False),
        ("city/+/demo/#", "city/v1/demo/x", True),
        ("city/+/demo", "city/v1/demo", True),
        ("city/+", "city/v1/demo", False),
        ("city/v1/demo", "city/v1", False),
        ("+/+", "a/", True),
        ("city/v1/demo", "city/v1/demo", True),
        ("city/v1/demo", "city/v1/dem", False),
    ],
)
def test_a_pattern_covers_what_mqtt_says(pattern: str, topic: str, covered: bool) -> None:
    assert topic_matches(pattern, topic) is covered


def test_a_kind_without_end_is_refused_before_it_is_remembered() -> None:
    parse_topic.cache_clear()
    with pytest.raises(Undecodable, match=r"^kind 'kkk.*: expected at most 64 characters$") as refused:
        parse_topic(f"city/v1/demo/{'k' * 60_000}/gas-1/telemetry")
    assert refused.value.reason == "unknown_kind"
    assert parse_topic.cache_info().currsize == 0
