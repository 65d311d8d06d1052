"""Faults laid over scenarios: what each may change, and what it must not."""

import json

import pytest
from click.testing import CliRunner

from simulators.__main__ import main
from simulators.errors import ScenarioFault
from simulators.fault_words import read_faults
from simulators.scenario import FAULTS
from tests.simulators.city import demo_site
from tests.simulators.plays import SCENARIOS, Plays

HIGH = "gas_alarm.conc_pct_lel.high"
LEAK = "gas-0042"
PLAYABLE = [name for name, scenario in SCENARIOS.items() if scenario.targets]


@pytest.fixture(scope="module")
def plays(tmp_path_factory):
    return Plays(tmp_path_factory.mktemp("plays"))


def everywhere(name, fault, settings=""):
    """Return a fault for every device that a scenario promises an alarm of."""
    site = demo_site()
    devices = {expect.device for expect in SCENARIOS[name].expects if expect.device in site.devices}
    return [f"{fault}:{device}{settings}" for device in sorted(devices)]


@pytest.mark.parametrize("name", PLAYABLE)
@pytest.mark.parametrize(("fault", "settings"), [("twice", ""), ("late", ":amount=2")])
def test_twice_and_a_little_late_change_nothing(name, fault, settings, plays):
    plain, faulty = plays.played(name), plays.played(name, "", *everywhere(name, fault, settings))
    assert faulty.raised == plain.raised
    if fault == "twice" and everywhere(name, fault):
        assert faulty.fates["duplicate"] > plain.fates["duplicate"]


@pytest.mark.parametrize("name", ["gas_leak", "gas_street", "gateway_down", "thunderstorm", "overfull_truck"])
def test_garbled_is_quarantined_and_the_rest_still_raises(name, plays):
    plain, faulty = plays.played(name), plays.played(name, "", *everywhere(name, "garbled", ":share=0.3"))
    assert faulty.fates["quarantined"] > plain.fates["quarantined"] == 0
    assert {(e.rule, e.level, e.device) for e in SCENARIOS[name].expects} <= faulty.raised


@pytest.mark.parametrize("name", ["gas_leak", "gas_street", "overfull_truck", "low_battery_drone"])
def test_a_clock_a_day_ahead_is_told_and_hides_nothing(name, plays):
    faulty = plays.played(name, "", *everywhere(name, "clock_wrong", ":amount=86400"))
    assert {(e.rule, e.level, e.device) for e in SCENARIOS[name].expects} <= faulty.raised
    told = {device for rule, _, device in faulty.raised if rule.endswith(".clock")}
    assert told == {e.device for e in SCENARIOS[name].expects}


def test_stuck_hides_what_it_is_stuck_at_and_no_more(plays):
    faulty = plays.played("gas_leak", "", f"stuck:{LEAK}:fields=conc_pct_lel")
    assert not {alarm for alarm in faulty.raised if alarm[0].startswith("gas_alarm.conc") and alarm[2] == LEAK}
    assert ("gas_alarm.state.state", 2, LEAK) in faulty.raised
    assert not {alarm for alarm in plays.played("gas_leak", "", f"stuck:{LEAK}").raised if alarm[2] == LEAK}


def test_silent_loses_the_alarms_of_one_device_and_of_no_other(plays):
    plain, faulty = plays.played("gas_street"), plays.played("gas_street", "", "silent:gas-1003")
    assert faulty.raised == {alarm for alarm in plain.raised if alarm[2] != "gas-1003"}


def test_silent_for_a_while_is_heard_again(plays):
    faulty = plays.played("gas_leak", "", f"silent:{LEAK}:at=10:for=60")
    assert (HIGH, 2, LEAK) in faulty.raised


def test_drift_and_spikes_raise_what_is_not_so(plays):
    beyond = "gas-1008"
    assert (HIGH, 1, beyond) not in plays.played("gas_street").raised
    assert (HIGH, 1, beyond) in plays.played("gas_street", "", f"drift:{beyond}:amount=0.2:fields=conc_pct_lel").raised
    spike = f"spike:{beyond}:amount=30:share=0.3:fields=conc_pct_lel"
    assert (HIGH, 1, beyond) in plays.played("gas_street", "", spike).raised


def test_faults_add_up_and_may_lie_over_any_day(plays):
    """A report that is late, twice and has a wrong clock is one report."""
    faults = [f"late:{LEAK}:amount=3", f"twice:{LEAK}", f"clock_wrong:{LEAK}:amount=86400"]
    faulty = plays.played("gas_leak", "", *faults)
    assert (HIGH, 2, LEAK) in faulty.raised
    assert faulty.fates["duplicate"] > 20
    drift = "drift:gas-0100:amount=0.5:fields=conc_pct_lel"
    assert (HIGH, 2, "gas-0100") in plays.played("quiet_night", "", drift).raised


def test_where_may_be_a_kind_or_a_street():
    faults = read_faults(["twice:bridge_wim", "garbled:s03:share=0.1"], demo_site())
    assert [step.fault.name for step in faults.steps] == ["twice", "garbled"]
    assert faults.targets["0"].kind == "bridge_wim"
    assert faults.targets["1"].street == "s03"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("stuck", "expected NAME:WHERE"),
        ("stuk:gas-0042", "'stuk' is none; did you mean 'stuck'?"),
        ("broken:gas-0042", "known are silent, stuck, drift, spike, late, twice, garbled, clock_wrong"),
        ("stuck:truck-9999", "'truck-9999' is no device, kind or street of the site"),
        ("drift:gas-0042", "drift needs an amount: units a second"),
        ("late:gas-0042:amount=soon", "amount is 'soon', expected a number"),
        ("late:gas-0042:amount=nan", "amount is 'nan', expected a number"),
        ("late:gas-0042:amount=-1", "nothing is heard before it was said"),
        ("twice:gas-0042:amount=3", "twice has no amount"),
        ("garbled:gas-0042:share=0", "share is 0, expected above 0"),
        ("silent:gas-0042:for=0", "expected at of 0 or more and for above 0"),
        ("stuck:gas-0042:fields=conc_lel", "did you mean 'conc_pct_lel'?"),
        ("stuck:gas-0042:since=3", "'since=3' is no setting; known are amount, share, at, for, fields"),
    ],
)
def test_what_cannot_be_understood_is_told_in_one_sentence(text, sentence):
    with pytest.raises(ScenarioFault) as caught:
        read_faults([text], demo_site())
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(f"fault {text!r}: ")
    assert "\n" not in str(caught.value)


def test_what_is_wrong_is_told_to_programs_by_its_code():
    """Beside the sentence for people, and with the exit code of a wrong option."""
    done = CliRunner().invoke(main, ["--list-faults", "--fault", "silent:gas-0042", "--fault", "stuk:gas-0042"])
    told = {"code": "fault_strange_meant", "values": {"fault": "stuk:gas-0042", "found": "stuk", "known": "stuck"}}
    assert (done.exit_code, json.loads(done.stdout)) == (2, told)
    assert done.stderr == "Error: fault 'stuk:gas-0042': 'stuk' is none; did you mean 'stuck'?\n"


def test_the_command_lists_scenarios_and_faults_in_both_languages():
    shown = CliRunner().invoke(main, ["--list-scenarios"]).output
    for name, scenario in SCENARIOS.items():
        for text in (name, scenario.label.zh, scenario.label.en, scenario.description.zh, scenario.description.en):
            assert text in shown
    for name, kind in FAULTS.items():
        assert f"  {name:18} {kind.label.zh} · {kind.label.en}" in shown


def test_the_command_refuses_a_wrong_fault_before_it_connects():
    done = CliRunner().invoke(main, ["--scenario", "gas_leak", "--fault", "stuk:gas-0042"])
    assert done.exit_code == 2
    assert "did you mean 'stuck'?" in done.output
