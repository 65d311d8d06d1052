"""What falls due while nobody is there to see it: shelves, decisions, delays that ran when the process died."""

import shutil
import time
from pathlib import Path

import pytest

from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.shelving import Shelving, shelve
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import suppression
from ingest.alarms.timers import due
from tests.ingest.alarms.collecting import Town
from tests.ingest.alarms.feeding import T0, message, ticks
from tests.ingest.alarms.keeping import acts, keep, rows, transition
from tests.ingest.conftest import MakeCollector
from tests.ingest.messages import native
from tests.ingest.publisher import Publisher
from tests.servers.mosquitto import Mosquitto

OFFICER = Person("officer", ("officer",))
MINUTE_MS = 60_000
Message = tuple[float, str, bytes]


def test_a_shelf_runs_out_while_the_collector_is_killed(make_collector: MakeCollector, mosquitto: Mosquitto) -> None:
    """Kill -9, the shelf's end passes, restart: the alarm is in sight again and wants to be acknowledged anew."""
    collector = make_collector(mosquitto.port, "embedded")
    collector.connected()
    publisher = Publisher(mosquitto.port)
    publisher.publish(native("light_pole", "pole-1", {"lamp_fail": True}))
    collector.wait(lambda: ("pole-1/lamp_fail.fault", 1) in collector.alarms())
    database = AlarmDatabase(f"sqlite:///{collector.data / 'alarms.db'}")
    (row,) = [row for row in rows(database) if row["device"] == "pole-1"]
    collector.kill()
    # What an officer did by a cockpit that went on: acknowledged, and shelved for a minute that is over by now.
    ago_ms = time.time_ns() // 1_000_000 - 2 * MINUTE_MS
    acknowledge(database, Acknowledgement(row["id"], 1, "k1"), OFFICER, ago_ms)
    shelve(database, Shelving(row["id"], "works", "k2", 60), OFFICER, ago_ms, ago_ms + 60 * MINUTE_MS)
    assert next(each for each in rows(database) if each["id"] == row["id"])["suppression"] == "shelved"
    collector.start()
    collector.wait(lambda: any(act[1] == "shelf_expired" for act in acts(database)))
    shown = next(each for each in rows(database) if each["id"] == row["id"])
    assert (shown["state"], shown["suppression"], shown["active"]) == ("UNACK", "none", True)
    assert collector.stop() == 0
    assert [act[1] for act in acts(database)].count("shelf_expired") == 1
    publisher.close()
    database.close()


def shelved(database: AlarmDatabase) -> str:
    ((name, _),) = keep(database, transition("raise", 1, priority="P4", kind="light_pole"))
    acknowledge(database, Acknowledgement(name, 1, "k1"), OFFICER, 2_000)
    shelve(database, Shelving(name, "works", "k2", 3_600), OFFICER, 3_000, 100_000_000)
    return name


def test_it_ends_once_however_late_and_often_it_is_looked_for(database: AlarmDatabase) -> None:
    shelved(database)
    assert due(database, 3_600_000) == []
    assert len(due(database, 90_000_000)) == 1
    assert due(database, 90_000_001) == []
    assert acts(database)[-1][1:] == ("shelf_expired", "ACKED", "UNACK")


@pytest.mark.parametrize("until", [None, -5, 10**15], ids=["none", "before it began", "longer than anybody may"])
def test_a_shelf_that_cannot_be_read_is_no_shelf(database: AlarmDatabase, until: int | None) -> None:
    """Rather an alarm too many in sight than one too few."""
    shelved(database)
    with database.write() as connection:
        connection.execute(suppression.update().values(until=until))
    assert len(due(database, 4_000)) == 1
    assert (rows(database)[0]["suppression"], acts(database)[-1][1]) == ("none", "shelf_expired")


def test_what_ended_meanwhile_stays_ended(database: AlarmDatabase) -> None:
    """An alarm that returned and was closed on its shelf is not opened again by the shelf's end."""
    shelved(database)
    keep(database, transition("return", 4_000, 0))
    assert rows(database)[0]["state"] == "CLOSED"
    before = rows(database)
    due(database, 90_000_000)
    assert rows(database) == before


def test_a_decision_that_fell_due_meanwhile(database: AlarmDatabase) -> None:
    ((name, _),) = keep(database, transition("raise", 1))
    acknowledge(database, Acknowledgement(name, 1, "k1"), OFFICER, 2_000)
    due(database, 10_000_000)
    due(database, 10_000_001)
    assert [act[1] for act in acts(database)] == ["raise", "ack", "undecided"]
    assert rows(database)[0]["state"] == "UNACK"


def pole(at_s: float, dim: float) -> Message:
    return message(at_s, "light_pole", "pole-1", {"dim_pct": dim, "cmd_pct": 80})


def gas(at_s: float, value: float) -> Message:
    return message(at_s, "gas_alarm", "gas-1", {"conc_pct_lel": value})


# Messages until the process dies, and after it is back; the alarm that must rise, and the second of its cause.
DELAYS: dict[str, tuple[list[Message], list[Message], tuple[str, str, int]]] = {
    "an on-delay of device time": (
        [*ticks(0, 210), pole(0, 50), pole(100, 50), pole(200, 50)],
        [*ticks(210, 400), pole(250, 50), pole(299, 50), pole(300, 50), pole(350, 50)],
        ("raise", "pole-1/dim_pct.deviation", 300),
    ),
    "an off-delay of device time": (
        [gas(0, 30), gas(10, 1)],
        [gas(69, 1), gas(70, 1)],
        ("return", "gas-1/conc_pct_lel.high", 70),
    ),
    "silence": (
        [message(0, "gateway", "gw-1", {"uptime_s": 1}), *ticks(0, 95)],
        [*ticks(95, 105)],
        ("raise", "gw-1/no_data", 100),
    ),
    "silence, with nobody there for an hour": (
        [message(0, "gateway", "gw-1", {"uptime_s": 1}), *ticks(0, 95)],
        [*ticks(3_600, 3_705)],
        ("raise", "gw-1/no_data", 3_700),
    ),
}  # fmt: skip


@pytest.mark.parametrize("checkpoint", ["saved", "lost", "of long ago"])
@pytest.mark.parametrize("name", DELAYS)
def test_a_delay_that_was_running_when_the_process_died(tmp_path: Path, name: str, checkpoint: str) -> None:
    """It goes on from stored instants and ends on time, to the same record as if nothing had happened."""
    before, after, (what, point, second) = DELAYS[name]
    whole, broken = Town(tmp_path / "whole"), Town(tmp_path / "broken")
    whole.receive(before)
    whole.receive(after)
    whole.judge()
    before = sorted(before, key=lambda each: each[0])
    broken.receive(before[:2])
    broken.judge()
    old = tmp_path / "checkpoint.db"
    shutil.copy(broken.places.checkpoint, old)
    broken.receive(before[2:])
    broken.judge()
    if checkpoint == "lost":
        broken.places.checkpoint.unlink()
    elif checkpoint == "of long ago":
        # The process died with its findings kept and its last checkpoint not written.
        shutil.copy(old, broken.places.checkpoint)
    broken.receive(after)
    broken.judge()
    assert broken.told() == whole.told()
    assert (what, point, T0 + second * 1000) in [(row["action"], row["point"], row["at"]) for row in broken.audit()]
