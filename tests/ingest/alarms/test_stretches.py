"""A city of lamps that is nearly calm: kept together, its messages say what they say one by one."""

from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingest.alarms import stretches
from ingest.alarms.calm import Calm
from ingest.alarms.engine import Engine
from ingest.decoding import Decoder, Unregistered
from ingest.ledger import Ledger
from ingest.records import Record
from ingest.sheets import Sheet
from tests.ingest.alarms.feeding import T0, message, records, status, tick
from tests.ingest.alarms.rule_city import Message, city

LAMPS, ROUNDS = 60, 30
SITE = city()


def journal(random: Random, odd: float) -> list[Record]:
    """Return some minutes in which nearly all is well; ``odd`` is the share of messages of which something is not."""
    found: list[Message] = [tick(second) for second in range(ROUNDS * 10)]
    seqs = dict.fromkeys(range(LAMPS), 0)
    for turn in range(ROUNDS):
        for n in range(LAMPS):
            at_s = 10 * turn + n / 100
            seqs[n] += 1
            data: dict[str, Any] = {"dim_pct": 80.0, "supply_v": 220.0 + n / 10, "leak_ma": 0.3}
            if n % 20 == 0:
                data["feeder"] = f"F-{n % 3}"
            said: dict[str, Any] = {"seq": seqs[n]}
            if random.random() < odd:
                at_s += _trouble(random, found, at_s, n, data, said)
                seqs[n] = said.get("seq", seqs[n])
            found.append(message(at_s, "light_pole", f"lamp-{n:02d}", data, **said))
    made = records(found)
    if odd:
        # The clock of the machine is set back once, and a message of before comes again.
        made += [record._replace(position=len(made) + n) for n, record in enumerate(random.sample(made, 40), 1)]
    return made


def _trouble(
    random: Random, found: list[Message], at_s: float, n: int, data: dict[str, Any], said: dict[str, Any]
) -> float:
    """Let one of the things happen that are not as ever; return how much later the message comes."""
    name, seq = f"lamp-{n:02d}", said["seq"]
    match random.randrange(11):
        case 0:
            data["leak_ma"] = random.choice([35.0, 400.0])
        case 1:
            said["seq"] = seq + random.choice([1, 3, 2_000])
        case 2:
            said["seq"] = 0
        case 3:
            said["ts_s"] = at_s - random.choice([1, 15, 400])
        case 4:
            del data["supply_v"]
        case 5:
            data["pm25_ugm3"] = 30
        case 6:
            found.append(status(at_s - 0.1, "light_pole", name, random.choice(["offline", "online"])))
        case 7:
            found.append(status(at_s - 0.1, "gateway", "gw", random.choice(["offline", "online"])))
        case 8:
            # A second channel of the same device, which counts on.
            found.append(message(at_s - 0.1, "light_pole", name, {"dim_pct": 70.0}, channel="state", seq=seq))
            said["seq"] = seq + 1
        case 9:
            said["hist"] = True
        case _:
            return random.choice([20.0, 700.0])
    return 0.0


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give how many rows were kept together, each time."""
    counts: list[int] = []
    keep = Calm.keep

    def counted(self: Calm, sheet: Sheet, rows: slice) -> None:
        counts.append(rows.stop - rows.start)
        keep(self, sheet, rows)

    monkeypatch.setattr(Calm, "keep", counted)
    return counts


def compare(found: list[Record], edges: list[int]) -> None:
    """Judge a journal in batches, and one by one, and compare all there is."""
    # What is remembered of topics is of no other journal.
    site = replace(SITE, ways={})
    whole, single = Decoder(site, Unregistered()), Decoder(replace(SITE, ways={}), Unregistered())
    together, alone = Engine(site), Engine(site)
    counted, expected = Ledger(), Ledger()
    for start, stop in pairwise(edges):
        batch, outcomes = whole.outcomes(found[start:stop]), [single.outcome(each) for each in found[start:stop]]
        assert together.feed(batch) == alone.feed(outcomes)
        assert [each.position for each in counted.count(batch)] == [each.position for each in expected.count(outcomes)]
        assert (together.memory.now_ms, together.memory.position) == (alone.memory.now_ms, alone.memory.position)
        names = sorted(alone.memory.devices)
        assert together.memory.encoded(names) == alone.memory.encoded(names)
        assert together.memory.changes() == alone.memory.changes()
        assert counted.totals() == expected.totals()
        rows = {("light_pole", name) for name in names}
        assert counted.counts.totals(rows) == expected.counts.totals(rows)


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    st.integers(0, 10_000), st.sampled_from([0.0, 0.02, 0.1, 0.5]), st.lists(st.integers(0, 2_200), max_size=12),
    st.sampled_from([1, 4, 8, 40]),
)  # fmt: skip
def test_together_they_say_what_they_say_one_by_one(seed: int, odd: float, cuts: list[int], few: int) -> None:
    found = journal(Random(seed), odd)
    edges = sorted({0, len(found), *(cut % len(found) for cut in cuts)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretches, "_FEW", few)
        compare(found, edges)


def test_what_is_calm_is_kept_together(kept: list[int]) -> None:
    found = journal(Random(1), 0.0)
    compare(found, [0, 300, 1_000, len(found)])
    assert sum(kept) > LAMPS * ROUNDS / 2


def test_whoever_asks_for_a_device_sees_what_was_kept() -> None:
    found = journal(Random(1), 0.0)
    engine, decoder = Engine(SITE), Decoder(SITE, Unregistered())
    for start, stop in ((0, 400), (400, len(found))):
        engine.feed(decoder.outcomes(found[start:stop]))
    memory = engine.memory
    state = memory.device("lamp-07")
    assert state is not None
    assert (state.seq, state.seen_ms) == (ROUNDS, T0 + (ROUNDS - 1) * 10_000 + 70)
    (row,) = state.rows.values()
    assert row.told() == {"dim_pct": 80.0, "supply_v": 220.7, "leak_ma": 0.3}
    assert memory.changes() >= {f"lamp-{n:02d}" for n in range(LAMPS)}
    assert memory.changes() == set()


@pytest.mark.parametrize("kinds", [{"light_pole"}, {"gateway"}, {"gas_alarm"}])
def test_what_is_of_some_kinds_is_judged_by_itself(kinds: set[str]) -> None:
    """As back-tests do, which need the rest for nothing."""
    found = journal(Random(3), 0.1)
    decoder, columns, single = Decoder(SITE, Unregistered()), Engine(SITE), Engine(SITE)
    told = 0
    for start, stop in pairwise([0, 350, 900, len(found)]):
        batch = decoder.outcomes(found[start:stop])
        mine = [each for each in batch if each.fate == "tick" or each.kind in kinds]
        part = batch.of(kinds)
        assert [each.position for each in part] == [each.position for each in mine]
        transitions = columns.feed(part)
        told += len(transitions)
        assert transitions == single.feed(mine)
        names = sorted(single.memory.devices)
        assert columns.memory.encoded(names) == single.memory.encoded(names)
    assert told
