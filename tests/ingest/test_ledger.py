"""The equations of CONTRACTS.md, whatever comes, however it is cut into batches, and over restarts."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.site import Site
from ingest.checkpoint import Checkpoint
from ingest.decoding import NEW_PER_HOUR, Decoder, Unregistered
from ingest.journal import Journal
from ingest.ledger import Hops, Ledger, Stored, count_stored, ledger_document, stored_counts
from ingest.metrics import Meters
from ingest.outcomes import Outcome
from ingest.records import TICK, Record
from ingest.repeats import Repeats
from ingest.store.sqlite import SqliteStore
from ingest.storing import StoreWriter
from tests.ingest.messages import T_MS, Message, dji, gas, native, passage, records
from tests.servers.waiting import wait_until

STRANGERS = NEW_PER_HOUR + 1


def mixed() -> tuple[list[Message], dict[str, int], int]:
    """Return messages of every sort, how many of each fate they are, and the readings they make."""
    fates: Counter[str] = Counter()
    messages: list[Message] = []
    produced = 0

    def add(fate: str, readings: int, *found: Message) -> None:
        nonlocal produced
        messages.extend(found)
        fates[fate] += len(found)
        produced += readings

    topic = "city/v1/demo/gas_alarm/gas-1/telemetry"
    array = [{"ts": T_MS + n, "id": f"a{n}", "data": {"conc_pct_lel": n}} for n in range(5)]
    add("decoded", 20, *(gas("gas-1", n, id=f"g{n}", ts=T_MS + n) for n in range(20)))
    add("tick", 0, (TICK, b""))
    add("duplicate", 0, *(gas("gas-1", 99, id=f"g{n}", ts=T_MS + n) for n in range(0, 20, 2)))
    add("decoded", 1, native("drone", "drone-1", {"batt_pct": 50}, ts=T_MS, seq=7))
    add("duplicate", 0, native("drone", "drone-1", {"batt_pct": 51}, ts=T_MS, seq=7))
    add("quarantined", 0, (topic, b"{"), (topic, b"[]"), ("no/topic", b""), native("submarine", "s", {}))
    add("quarantined", 1, native("gas_alarm", "gas-2", {"conc_ppm": 5, "temp_c": "warm"}, ts=T_MS, id="p"))
    add("decoded", 2, (topic, json.dumps(array[:2]).encode()))
    add("decoded", 3, (topic, json.dumps(array).encode()))
    add("duplicate", 0, (topic, json.dumps(array[1:]).encode()))
    add("decoded", 2, native("light_pole", "pole-1", {"dim_pct": 80, "pm25_ugm3": 30}, ts=T_MS, seq=1))
    add("decoded", 2, passage("wim-1", "p1", T_MS), passage("wim-1", "p2", T_MS))
    add("decoded", 1, dji("SN1", {"latitude": 30.1}))
    add("duplicate", 0, dji("SN1", {"latitude": 30.1}))
    add("decoded", 0, native("gas_alarm", "gas-1", {"mood": 3}, ts=T_MS, id="nothing known"))
    # With SN1 above, one less than a thousand strangers may still come in.
    add("decoded", NEW_PER_HOUR - 1, *(gas(f"new-{n}", 1, ts=T_MS, id="n") for n in range(NEW_PER_HOUR - 1)))
    add("quarantined", 0, *(gas(f"new-{n}", 1, ts=T_MS, id="n") for n in range(NEW_PER_HOUR - 1, STRANGERS)))
    add("decoded", 1, gas("new-3", 1, ts=T_MS + 1, id="m"))
    add("duplicate", 0, gas("new-4", 1, ts=T_MS, id="n"))
    return messages, dict(fates), produced


MESSAGES, FATES, PRODUCED = mixed()
JOURNAL = records(MESSAGES, step_ms=1)


Decoders = Callable[[Unregistered], Decoder]


@pytest.fixture
def decoder_of(site: Site) -> Decoders:
    # hypothesis prints its arguments when it fails: a function is shorter than a site.
    return lambda unregistered: Decoder(site, unregistered)


def sums(ledger: Ledger) -> dict[str, int]:
    return {
        "decoded": ledger.decoded,
        "quarantined": ledger.quarantined,
        "duplicate": ledger.duplicate,
        "produced": ledger.produced,
    }


EXPECTED = {**{fate: count for fate, count in FATES.items() if fate != "tick"}, "produced": PRODUCED}


def test_every_message_is_exactly_one_of_three(decoder_of: Decoders) -> None:
    ledger, decoder = Ledger(), decoder_of(Unregistered())
    for record in JOURNAL:
        ledger.count([decoder.outcome(record)])
    assert sums(ledger) == EXPECTED
    assert ledger.decoded + ledger.quarantined + ledger.duplicate == len(MESSAGES) - FATES["tick"]
    assert ledger.unknown == {"gas_alarm": 1}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, len(JOURNAL) - 1), max_size=4))
def test_restarts_anywhere_count_nothing_twice(decoder_of: Decoders, tmp_path: Path, cuts: list[int]) -> None:
    """Each cut is a kill after a checkpoint: all that lives on is what the checkpoint and the journal hold."""
    path = tmp_path / "checkpoint.db"
    path.unlink(missing_ok=True)
    for stop in [*sorted(cuts), len(JOURNAL)]:
        checkpoint = Checkpoint(path)
        saved = checkpoint.load()
        decoder = decoder_of(saved.unregistered)
        decoder.prime(JOURNAL[Repeats.window_start(saved.position) : saved.position])
        for record in JOURNAL[saved.position : stop]:
            saved.ledger.count([decoder.outcome(record)])
        checkpoint.save(stop, T_MS, 0, saved.ledger, {}, saved.unregistered, ())
        checkpoint.close()
    assert sums(saved.ledger) == EXPECTED


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, len(JOURNAL)), kept=st.integers(0, len(JOURNAL)))
def test_a_restart_judges_the_tail_as_before(decoder_of: Decoders, cut: int, kept: int) -> None:
    """A kill before the next checkpoint: the tail is read a second time, from what the checkpoint had admitted."""
    kept = min(cut, kept)
    unregistered = Unregistered()
    first = decoder_of(unregistered)
    fates = [brief(first.outcome(record)) for record in JOURNAL[:kept]]
    saved = Unregistered(dict(unregistered.admitted), {}, unregistered.hour, unregistered.count, kept)
    fates += [brief(first.outcome(record)) for record in JOURNAL[kept:]]
    again = decoder_of(saved)
    again.prime(JOURNAL[:kept])
    assert [brief(again.outcome(record)) for record in JOURNAL[kept:]] == fates[kept:]


def brief(outcome: Outcome) -> tuple[str, str, int]:
    return outcome.fate, outcome.reason, len(outcome.readings)


@pytest.mark.parametrize(
    ("stored", "waiting"), [(Stored(5, 0, 0), 1000), (Stored(5, 600, 1), 399), (Stored(9, 1200, 0), 0)]
)
def test_the_document_is_the_one_of_the_contract(stored: Stored, waiting: int) -> None:
    document = ledger_document(Ledger(7, 2, 1, 1000, {"drone": 3}), stored, Hops(T_MS, 11, 10, 1.23456, 0.0), {})
    assert document == {
        "at": T_MS,
        "messages": {"received": 11, "journaled": 10, "decoded": 7, "quarantined": 2, "duplicate": 1},
        "readings": {"produced": 1000, "stored": stored.stored, "refused": stored.refused, "waiting": waiting},
        "lag_s": {"store": 1.235, "alarms": 0.0},
        "unknown_keys": {"drone": 3},
        "kinds": {},
    }


def test_a_tick_is_no_message(decoder_of: Decoders) -> None:
    ledger = Ledger()
    ledger.count([decoder_of(Unregistered()).outcome(Record(1, T_MS, TICK, b""))])
    assert sums(ledger) == dict.fromkeys(EXPECTED, 0)


@pytest.mark.parametrize(("in_store", "counted"), [(5, 8), (8, 5), (8, 8), (0, 8)])
def test_counts_follow_a_store_that_is_ahead_or_behind(site: Site, tmp_path: Path, in_store: int, counted: int) -> None:
    """A store that commits its own position may be either after a kill or a power cut; the journal tells the rest."""
    messages = [gas(f"gas-{1 + n % 2}", n, ts=T_MS + n, id=f"m{n}") for n in range(10)]
    journal = Journal(tmp_path / "journal")
    journal.append(messages, T_MS)
    found = journal.read(0, len(messages))
    decoder, store = Decoder(site, Unregistered()), SqliteStore(tmp_path / "readings.db", site.catalog)
    readings = [reading for record in found for reading in decoder.outcome(record).readings]
    store.write(readings[:in_store], in_store)
    checkpoint, before = Checkpoint(tmp_path / "checkpoint.db"), stored_counts()
    count_stored(before, readings[:counted], ())
    checkpoint.save_stored(Stored(counted, counted, 0), (), before)
    writer = StoreWriter(site, journal, store, checkpoint, Unregistered(judged=10), Meters(lambda: T_MS))
    writer.start()
    wait_until(lambda: writer.counts.kinds() == {"gas_alarm": [in_store, 0]} or writer.failed)
    writer.stop(10)
    assert writer.failed is None
    expected = [[(in_store + 1) // 2, 0], [in_store // 2, 0]]
    assert [writer.counts.total(("gas_alarm", device)) for device in ("gas-1", "gas-2")] == expected
    saved = stored_counts()
    checkpoint.load_counts(saved)
    assert [saved.total(("gas_alarm", device)) for device in ("gas-1", "gas-2")] == expected
    assert checkpoint.load_stored().position == in_store
    checkpoint.close()
    journal.close()
    store.close()
