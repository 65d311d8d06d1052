"""Every announcement reaches every channel that wants it: late if need be, twice only across a crash, never lost."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from devices.site import Channel, Site
from ingest.alarms.audit import Person
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import occurrence
from ingest.errors import AlarmError, Refused
from ingest.notices import deliveries
from ingest.notices.courier import Courier, couriers, sender, stop
from ingest.notices.deliveries import GIVE_UP_MS, KEPT_DAYS, counts, forget, give_up, listed, take_out
from ingest.notices.reviving import Revival, revive
from tests.ingest.alarms.keeping import acts, keep, transition
from tests.ingest.notices.receiver import Receiver
from tests.servers.waiting import wait_until

NOW = 20_000
DUTY = Channel("duty", "webhook", "CITYDECK_NOTIFY_DUTY", ("officer",), ("P1", "P2"))
LEADER = Person("leader", ("leader",))
ROOT = Path(__file__).parents[3]
# The sender as a process of its own, to be killed.
_SENDER = f"""
import os
from devices.site import Channel
from ingest.alarms.database import AlarmDatabase
from ingest.notices.courier import Courier, sender
channel = {DUTY!r}
Courier(channel, sender(channel), AlarmDatabase(os.environ["ALARMS"]), lambda: {NOW}, lambda: True).deliver()
"""
CHIEF = Channel("chief", "mail", "CITYDECK_NOTIFY_CHIEF", ("officer", "leader"), ("P1",))


def away(*_: Any) -> Any:
    raise AlarmError("the alarm database cannot be written: it is away")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def clock() -> list[int]:
    return [NOW]


@pytest.fixture
def courier(database: AlarmDatabase, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, clock: list[int]) -> Courier:
    return courier_of(DUTY, receiver.address, database, monkeypatch, clock)


def courier_of(
    channel: Channel, address: str, database: AlarmDatabase, monkeypatch: pytest.MonkeyPatch, clock: list[int]
) -> Courier:
    monkeypatch.setenv(channel.env, address)
    send = sender(channel)
    assert send is not None
    return Courier(channel, send, database, lambda: clock[0], lambda: True)


def raised(database: AlarmDatabase, site: Site, *channels: Channel, count: int = 1, level: int = 2) -> None:
    found = [transition("raise", 10 + n, level=level, point=f"gas-1/{n}") for n in range(count)]
    keep(database, *found)
    take_out(database, replace(site, channels=channels), NOW)


def states(database: AlarmDatabase) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [
            (row["channel"], "sent" if row["sent_at"] else "dead" if row["dead_at"] else "waiting")
            for row in listed(connection, "all", 1000, 0)
        ]


def test_a_notice_says_what_where_and_whom_to_call(
    database: AlarmDatabase, site: Site, courier: Courier, receiver: Receiver
) -> None:
    raised(database, site, DUTY)
    assert courier.deliver() == 1
    (message,) = receiver.messages
    assert message["title"] == "[P1 紧急] 燃气浓度 · gas-1"
    lines = message["message"].split("\n")
    assert lines[0] == "燃气浓度 100 %LEL"
    assert lines[1].startswith("时间 1970-01-01 08:00:10+0800")
    assert "责任单位 燃气公司 0571-5550-0101" in lines
    assert lines[-2] == "gas concentration 100 %LEL, gas-1, First Street"
    assert courier.deliver() == 0


def test_each_channel_gets_what_it_wants(database: AlarmDatabase, site: Site) -> None:
    raised(database, site, DUTY, CHIEF, level=1)
    assert states(database) == [("duty", "waiting")]
    keep(database, transition("change", 30, level=2, point="gas-1/0"))
    take_out(database, replace(site, channels=(DUTY, CHIEF)), NOW)
    assert sorted(states(database)) == [("chief", "waiting"), ("duty", "waiting"), ("duty", "waiting")]


def test_a_receiver_that_is_broken_gets_it_when_it_is_mended(
    database: AlarmDatabase, site: Site, courier: Courier, receiver: Receiver, clock: list[int]
) -> None:
    raised(database, site, DUTY)
    receiver.answer = 500
    assert courier.deliver() == 0
    assert courier.deliver() == 0
    assert receiver.tried == 1
    receiver.answer = 200
    clock[0] += 4_999
    assert courier.deliver() == 0
    clock[0] += 1
    assert courier.deliver() == 1
    assert len(receiver.messages) == 1


def test_a_receiver_that_is_away_is_tried_later_and_later_and_given_up_after_a_day(
    database: AlarmDatabase, site: Site, monkeypatch: pytest.MonkeyPatch, clock: list[int],
    receiver: Receiver, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    receiver.close()
    courier = courier_of(DUTY, receiver.address, database, monkeypatch, clock)
    raised(database, site, DUTY)
    tries = 0
    with caplog.at_level(logging.WARNING, "ingest"):
        while states(database) == [("duty", "waiting")]:
            courier.deliver()
            tries += 1
            clock[0] += 900_000
    assert 90 <= tries <= 110
    assert clock[0] - NOW >= GIVE_UP_MS
    sentences = [record.getMessage() for record in caplog.records if record.name.startswith("ingest")]
    assert sentences == ["channel duty did not take a message; it is tried again"]
    with database.read() as connection:
        (dead,) = listed(connection, "dead", 10, 0)
        assert counts(connection) == {"duty": {"waiting": 0, "dead": 1}}
    again = revive(database, Revival((dead["key"], "another"), "k1"), LEADER, clock[0])
    assert (again.keys, again.by) == ((dead["key"],), "leader")
    assert revive(database, Revival((dead["key"], "another"), "k1"), LEADER, clock[0] + 1) == again
    assert states(database) == [("duty", "waiting")]
    assert acts(database)[-1] == ("leader", "notice_revived", "", "")
    mended = Receiver()
    assert courier_of(DUTY, mended.address, database, monkeypatch, clock).deliver() == 1
    assert mended.keys() == [dead["key"]]
    mended.close()


@pytest.mark.parametrize(("who", "why"), [(Person("viewer", ("viewer",)), "role"), (LEADER, "not_found")])
def test_reviving_what_is_not_dead_or_as_nobody(database: AlarmDatabase, site: Site, who: Person, why: str) -> None:
    raised(database, site, DUTY)
    with database.read() as connection:
        (waiting,) = listed(connection, "waiting", 10, 0)
    with pytest.raises(Refused) as refused:
        revive(database, Revival((waiting["key"],), "k1"), who, NOW)
    assert refused.value.why == why
    assert states(database) == [("duty", "waiting")]


def test_what_nobody_tries_is_given_up_after_a_day_and_forgotten_at_last(database: AlarmDatabase, site: Site) -> None:
    raised(database, site, DUTY)
    assert give_up(database, NOW + GIVE_UP_MS - 1) == 0
    assert give_up(database, NOW + GIVE_UP_MS) == 1
    assert states(database) == [("duty", "dead")]
    kept_ms = KEPT_DAYS * 86_400_000
    forget(database, NOW + GIVE_UP_MS + kept_ms)
    assert states(database) == [("duty", "dead")]
    forget(database, NOW + GIVE_UP_MS + kept_ms + 1)
    assert states(database) == []


def test_a_slow_receiver_keeps_no_other_channel_waiting(
    database: AlarmDatabase, site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, clock: list[int]
) -> None:
    other = Receiver()
    slow = courier_of(DUTY, receiver.address, database, monkeypatch, clock)
    quick = courier_of(CHIEF, other.address, database, monkeypatch, clock)
    receiver.hold.clear()
    raised(database, site, DUTY, CHIEF)
    slow.start()
    quick.start()
    try:
        wait_until(lambda: receiver.tried and ("chief", "sent") in states(database))
        assert ("duty", "waiting") in states(database)
        receiver.hold.set()
        wait_until(lambda: ("duty", "sent") in states(database))
    finally:
        stop([slow, quick])
        other.close()


def test_killed_between_sending_and_noting_it_is_repeated_under_the_same_number(
    database: AlarmDatabase, address: str, site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch,
    clock: list[int],
) -> None:  # fmt: skip
    """The receiver has taken it and its answer is on its way when the sender is killed."""
    raised(database, site, DUTY)
    receiver.mute.clear()
    environment = {**os.environ, DUTY.env: receiver.address, "ALARMS": address}
    sender_process = subprocess.Popen([sys.executable, "-c", _SENDER], env=environment, cwd=ROOT)
    wait_until(lambda: receiver.messages)
    sender_process.kill()
    assert sender_process.wait() == -signal.SIGKILL
    assert states(database) == [("duty", "waiting")]
    receiver.mute.set()
    assert courier_of(DUTY, receiver.address, database, monkeypatch, clock).deliver() == 1
    first, second = receiver.keys()
    assert first == second
    assert states(database) == [("duty", "sent")]


def test_a_database_that_is_away_after_sending_causes_no_repeat(
    database: AlarmDatabase, site: Site, courier: Courier, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised(database, site, DUTY)
    with monkeypatch.context() as patch:
        patch.setattr(database, "write", away)
        with pytest.raises(AlarmError):
            courier.deliver()
        with pytest.raises(AlarmError):
            courier.deliver()
    assert courier.deliver() == 0
    assert len(receiver.messages) == 1
    assert states(database) == [("duty", "sent")]


def test_what_is_urgent_overtakes_what_waits_behind_a_slow_receiver(
    database: AlarmDatabase, site: Site, courier: Courier, receiver: Receiver
) -> None:
    raised(database, site, DUTY, count=3, level=1)
    receiver.mute.clear()
    courier.start()
    try:
        wait_until(lambda: receiver.messages)
        keep(database, transition("raise", 99, level=2, point="gas-1/worst"))
        take_out(database, replace(site, channels=(DUTY,)), NOW)
        receiver.mute.set()
        wait_until(lambda: len(receiver.messages) == 4)
    finally:
        stop([courier])
    assert ["P1" in message["title"] for message in receiver.messages] == [False, True, False, False]


def test_who_may_not_send_sends_nothing(database: AlarmDatabase, site: Site, receiver: Receiver) -> None:
    raised(database, site, DUTY)
    asleep = Courier(DUTY, lambda *_: True, database, lambda: NOW, lambda: False)
    assert asleep.deliver() == 0
    assert states(database) == [("duty", "waiting")]


def test_a_burst_is_one_message_that_says_how_many(
    database: AlarmDatabase, site: Site, courier: Courier, receiver: Receiver
) -> None:
    raised(database, site, DUTY, count=137)
    assert courier.deliver() == 1
    (message,) = receiver.messages
    assert message["title"].endswith("等 137 条 / 137 alarms")
    assert "另有 117 条" in message["message"]
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(occurrence)).scalar() == 137


def test_announcements_are_taken_out_once(database: AlarmDatabase, site: Site) -> None:
    raised(database, site, DUTY)
    assert take_out(database, replace(site, channels=(DUTY,)), NOW) == 0
    assert len(states(database)) == 1


@pytest.mark.parametrize(
    ("written", "words"),
    [("", "has no address: set CITYDECK_NOTIFY_DUTY"), ("nonsense://x", "holds no address that can be used")],
)
def test_a_channel_without_an_address_is_told_and_its_messages_wait(
    database: AlarmDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, written: str, words: str
) -> None:
    monkeypatch.setenv(DUTY.env, written)
    assert couriers([DUTY], database, lambda: NOW, lambda: True) == []
    (sentence,) = [record.getMessage() for record in caplog.records if record.name.startswith("ingest")]
    assert words in sentence
    assert "nonsense" not in sentence


def test_hidden_alarms_announce_nothing(database: AlarmDatabase, site: Site) -> None:
    keep(database, transition("raise", 10, suppression="by_design", cause="gw-1"))
    assert take_out(database, replace(site, channels=(DUTY,)), NOW) == 0


def test_what_is_no_longer_hidden_is_announced(database: AlarmDatabase, site: Site) -> None:
    """By design while its gateway is down; on its own account, and told, once it is back and this one is not."""
    told = transition("raise", 10, suppression="by_design", cause="gw-1")
    keep(database, told)
    assert take_out(database, replace(site, channels=(DUTY,)), NOW) == 0
    keep(database, transition("unfold", 20))
    assert take_out(database, replace(site, channels=(DUTY,)), NOW + 1) == 1
    assert states(database) == [("duty", "waiting")]
    assert acts(database)[-1] == ("system", "unfold", "UNACK", "UNACK")


def test_what_another_device_explained_and_is_over_calls_nobody(database: AlarmDatabase, site: Site) -> None:
    """A gateway is back with two hundred children: that is no storm of two hundred notices."""
    keep(database, transition("raise", 10, suppression="by_design", cause="gw-1"))
    keep(database, transition("return", 20, level=0))
    keep(database, transition("unfold", 21))
    assert take_out(database, replace(site, channels=(DUTY,)), NOW) == 0
    assert acts(database)[-1] == ("system", "unfold", "RTN_UNACK", "RTN_UNACK")
    # Silent once more, and on its own account.
    keep(database, transition("raise", 30))
    assert take_out(database, replace(site, channels=(DUTY,)), NOW + 1) == 1


def test_the_most_urgent_goes_first(database: AlarmDatabase, site: Site) -> None:
    raised(database, site, DUTY, count=3, level=1)
    keep(database, transition("raise", 99, level=2, point="gas-1/worst"))
    take_out(database, replace(site, channels=(DUTY,)), NOW + 5)
    assert [row["priority"] for row in deliveries.due(database, "duty", NOW + 5, 10)] == ["P1", "P2", "P2", "P2"]
