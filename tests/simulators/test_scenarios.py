import itertools

import pytest

from devices.errors import Undecodable
from devices.kind import Limit
from simulators.errors import ScenarioFault
from simulators.scenario_file import OWN_SCENARIOS, load_scenario, scenario_names
from tests.simulators.city import at_ms, demo_site, feed, readings

START = at_ms(14)
SCENARIOS = {name: load_scenario(name) for name in scenario_names()}
EXPECTS = [(name, expect) for name, scenario in SCENARIOS.items() for expect in scenario.expects]


def played(name, incidents=False):
    scenario = SCENARIOS[name]
    city = feed(START, incidents=incidents)
    city.start(scenario, START)
    return city.due(START, START + round(scenario.lasts_s * 1000))


@pytest.fixture(scope="module")
def plays():
    return {}


def samples(plays, name):
    """Return every decoded reading of a scenario; what its faults spoiled is left out."""
    if name not in plays:
        plays[name] = []
        expected = {f"/{expect.device}/" for expect in SCENARIOS[name].expects}
        for message in played(name):
            if expected and not any(device in message.topic for device in expected):
                continue
            try:
                plays[name].extend(readings(message))
            except (Undecodable, AssertionError):
                assert name == "bad_messages"
    return plays[name]


def test_one_scenario_per_kind_at_least():
    kinds = {expect.rule.partition(".")[0] for _, expect in EXPECTS}
    assert kinds == set(demo_site().catalog.kinds)


@pytest.mark.parametrize(("name", "expect"), EXPECTS, ids=[f"{n}-{e.rule}-{e.device}" for n, e in EXPECTS])
def test_the_values_cross_what_the_scenario_promises(name, expect, plays):
    kind_key, _, rest = expect.rule.partition(".")
    kind = demo_site().catalog.kinds[kind_key]
    own = [r for r in samples(plays, name) if r.device == expect.device and r.measurement != "device_status"]
    if rest == "no_data":
        stamps = [START, *(r.at_ns // 1_000_000 for r in own), START + round(SCENARIOS[name].lasts_s * 1000)]
        assert max(b - a for a, b in itertools.pairwise(stamps)) > kind.no_data.after_s * 1000
        if kind.no_data.while_field is not None:
            # Armed only in a certain state: it must have been in it before it fell silent.
            gap = max(range(len(own) - 1), key=lambda n: own[n + 1].at_ns - own[n].at_ns)
            assert own[gap].values[kind.no_data.while_field] in kind.no_data.while_values
        return
    field_key, _, limit_key = rest.partition(".")
    limit = next(limit for limit in kind.field(field_key).limits if limit.key == limit_key)
    values = [(r.at_ns / 1e9, r.values[field_key]) for r in own if field_key in r.values]
    assert held_s(values, limit, expect.level) >= limit.on_s


def held_s(values, limit: Limit, level: int) -> float:
    """Return how long at most values stayed beyond a level, −1 for never."""
    wanted = limit.levels[level - 1].value
    beyond = {"above": lambda v: v >= wanted, "below": lambda v: v <= wanted, "state": lambda v: v == wanted}[
        limit.sense
    ]
    longest, since = -1.0, None
    for at_s, value in values:
        if not beyond(value):
            since = None
            continue
        since = at_s if since is None else since
        longest = max(longest, at_s - since)
    return longest


def test_together_they_raise_every_rule_of_the_kinds():
    told = {expect.rule for _, expect in EXPECTS}
    rules = set()
    for kind in demo_site().catalog.kinds.values():
        rules |= {f"{kind.key}.{f.key}.{limit.key}" for m in kind.measurements for f in m.fields for limit in f.limits}
        rules |= {f"{kind.key}.no_data"} if kind.no_data is not None else set()
    # A gas alarm may be silent for a day before it counts as lost: no demonstration lasts so long.
    assert rules - told == {"gas_alarm.no_data"}


def test_quiet_night_crosses_nothing(plays):
    for reading in samples(plays, "quiet_night"):
        kind = demo_site().catalog.kinds[reading.kind]
        for key, value in reading.values.items():
            for limit in kind.field(key).limits:
                assert held_s([(0, value)], limit, 1) < 0, reading


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
