"""Devices of the past: each instant of a seeded day of messages reads as it read when it was now."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cockpit.board import Board
from cockpit.city import City
from cockpit.kind_counts import kind_counts
from cockpit.past import Past
from cockpit.problems import Problem
from cockpit.reading import Reader
from cockpit.rule_board import RuleBoard
from devices.site import Site
from ingest.alarms import occurrences
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.engine import Engine
from ingest.decoding import Decoder, Unregistered
from ingest.live import Live, unsealed
from ingest.records import TICK, Record
from ingest.store import Store
from ingest.store.influx import InfluxStore
from ingest.store.sqlite import SqliteStore
from tests.ingest.messages import T_MS, Message, native, passage
from tests.servers.influxdb import Influx
from tests.sites import small_site

SECRET = b"s"
STEP_S = 20
STEPS = 400
EVERY = 29
HOUR_MS = 3_600_000


class FixedClock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.at_ms = T_MS

    def now_ms(self) -> int:
        return self.at_ms

    def replay(self) -> None:
        return None


class Town:
    """A city without its network: decoding, engine, alarm database, store, and the cockpit's picture of it."""

    def __init__(self, site: Site, database: AlarmDatabase, store: Store) -> None:
        self.site, self.database, self.store = site, database, store
        self.decoder, self.engine = Decoder(site, Unregistered()), Engine(site)
        self.city = City(site)
        self.live = Live(self.engine, site.catalog, "main", SECRET, self._publish)
        self.board = Board(database, site)
        self.clock = FixedClock()
        self.reader = Reader(site, self.city, store, self.board, RuleBoard(database, site), self.clock)
        self.past = Past(site, store, database, self.board, self.reader, self.clock, "v")
        self.position = 0

    def step(self, at_ms: int, messages: list[Message]) -> None:
        """Let messages come, and a second pass."""
        self.clock.at_ms = at_ms
        taken = []
        # A collector that does not tick is taken for one that heard nothing.
        ticks = [(at_ms - back_ms, (TICK, b"")) for back_ms in (15_000, 10_000, 5_000)]
        for received_ms, message in [*ticks, *((at_ms, message) for message in messages), (at_ms, (TICK, b""))]:
            self.position += 1
            taken.append(self.decoder.outcome(Record(self.position, received_ms, *message)))
        occurrences.apply(self.database, "main", self.engine.feed(taken), self.position, at_ms)
        readings = [reading for outcome in taken for reading in outcome.readings]
        self.store.write(readings, self.position)
        self.live.heard(readings)
        changed = sorted(self.engine.memory.changed)
        self.engine.memory.changed.clear()
        self.live.second(changed, {})
        self.live.finish()

    def _publish(self, topic: str, payload: bytes, _qos: int) -> None:
        document = unsealed(payload, SECRET)
        assert document is not None
        self.city.hear(topic.rpartition("/")[2], document, self.clock.at_ms)

    def said(self) -> dict[str, Any]:
        """Return what the API says now."""
        alarms = self.board.listed("open", None, 1_000, 0)
        names = sorted(self.city.devices)
        return {
            "devices": [self.reader.device_document(name) for name in self.reader.devices(None, None, None)],
            "positions": {name: self.reader.position(name, self.city.devices[name]) for name in names},
            "kinds": kind_counts(self.site, self.city.devices.values(), alarms),
            "live": self.city.live_values(names),
            "online": {name: self.city.devices[name].online for name in names},
            "alarms": alarms,
            "passages": [dict(each) for each in reversed(self.city.passages.get("bridge_wim", ()))][:30],
        }


def said_of(town: Town, at_ms: int) -> dict[str, Any]:
    """Return what the API says of an instant."""
    reader, snapshot = town.past.reader(at_ms), town.past.snapshot(at_ms)
    city = town.past.moment(at_ms).city
    return {
        "devices": [reader.device_document(name) for name in reader.devices(None, None, None)],
        "positions": {name: reader.position(name, city.devices[name]) for name in sorted(city.devices)},
        "kinds": snapshot["summary"]["kinds"],
        "live": {name: values for name, values in snapshot["devices"].items() if values},
        "online": snapshot["online"],
        "alarms": snapshot["alarms"],
        "passages": snapshot["passages"],
    }


def a_day(seed: int) -> Iterator[tuple[int, list[Message]]]:
    """Yield instants and what came at them: devices that fall silent and come back, leaks, lorries, a stranger."""
    chance = random.Random(seed)
    away: dict[str, int] = {"gas-2": 60}
    leak = dim = 0.0
    for step in range(STEPS):
        at_ms = T_MS + step * STEP_S * 1000
        found: list[Message] = []

        def say(every: int, *message: Any, at: int = at_ms, now: int = step, to: list[Message] = found) -> None:
            if now % every == 0 and now >= away.get(message[1], 0):
                to.append(native(*message, ts=at, seq=now))

        if chance.random() < 0.06:
            away[chance.choice(["gas-1", "pole-1", "dock-1", "drone-1", "truck-1", "wim-1", "gw-1"])] = (
                step + chance.choice([4, 20, 200])
            )
        if chance.random() < 0.01:
            found.append(("city/v1/demo/gateway/gw-1/status", b"offline"))
            away["gw-1"] = step + 10
        leak = chance.choice([0.0, 0.0, 30.0, 60.0]) if chance.random() < 0.05 else leak
        dim = chance.choice([0.0, 50.0, 100.0])
        say(1, "gateway", "gw-1", {"uptime_s": float(step), "children": 1.0})
        say(15, "gas_alarm", "gas-1", {"conc_pct_lel": leak + chance.random(), "batt_v": 3.6})
        say(15, "gas_alarm", "gas-2", {"conc_pct_lel": 0.5, "_": 1})
        say(3, "light_pole", "pole-1", {"dim_pct": dim, "cmd_pct": 100.0, "lamp_fail": chance.random() < 0.1})
        say(1, "drone_dock", "dock-1", {"drone_in_dock": float(chance.random() < 0.5)})
        say(
            1,
            "drone",
            "drone-1",
            {"lat": 30.3 + step / 1e5, "lon": 120.1, "mode": 5.0, "height_m": 40.0 + chance.random()},
        )
        say(
            2,
            "refuse_truck",
            "truck-1",
            {"lat": 30.2, "lon": 120.1 + step / 1e5, "load_kg": 100.0 * chance.randint(0, 60)},
        )
        say(3, "bridge_wim", "wim-1", {"uptime_s": float(step), "temp_c": 20.0})
        if 100 < step < 200:
            say(15, "gas_alarm", "gas-9", {"conc_pct_lel": 1.0})
        if chance.random() < 0.1:
            found.append(passage("wim-1", f"p{step}", at_ms, chance.choice([8_000, 20_000, 60_000])))
        yield at_ms, found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Give the small site."""
    return small_site(tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[AlarmDatabase]:
    """Give an empty alarm database."""
    opened = AlarmDatabase(f"sqlite:///{tmp_path / 'alarms.db'}")
    # Nobody pulls the plug here: hundreds of commits need not reach the disk.
    sa.event.listen(opened.engine, "connect", lambda each, _: each.execute("PRAGMA synchronous=OFF"))
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "influx"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Site], Store]:
    """Give how to make a store of each sort."""

    def make(site: Site) -> Store:
        if request.param == "sqlite":
            return SqliteStore(tmp_path / "readings.db", site.catalog)
        server: Influx = request.getfixturevalue("influx")
        return InfluxStore(f"{server.url}?org={server.org}&bucket={server.database}", site.catalog)

    return make


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_instant_reads_as_it_read_then(
    site: Site, database: AlarmDatabase, make_store: Callable[[Site], Store]
) -> None:
    town = Town(site, database, make_store(site))
    said: dict[int, Any] = {}
    for number, (at_ms, messages) in enumerate(a_day(7)):
        town.step(at_ms, messages)
        if number % EVERY == EVERY - 1:
            said[at_ms] = town.said()
    # What would a quiet day tell?
    assert {name for each in said.values() for name, online in each["online"].items() if not online} > {"gas-2", "gw-1"}
    assert len({len(each["alarms"]) for each in said.values()}) > 2
    for at_ms, before in said.items():
        found = said_of(town, at_ms)
        for passed, known in zip(found.pop("passages"), passages := before.pop("passages"), strict=True):
            # As from a restart on, the lane, which is a tag, stands among the values.
            assert passed == {**known, "values": {**known["values"], "lane": "1"}}
        assert len(passages) <= 30
        for key, value in before.items():
            assert found[key] == value, (key, (at_ms - T_MS) / 1000)
        for document in before["devices"]:
            assert town.past.device(document["id"], at_ms) == document, (at_ms - T_MS) / 1000
    town.store.close()


@pytest.fixture
def town(site: Site, database: AlarmDatabase, tmp_path: Path) -> Iterator[Town]:
    """Give a town in which one detector spoke at noon."""
    kept = replace(site, store=replace(site.store, raw_days=90))
    made = Town(kept, database, SqliteStore(tmp_path / "readings.db", site.catalog))
    made.step(T_MS, [native("gas_alarm", "gas-1", {"conc_pct_lel": 1.0}, ts=T_MS)])
    made.clock.at_ms = T_MS + 10 * HOUR_MS
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("yesterday", "is no instant"),
        ("2026-01-01T00:00:00", "with an offset"),
        ("2026-01-01T19:00:00+00:00", "lies in the future"),
        ("9999999999999999", "is no instant"),
    ],
)
def test_an_instant_that_nobody_can_tell_of_is_refused_in_one_sentence(town: Town, text: str, sentence: str) -> None:
    with pytest.raises(Problem) as refused:
        town.past.instant(text)
    assert refused.value.status == 422
    assert sentence in refused.value.detail


def test_an_instant_whose_readings_are_kept_no_more_is_refused_for_values_alone(town: Town) -> None:
    """Alarms and cases are told of it all the same, and the first message says why there is nothing else."""
    at_ms = T_MS + HOUR_MS
    town.step(at_ms, [native("gas_alarm", "gas-1", {"conc_pct_lel": 70.0}, ts=at_ms, seq=1)])
    before = town.past.snapshot(at_ms)
    town.clock.at_ms = at_ms + 91 * 24 * HOUR_MS
    assert town.past.instant(str(at_ms)) == at_ms
    with pytest.raises(Problem, match="is older than the 90 days for which this site keeps readings"):
        town.past.instant_of_values(str(at_ms))
    after = town.past.snapshot(at_ms)
    assert {alarm["device"] for alarm in after["alarms"]} >= {"gas-1"}
    assert after["alarms"] == before["alarms"]
    assert [each["past"]["values_kept"] for each in (before, after)] == [True, False]
    assert after["past"]["days_kept"] == 90


def test_before_the_first_reading_there_is_nothing(town: Town) -> None:
    found = town.past.snapshot(T_MS - 1)
    assert found["past"]["devices_with_readings"] == 0
    assert found["devices"] == {} and found["alarms"] == [] and not any(found["online"].values())
    assert town.past.device("gas-1", T_MS - 1) is not None
    assert town.past.device("gas-9", T_MS) is None


def test_a_reading_counts_at_its_instant_and_is_stale_after_the_time_of_its_kind(town: Town) -> None:
    stale_ms = round(town.site.catalog.kinds["gas_alarm"].stale_after_s * 1000)
    for at_ms, online in ((T_MS, True), (T_MS + stale_ms - 1, True), (T_MS + stale_ms, False)):
        assert town.past.snapshot(at_ms)["online"]["gas-1"] is online
        document = town.past.device("gas-1", at_ms)
        assert document is not None
        assert (document["online"], document["quality"]) == (online, "good" if online else "stale")
        assert document["latest"]["conc_pct_lel"]["value"] == 1.0
