"""The same journal gives the same transitions, however it is cut and wherever the engine was stopped in between.

The journals make every kind of condition move: limits on values, passages, states, silence, windows, places, schedules,
groups and dates.
"""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.alarms.engine import Engine
from ingest.alarms.own_kind import COLLECTOR
from ingest.alarms.rules import kind_book
from ingest.alarms.transitions import Transition
from ingest.decoding import Decoder, Unregistered
from ingest.outcomes import AnyOutcome, Usual
from ingest.records import Record
from tests.ingest.alarms.feeding import message, records, status, tick, transitions
from tests.ingest.alarms.rule_city import Message, city

SEEDS = st.integers(1, 6)
# From half past eight in the evening to beyond midnight, so that a day turns and lamps have to burn.
BEGIN_S, LASTS_S = 12.5 * 3600, 4 * 3600
TAIL = (
    '[[limits_for]]\ncircuit = "F-1"\nkind = "light_pole"\nfield = "leak_ma"\nlevels = [20]\n'
    '[[limits_for]]\ndevice = "truck"\nkind = "refuse_truck"\nfield = "load_pct"\nhours = "22:00-23:00"\n'
)


def lamp(random: Random, spell: int) -> dict[str, float]:
    """Return a lamp's values: in spells of trouble it fails, leaks, draws too much or does not obey."""
    bad = random.random() < (0.5 if spell % 2 else 0.05)
    return {
        "cmd_pct": 100.0,
        "dim_pct": random.choice([0.0, 85.0]) if bad else 100.0,
        "supply_a": random.choice([0.02, 0.9]) if bad else random.uniform(0.55, 0.65),
        "supply_v": random.choice([190.0, 240.0]) if bad else 225.0,
        "leak_ma": random.choice([19.0, 22.0, 35.0, 400.0]) if bad and random.random() < 0.3 else 2.0,
        "lamp_fail": int(bad and random.random() < 0.4),
    }


def messages(random: Random) -> list[Message]:
    """Return four hours in which everything happens."""
    found: list[Message] = [tick(BEGIN_S + second) for second in range(0, LASTS_S, 5)]
    for minute in range(0, LASTS_S // 60, 3):
        at_s = BEGIN_S + 60 * minute
        spell = minute // 30
        quiet = random.sample(range(60), 4)
        for n in range(60):
            if n not in quiet:
                found.append(message(at_s + n / 4, "light_pole", f"lamp-{n:02d}", lamp(random, spell), seq=minute))
    for at in range(0, LASTS_S, 60):
        at_s = BEGIN_S + at + random.random()
        loud = (at // 2400) % 2
        air = {
            "pm25_ugm3": random.uniform(40, 320) if loud else 30.0,
            "noise_dba": random.uniform(50, 75 if loud else 51),
        }
        found.append(message(at_s, "light_pole", "pole", {**air, "day_burner": float(random.random() < 0.1)}))
        late_s = random.choice([0, 0, 0, 400]) if at > 600 else 0
        gas = {"conc_pct_lel": random.choice([1, 8, 24.9, 25, 50, 70]), "state": random.choice([0, 0, 0, 1, 2, 3, 5])}
        found.append(message(at_s + 3, "gas_alarm", "gas", gas, ts_s=at_s - late_s))
        for where in ("canteen", "gas"):
            carbon = {"conc_ppm": random.choice([1, 24, 47, 48])}
            found.append(message(at_s + 4, "gas_alarm", where, carbon))
        if loud:
            found.append(message(at_s + 5, "gateway", "gw", {"uptime_s": 1}))
        found.append(message(at_s + 6, "drone_dock", "dock", {"rain": random.choice([0, 2, 3]), "wind_mps": 7.5}))
    for at in range(0, LASTS_S, 10):
        at_s = BEGIN_S + at + random.random()
        place = random.choice([(30.25, 120.17), (30.25, 120.17), (30.3, 120.3)])
        load = {"load_kg": random.choice([3000, 2900, 2500]), "load_pct": random.choice([90, 101])}
        if not 5400 < at < 6100:
            found.append(
                message(at_s, "refuse_truck", "truck", {**load, "gross_kg": 19_000, "lat": place[0], "lon": place[1]})
            )
        if (at // 600) % 3:
            air = {
                "mode": random.choice([0, 5, 5, 5]), "batt_pct": random.uniform(5, 40),
                "gnss_sats": random.randint(3, 9), "pdop": random.uniform(1, 4),
                "wind_mps": random.uniform(5, 14), "alt_rel_m": random.uniform(100, 130),
                "lat": random.choice([30.25, 30.1, 30.5]), "lon": random.choice([120.17, 120.1]),
            }  # fmt: skip
            found.append(message(at_s + 2, "drone", "drone", air))
        if random.random() < 0.05:
            data = {"pass_id": f"p{at}", "axle_count": random.randint(2, 7), "gvw_kg": random.randint(10_000, 110_000)}
            found.append(message(at_s + 1, "bridge_wim", random.choice(["wim", "low-bridge"]), data, channel="event"))
        if random.random() < 0.01:
            found.append(status(at_s, "gateway", "gw", random.choice(["offline", "online"])))
    return found


@cache
def played(seed: int) -> tuple[list[Record], list[Transition]]:
    """Return a journal, and what the engine says of it in one go, each message decoded by itself."""
    journal = records(messages(Random(seed)))
    return journal, transitions(city(TAIL), journal)


def decoded(journal: list[Record], edges: list[int]) -> Iterator[list[AnyOutcome]]:
    """Yield a journal as the engine gets it in batches: what is usual in sheets."""
    decoder = Decoder(city(TAIL), Unregistered())
    for start, stop in pairwise(edges):
        yield decoder.outcomes(journal[start:stop])


def test_the_journals_move_every_kind_of_rule() -> None:
    moved = {told.rule for seed in range(1, 7) for told in played(seed)[1]}
    book = kind_book(city(TAIL).catalog)
    # Silence of a day, the collector's own figures, roads this city does not have, and what differs only in its flag.
    still = {rule_id for rule_id, rule in book.by_id.items() if rule.kind == COLLECTOR.key}
    still |= {"gas_alarm.no_data", "light_pole.lit_rate_branch"}
    never = {"bridge_wim.disk_pct.full", "drone_dock.wind_mps.high", "drone_dock.cover.abnormal", "drone_dock.no_data"}
    flags = {f"light_pole.{flag}.fault" for flag in ("gear_fail", "relay_fail", "door_open", "day_burner")}
    assert set(book.by_id) - moved <= still | never | flags


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.lists(st.integers(0, 12_000), max_size=8))
def test_batches_change_nothing(seed: int, cuts: list[int]) -> None:
    journal, expected = played(seed)
    engine, found = Engine(city(TAIL)), []
    for outcomes in decoded(journal, [0, *sorted(cut % len(journal) for cut in cuts), len(journal)]):
        found.extend(engine.feed(outcomes))
    assert found == expected


@pytest.mark.parametrize("made", [False, True], ids=["readings not made", "readings made"])
@pytest.mark.parametrize("seed", range(1, 7))
def test_in_sheets_the_engine_remembers_the_same(seed: int, made: bool) -> None:
    journal, _ = played(seed)
    decoder, alone, together = Decoder(city(TAIL), Unregistered()), Engine(city(TAIL)), Engine(city(TAIL))
    usual = 0
    for outcomes in decoded(journal, [*range(0, len(journal), 700), len(journal)]):
        usual += sum(type(outcome) is Usual for outcome in outcomes)
        assert not made or any([outcome.readings for outcome in outcomes])
        together.feed(outcomes)
        alone.feed([decoder.outcome(journal[outcome.position - 1]) for outcome in outcomes])
        assert {name: alone.memory.encoded([name]) for name in alone.memory.devices} == {
            name: together.memory.encoded([name]) for name in together.memory.devices
        }
        states = together.memory.devices.values()
        assert all(state.calm or all(row.shape is None for row in state.rows.values()) for state in states)
    assert usual > len(journal) / 4


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.lists(st.integers(0, 12_000), min_size=1, max_size=4))
def test_a_stop_at_any_record_changes_nothing(seed: int, cuts: list[int]) -> None:
    journal, expected = played(seed)
    engine, found = Engine(city(TAIL)), []
    saved: dict[str, bytes] = {}
    for outcomes in decoded(journal, [0, *sorted(cut % len(journal) for cut in cuts), len(journal)]):
        found.extend(engine.feed(outcomes))
        memory = engine.memory
        # As the pipeline saves: only what changed since the last time.
        saved.update(memory.encoded(memory.changed))
        engine = Engine(city(TAIL))
        engine.restore(saved, memory.now_ms, memory.listening_ms)
    assert found == expected
