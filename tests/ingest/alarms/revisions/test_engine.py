"""A change of rules inside the engine: from its record on, never undone by it, the same whatever the batches."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.site import Site
from ingest.alarms.engine import Engine
from ingest.alarms.revisions.revision import Change, Revision, laid, packed
from ingest.decoding import Decoder, Unregistered
from ingest.records import RULES
from tests.ingest.alarms.feeding import T0, message, records, story, tick, transitions
from tests.sites import small_site

HIGH = "gas-1/conc_pct_lel.high"
FOR_GAS_1 = {"device": "gas-1", "kind": "gas_alarm", "field": "conc_pct_lel"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Give the small site, one of whose poles hangs on a circuit with others."""
    poles = "".join(
        f'[[devices]]\nid = "lamp-{n}"\nkind = "light_pole"\nstreet = "s01"\ncircuit = "c1"\nroad = "main"\n'
        for n in range(6)
    )
    return small_site(Path(tmp_path_factory.mktemp("site")), tail=poles)


def revision(site: Site, number: int, base: Revision | None = None, **change: Any) -> Revision:
    """Return a revision with a change on it that has no fault."""
    faults: list[Any] = []
    found = laid(base or Revision(), Change(**change), site, faults, number)
    assert not faults, faults
    return found


def gas(at_s: float, value: float) -> tuple[float, str, bytes]:
    """Return a message of the gas detector."""
    return message(at_s, "gas_alarm", "gas-1", {"conc_pct_lel": value}, seq=round(at_s * 10))


def rules(at_s: float, made: Revision) -> tuple[float, str, bytes]:
    """Return the record from which a revision is in force."""
    return at_s, RULES, packed(made)


def told(site: Site, *messages: tuple[float, str, bytes]) -> list[tuple[str, int, float]]:
    """Return (what, level, second) of what becomes of the gas point."""
    return [
        (what, level, at_s) for what, point, level, at_s in story(transitions(site, records(messages))) if point == HIGH
    ]


def test_from_its_record_on(site: Site) -> None:
    """The same value is quiet before the record and an alarm behind it; the version says by which rule."""
    stricter = revision(site, 1, limits={"gas_alarm": {"conc_pct_lel": {"levels": [10, 40]}}})
    feed = [gas(0, 12), gas(10, 12), rules(15, stricter), gas(20, 12), gas(30, 41)]
    assert told(site, *feed) == [("raise", 1, 20), ("change", 2, 30)]
    by_rule = {each.rule_version for each in transitions(site, records(feed)) if each.point == HIGH}
    assert by_rule == {_version(site, stricter)}


def test_a_looser_rule_returns_nothing(site: Site) -> None:
    """What is open stays with the rule it was raised by until that one returns; then the looser one counts."""
    tight = revision(site, 1, limits_for=[{**FOR_GAS_1, "levels": [10, 40]}])
    loose = Revision(2)
    feed = [
        rules(0, tight), gas(1, 12), rules(5, loose), gas(10, 12), gas(100, 11), gas(200, 6), gas(300, 6),
        gas(400, 4), gas(465, 4), gas(500, 12),
    ]  # fmt: skip
    assert told(site, *feed) == [("raise", 1, 1), ("return", 0, 465)]


def test_a_stricter_rule_takes_over_when_it_says_worse(site: Site) -> None:
    """An open alarm at level 1 of the old rule is at level 2 of the new one: that is seen at once."""
    strict = revision(site, 1, limits={"gas_alarm": {"conc_pct_lel": {"levels": [20, 30]}}})
    feed = [gas(0, 32), rules(5, strict), gas(10, 32), gas(20, 22), gas(90, 22), gas(160, 10), gas(230, 10)]
    found = [each for each in transitions(site, records(feed)) if each.point == HIGH]
    assert [(each.what, each.level) for each in found] == [("raise", 1), ("change", 2), ("change", 1), ("return", 0)]
    assert found[0].rule_version != found[1].rule_version == found[3].rule_version


def test_it_goes_on_under_the_new_rule_where_only_the_old_one_returns(site: Site) -> None:
    """Old: left below 20. New: entered at 15. At 16 the alarm goes on, and says by which rule."""
    strict = revision(site, 1, limits={"gas_alarm": {"conc_pct_lel": {"levels": [15, 40]}}})
    feed = [gas(0, 26), rules(5, strict), gas(10, 16), gas(80, 16), gas(150, 16), gas(160, 5), gas(230, 5)]
    found = [each for each in transitions(site, records(feed)) if each.point == HIGH]
    assert [(each.what, each.level, (each.at_ms - T0) // 1000) for each in found] == [
        ("raise", 1, 0), ("change", 1, 80), ("return", 0, 230),
    ]  # fmt: skip
    assert found[1].rule_version == found[2].rule_version == _version(site, strict)


def test_published_again_it_is_no_other_rule(site: Site) -> None:
    """An alarm that stays with an old revision belongs to it again when that is published again."""
    strict = revision(site, 1, limits={"gas_alarm": {"conc_pct_lel": {"levels": [10, 20]}}})
    again = Revision(2)
    engine, decoder = Engine(site), Decoder(site, Unregistered())
    feed = records([gas(0, 30), rules(1, strict), rules(2, again), gas(3, 30)])
    engine.feed([decoder.outcome(record) for record in feed[:2]])
    assert engine.memory.devices["gas-1"].bound["gas_alarm.conc_pct_lel.high"].revision == 0
    engine.feed([decoder.outcome(record) for record in feed[2:]])
    assert not engine.memory.devices["gas-1"].bound


def test_a_restart_keeps_rules_and_what_stays_with_older_ones(site: Site) -> None:
    """What a checkpoint holds goes on as if nothing had happened, at every record."""
    tight = revision(site, 1, limits_for=[{**FOR_GAS_1, "levels": [10, 40]}])
    looser = revision(site, 2, limits_for=[{**FOR_GAS_1, "levels": [20, 40]}])
    feed = records([
        rules(0, tight), gas(1, 12), rules(5, looser), gas(10, 12), tick(50), gas(100, 8), gas(165, 4), gas(230, 4),
        gas(300, 12), gas(310, 22),
    ])  # fmt: skip
    whole = transitions(site, feed)
    assert [(each.what, each.level) for each in whole if each.point == HIGH] == [
        ("raise", 1), ("return", 0), ("raise", 1),
    ]  # fmt: skip
    for cut in range(1, len(feed)):
        decoder = Decoder(site, Unregistered())
        outcomes = [decoder.outcome(record) for record in feed]
        first = Engine(site)
        found = first.feed(outcomes[:cut])
        memory = first.memory
        second = Engine(site)
        second.restore(memory.encoded(memory.changed), memory.now_ms, memory.listening_ms, first.books.saved())
        assert found + second.feed(outcomes[cut:]) == whole, cut


def test_what_changes_in_an_alarm_of_a_circuit_is_saved(site: Site) -> None:
    """Also while it stays with a rule of before; else a restart would raise or return it a second time."""
    strict = revision(site, 1, limits={"light_pole": {"feeder_leakage": {"levels": [50, 300, 500]}}})
    feed = records([
        rules(-1, strict), *lamps(0, range(6), leak_ma=10.0), *(tick(at_s) for at_s in range(1, 400)),
        rules(100.5, Revision(2)), *lamps(150, range(6), leak_ma=1.0),
    ])  # fmt: skip
    engine, decoder, saved = Engine(site), Decoder(site, Unregistered()), dict[str, bytes]()
    whats = []
    for record in feed:
        whats += [told.what for told in engine.feed([decoder.outcome(record)]) if told.device.startswith("circuit:")]
        memory = engine.memory
        saved |= memory.encoded(memory.changed)
        memory.changed.clear()
        assert saved == memory.encoded([*memory.devices, *memory.groups])
    assert whats == ["raise", "return"]


@given(splits=st.lists(st.integers(0, 9), max_size=4))
def test_batches_make_no_difference(site: Site, splits: list[int]) -> None:
    """A record in the middle of a batch divides it."""
    strict = revision(site, 1, limits={"gas_alarm": {"conc_pct_lel": {"levels": [10, 20]}}})
    feed = records([
        gas(0, 12), gas(1, 12), rules(2, strict), gas(3, 12), gas(4, 30), rules(5, Revision(2)), gas(6, 12), gas(7, 3),
        gas(70, 3),
    ])  # fmt: skip
    assert transitions(site, feed, sorted(min(each, len(feed)) for each in splits)) == transitions(site, feed)


def test_a_delay_goes_on_under_the_new_rule(site: Site) -> None:
    """What is pending belongs to no alarm yet: the new delay counts."""
    kind, field = "light_pole", "supply_v"
    longer = revision(site, 1, limits={kind: {field: {"low": {"on_s": 100.0}}}})
    feed = [message(t, kind, "lamp-0", {"supply_v": 150.0, "power_w": 10.0}) for t in range(0, 200, 10)]

    def raised(*more: tuple[float, str, bytes]) -> list[float]:
        return [
            at
            for what, point, _, at in story(transitions(site, records([*feed, *more])))
            if point == "lamp-0/supply_v.low" and what == "raise"
        ]

    (usual,) = raised()
    assert raised(rules(5, longer)) == [100.0] != [usual]


def lamps(at_s: float, numbers: Iterable[int], **values: float) -> list[tuple[float, str, bytes]]:
    """Return a message of each of some lamps."""
    return [message(at_s, "light_pole", f"lamp-{n}", values, seq=round(at_s * 10)) for n in numbers]


def of_circuit(site: Site, *messages: tuple[float, str, bytes]) -> list[tuple[str, str, int, float]]:
    """Return (what, limit, level, second) of what becomes of the circuit's own alarms."""
    found = transitions(site, records(messages))
    return [(t.what, t.field, t.level, (t.now_ms - T0) / 1000) for t in found if t.device == "circuit:c1"]


def test_a_circuit_fault_stays_when_it_takes_more_lamps(site: Site) -> None:
    """Five lamps failed together; asking for six from now on unfolds nothing, four of them left do."""
    six = revision(site, 1, limits={"light_pole": {"circuit_fault": {"levels": [6]}}})
    failed = [*lamps(0, range(5), lamp_fail=1.0), rules(5, six), *lamps(10, [4], lamp_fail=1.0)]
    assert of_circuit(site, *failed) == [("raise", "circuit_fault", 1, 0)]
    assert of_circuit(site, *failed, *lamps(300, [4], lamp_fail=0.0), *lamps(400, [4], lamp_fail=0.0)) == [
        ("raise", "circuit_fault", 1, 0), ("return", "circuit_fault", 0, 400),
    ]  # fmt: skip
    assert of_circuit(site, rules(0, six), *lamps(1, range(5), lamp_fail=1.0)) == []


def test_a_sum_over_a_circuit_stays_with_its_rule(site: Site) -> None:
    """60 mA were too much when they were raised; a looser rule does not return them, less current does."""
    strict = revision(site, 1, limits={"light_pole": {"feeder_leakage": {"levels": [50, 300, 500]}}})
    looser = Revision(2)
    feed = [rules(-1, strict), *lamps(0, range(6), leak_ma=10.0), *(tick(second) for second in range(1, 400))]
    usual = of_circuit(site, *feed)
    assert [each[:3] for each in usual] == [("raise", "feeder_leakage", 1)]
    assert of_circuit(site, *feed, rules(100.5, looser)) == usual
    less = of_circuit(site, *feed, rules(100.5, looser), *lamps(150, range(6), leak_ma=1.0))
    assert [each[:3] for each in less] == [("raise", "feeder_leakage", 1), ("return", "feeder_leakage", 0)]


def _version(site: Site, made: Revision) -> str:
    return Engine(site, "main", made).books.book.by_id["gas_alarm.conc_pct_lel.high"].version
