import pytest

from devices.errors import Undecodable
from ingest.alarms.engine import Engine
from ingest.alarms.own_kind import COLLECTOR
from ingest.alarms.rules import REPEAT_OFFENDER, kind_book
from ingest.decoding import Decoder, Unregistered
from ingest.records import TICK, Record
from simulators.errors import ScenarioFault
from simulators.scenario_file import OWN_SCENARIOS, load_scenario
from tests.simulators.city import at_ms, demo_site, feed, readings
from tests.simulators.plays import DAY_H, NIGHT_H, SCENARIOS, Plays

START = at_ms(DAY_H)
EXPECTS = [(name, expect) for name, scenario in SCENARIOS.items() for expect in scenario.expects]


def played(name, incidents=False):
    scenario = SCENARIOS[name]
    city = feed(START, incidents=incidents)
    city.start(scenario, START)
    return city.due(START, START + round(scenario.lasts_s * 1000))


@pytest.fixture(scope="module")
def plays(tmp_path_factory):
    return Plays(tmp_path_factory.mktemp("plays"))


def test_one_scenario_per_kind_at_least():
    kinds = {expect.rule.partition(".")[0] for _, expect in EXPECTS}
    assert kinds == set(demo_site().catalog.kinds)


@pytest.mark.parametrize(("name", "expect"), EXPECTS, ids=[f"{n}-{e.rule}-{e.device}" for n, e in EXPECTS])
def test_a_scenario_raises_what_it_promises(name, expect, plays):
    raised = plays.played(name, expect.light).raised
    assert (expect.rule, expect.level, expect.device) in raised, sorted(raised)


@pytest.mark.parametrize("light", ["day", "night"])
@pytest.mark.parametrize("name", [name for name, scenario in SCENARIOS.items() if scenario.targets])
def test_a_scenario_raises_nothing_that_it_forbids(name, light, plays):
    found, nevers = plays.played(name, light), SCENARIOS[name].nevers
    assert nevers
    assert [alarm for alarm in found.raised if any(never.means(alarm[0], alarm[2]) for never in nevers)] == []
    assert found.alarms >= SCENARIOS[name].at_least


def test_a_thunderstorm_is_a_flood(plays):
    """Five times what ISA-18.2 calls a flood: more than ten alarms in ten minutes."""
    storm = SCENARIOS["thunderstorm"]
    assert storm.lasts_s == 600
    assert plays.played("thunderstorm").alarms >= storm.at_least > 50


def test_together_they_raise_every_rule():
    told = {expect.rule for _, expect in EXPECTS}
    rules = {rule_id for rule_id, rule in kind_book(demo_site().catalog).by_id.items() if rule.kind != COLLECTOR.key}
    # A gas alarm may be silent for a day before it counts as lost: no demonstration lasts so long. A wrong clock is
    # told of every kind alike, by no rule of its table.
    assert rules | {REPEAT_OFFENDER, "refuse_truck.clock"} == told | {"gas_alarm.no_data"}


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
        ("[[never]]\nrule = 3", "never[0].rule, device: expected texts"),
        ('[[expect]]\nrule = "a.b"\ndevice = "c"\n[[never]]\nrule = "a.*"', "forbids a.b of c, which expect demands"),
        ('[targets]\na = {id = "b"}\n[[steps]]\ntarget = "a"\nfault = "late"', "late needs one, seconds"),
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


def test_a_drone_still_speaks_in_the_air_when_its_dock_is_lost():
    late = [m for m in played("dock_rain") if m.at_ms > START + 205_000 and not m.topic.endswith("status")]
    heard = [r for m in late if "/drone-06/" in m.topic for r in readings(m)]
    flying = [r for r in heard if r.values.get("alt_rel_m", 0) > 20]
    assert len(flying) > 30
    assert not [m for m in late if "/dock-06/" in m.topic]
