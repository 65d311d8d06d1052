from dataclasses import replace

import pytest
import sqlalchemy as sa

from devices.errors import Undecodable
from ingest.alarms import offences, offenders
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.engine import Engine
from ingest.alarms.own_kind import COLLECTOR
from ingest.alarms.rules import REPEAT_OFFENDER, kind_book
from ingest.alarms.tables import occurrence
from ingest.decoding import Decoder, Unregistered
from ingest.journal import TICK, Record
from simulators.errors import ScenarioFault
from simulators.feed import Feed
from simulators.scenario_file import OWN_SCENARIOS, load_scenario, scenario_names
from simulators.targets import resolve
from tests.simulators.city import at_ms, clock, demo_site, feed, readings

DAY_H, NIGHT_H = 14, 21
RAISES = ("raise", "change", "passage", "late")

START = at_ms(DAY_H)
SCENARIOS = {name: load_scenario(name) for name in scenario_names()}
EXPECTS = [(name, expect) for name, scenario in SCENARIOS.items() for expect in scenario.expects]


def played(name, incidents=False):
    scenario = SCENARIOS[name]
    city = feed(START, incidents=incidents)
    city.start(scenario, START)
    return city.due(START, START + round(scenario.lasts_s * 1000))


@pytest.fixture(scope="module")
def plays(tmp_path_factory):
    return Plays(tmp_path_factory.mktemp("offenders"))


class Plays:
    """What the engine says of a scenario, played on the devices it concerns, by day or by night."""

    def __init__(self, folder):
        self._database = AlarmDatabase(f"sqlite:///{folder / 'alarms.db'}")
        self._database.migrate()
        self._known = {}

    def raised(self, name, light=""):
        """Return every (rule, level, device) that was reached."""
        if (name, light) not in self._known:
            self._known[name, light] = self._played(SCENARIOS[name], at_ms(NIGHT_H if light == "night" else DAY_H))
        return self._known[name, light]

    def _played(self, scenario, begin_ms):
        site = scene(scenario)
        city = Feed(site, 1, clock(), begin_ms, incidents=False)
        city.start(scenario, begin_ms)
        end_ms = begin_ms + round(scenario.lasts_s * 1000)
        heard = [(m.at_ms, m.topic, m.payload) for m in city.due(begin_ms, end_ms)]
        heard += [(ms, TICK, b"") for ms in range(begin_ms, end_ms, 1000)]
        decoder, engine = Decoder(site, Unregistered()), Engine(site)
        journal = [Record(n, *each) for n, each in enumerate(sorted(heard), 1)]
        told = engine.feed([decoder.outcome(record) for record in journal])
        with self._database.write() as connection:
            offences.keep(connection, scenario.key, told, b"secret")
        offenders.look(self._database, end_ms)
        with self._database.read() as connection:
            rows = connection.execute(sa.select(occurrence.c.rule, occurrence.c.level_peak, occurrence.c.device)).all()
        return {(t.rule, t.level, t.device) for t in told if t.what in RAISES} | {tuple(row) for row in rows}


def scene(scenario):
    """Return the demo site with the devices of a scenario, what they hang on, and all of their circuits and streets."""
    site = demo_site()
    wanted = {device.id for found in resolve(scenario, site).values() for device in found}
    for expect in scenario.expects:
        by, _, name = expect.device.rpartition(":")
        wanted |= {d.id for d in site.devices.values() if by and d.kind == "light_pole" and getattr(d, by) == name}
    wanted |= {site.devices[name].parent for name in wanted}
    devices = {key: device for key, device in site.devices.items() if key in wanted}
    by_foreign = {key: device for key, device in site.by_foreign.items() if device.id in devices}
    return replace(site, devices=devices, by_foreign=by_foreign, ways={})


def test_one_scenario_per_kind_at_least():
    kinds = {expect.rule.partition(".")[0] for _, expect in EXPECTS}
    assert kinds == set(demo_site().catalog.kinds)


@pytest.mark.parametrize(("name", "expect"), EXPECTS, ids=[f"{n}-{e.rule}-{e.device}" for n, e in EXPECTS])
def test_a_scenario_raises_what_it_promises(name, expect, plays):
    raised = plays.raised(name, expect.light)
    assert (expect.rule, expect.level, expect.device) in raised, sorted(raised)


def test_together_they_raise_every_rule():
    told = {expect.rule for _, expect in EXPECTS}
    rules = {rule_id for rule_id, rule in kind_book(demo_site().catalog).by_id.items() if rule.kind != COLLECTOR.key}
    # A gas alarm may be silent for a day before it counts as lost: no demonstration lasts so long.
    assert rules | {REPEAT_OFFENDER} == told | {"gas_alarm.no_data"}


@pytest.mark.parametrize("hour", [DAY_H, NIGHT_H])
def test_a_quiet_night_raises_nothing(hour):
    site, begin_ms = demo_site(), at_ms(hour)
    city = feed(begin_ms, incidents=False)
    city.start(SCENARIOS["quiet_night"], begin_ms)
    decoder, engine = Decoder(site, Unregistered()), Engine(site)
    told = []
    for start_ms in range(begin_ms, begin_ms + 600_000, 10_000):
        heard = [(m.at_ms, m.topic, m.payload) for m in city.due(start_ms, start_ms + 10_000)]
        heard += [(ms, TICK, b"") for ms in range(start_ms, start_ms + 10_000, 1000)]
        journal = [Record(start_ms + n, *each) for n, each in enumerate(sorted(heard))]
        told += engine.feed([decoder.outcome(record) for record in journal])
    assert [(t.what, t.point, t.value) for t in told if t.what not in ("stale", "fresh")] == []


def test_only_the_speaking_alarm_is_heard_behind_a_dead_gateway():
    late = [m for m in played("gateway_down") if m.at_ms > START + 6_000 and not m.topic.endswith("status")]
    heard = {m.topic.split("/")[4] for m in late if m.topic.startswith("city/")}
    children = {d.id for d in demo_site().devices.values() if d.parent == "gw-s03-g1"}
    assert heard & children == {"gas-0350"}
    assert "gw-s03-g1" not in heard
    assert {m.via for m in late if "/gas-0350/" in m.topic} == {"gas-0350"}


def test_named_faults():
    plain, bad = feed(START, incidents=False).due(START, START + 600_000), played("bad_messages")

    def own(messages, device):
        return [m for m in messages if f"/{device}/" in m.topic]

    assert len(own(bad, "truck-031")) > 1.9 * len(own(plain, "truck-031"))
    held = [m for m in own(bad, "truck-030") if m.payload.find(str(m.at_ms - 45_000).encode()) > 0]
    assert len(held) > 20
    broken = 0
    for message in own(bad, "truck-032"):
        try:
            readings(message)
        except (Undecodable, AssertionError):
            broken += 1
    assert broken > 5
    skewed = [r for m in own(bad, "truck-033") for r in readings(m) if r.flags.get("") == "clock_skew"]
    assert len(skewed) > 20
    volts = {r.values["supply_v"] for m in own(bad, "pole-0201")[2:] for r in readings(m) if "supply_v" in r.values}
    assert len(volts) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = 3", "name: expected"),
        ('[[steps]]\ntarget = "x"', "'x' is not among the targets"),
        ("[targets]\na = {}", "targets.a.: expected id"),
        ("lasts = 3", "did you mean 'lasts_s'?"),
        ('[targets]\na = {id = "b"}\n[[steps]]\ntarget = "a"\nfault = "broken"', "expected one of silent"),
        ("= 3", "is not TOML"),
    ],
)
def test_mistakes_in_a_file_are_told(tmp_path, text, sentence):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ScenarioFault) as caught:
        load_scenario(str(path))
    assert sentence in str(caught.value)


def test_an_unknown_scenario_or_device_is_told(tmp_path):
    with pytest.raises(ScenarioFault, match="did you mean 'gas_leak'"):
        load_scenario("gas_leek")
    path = tmp_path / "elsewhere.toml"
    own = (OWN_SCENARIOS / "gas_leak.toml").read_text()
    path.write_text(own.replace('id = "gas-0042"', 'id = "gas-9999"'))
    with pytest.raises(ScenarioFault, match="no device 'gas-9999'"):
        feed(START).start(load_scenario(str(path)), START)
