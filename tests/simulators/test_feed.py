import pytest

from devices.decode import decode
from ingest.alarms.memory import DeviceState, Memory
from ingest.alarms.sources import counted
from simulators.feed import Feed
from simulators.moment import SimulatedClock
from tests.simulators.city import at_ms, demo_site, feed, readings

NOON = at_ms(12)


def test_same_seed_same_bytes():
    assert feed(NOON).due(NOON, NOON + 20_000) == feed(NOON).due(NOON, NOON + 20_000)


def test_another_seed_says_other_things():
    here, there = (feed(NOON, seed).due(NOON, NOON + 20_000) for seed in (1, 2))
    assert {m.payload for m in here}.isdisjoint(m.payload for m in there if b"lat" in m.payload)


def test_windows_may_be_cut_anywhere():
    whole = feed(NOON).due(NOON, NOON + 20_000)
    parts, pieces, here = feed(NOON), [], NOON
    for width in (1, 99, 400, 3_500, 6_000, 10_000):
        pieces.extend(parts.due(here, here + width))
        here += width
    assert here == NOON + 20_000
    assert pieces == whole


def test_a_restart_goes_on_counting():
    before = feed(NOON).due(NOON, NOON + 20_000)
    after = feed(NOON + 20_000).due(NOON + 20_000, NOON + 40_000)
    keys = [part[0] for m in before + after for part in _parts(m)]
    assert len(set(keys)) == len(keys)


def test_a_restart_is_no_loss():
    """Whoever stops a demo city and starts it again has not lost a message, and is not told so."""
    collector, device = Memory(), DeviceState("gas_alarm", "demo")
    for started in (NOON, NOON + 5_000, NOON + 90_000):
        for message in feed(started).due(started, started + 60_000):
            found = decode(message.topic, message.payload, message.at_ms, 0, demo_site())
            if found.device == "gas-0042" and found.seq is not None:
                assert not [*counted("gas-0042", device, found.seq, collector)]
    assert device.seq is not None and device.missed == 0


def _parts(message):
    return decode(message.topic, message.payload, message.at_ms, 0, demo_site()).parts


def test_rate_of_the_city():
    assert 60 < len(feed(NOON).due(NOON, NOON + 60_000)) / 60 < 130


@pytest.mark.parametrize("hour", [0.2, 3.5, 6.05, 7.6, 12.1, 17.3, 21.98, 23.99])
def test_everything_decodes_and_is_plausible(hour):
    start = at_ms(hour)
    seen = set()
    for message in feed(start).due(start, start + 62_000):
        for reading in readings(message):
            assert not reading.flags, (message, reading.flags)
            seen.add(reading.measurement)
    assert {
        "drone",
        "drone_dock",
        "refuse_truck",
        "wim_health",
        "light_pole",
        "pole_env",
        "gas_alarm",
        "gateway",
    } <= seen


def test_foreign_devices_speak_their_own_language():
    topics = {m.topic.split("/")[0] for m in feed(NOON).due(NOON, NOON + 61_000)}
    assert topics == {"city", "thing", "hj212"}


def test_all_devices_report():
    heard = {r.device for m in feed(NOON).due(NOON, NOON + 300_000) for r in readings(m)}
    assert heard == set(demo_site().devices)


def test_stamps_stay_real_when_the_day_passes_faster():
    fast = Feed(demo_site(), 1, SimulatedClock(demo_site().timezone, 200, NOON), NOON)
    messages = fast.due(NOON, NOON + 3_000)
    assert all(NOON <= m.at_ms < NOON + 3_000 for m in messages)
    assert all(NOON <= r.at_ns // 1_000_000 < NOON + 3_000 for m in messages for r in readings(m))
    slow = sum(1 for m in feed(NOON).due(NOON, NOON + 3_000) if "wim" in m.topic)
    assert sum(1 for m in messages if "wim" in m.topic) > 20 * max(slow, 1)


def test_connections_of_the_fleet():
    found = feed(NOON).connections
    kinds = [demo_site().devices[c.owner].kind for c in found]
    assert kinds.count("refuse_truck") == 127
    assert kinds.count("gateway") == 36
    assert "gas_alarm" not in kinds
    assert "light_pole" not in kinds
    assert all(m.via in {c.owner for c in found} for m in feed(NOON).due(NOON, NOON + 5_000))
