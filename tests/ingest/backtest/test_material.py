"""A draft tested on a store: the same document as on the journal, with the rest of the alarms as they were recorded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from devices.site import Site
from ingest.alarms import occurrences
from ingest.alarms.engine import Engine
from ingest.alarms.load import load
from ingest.alarms.revisions import backtesting, records
from ingest.alarms.tables import occurrence
from ingest.backtest import material
from ingest.backtest.heard import add_heard
from ingest.backtest.history import MOST_ALARMS
from ingest.backtest.readings import add_readings
from ingest.backtest.table import lines, sentence
from ingest.decoding import Decoder, Unregistered
from ingest.errors import Refused
from ingest.records import Record
from ingest.store import Store
from ingest.store.influx import InfluxStore
from ingest.store.sqlite import SqliteStore
from tests.ingest.alarms.feeding import T0
from tests.ingest.alarms.revisions.desk import ENGINEER, TIGHTER, Desk, fresh
from tests.ingest.messages import gas
from tests.servers.influxdb import Influx

POINT = "gas-1/conc_pct_lel.high"


@pytest.fixture(params=["sqlite", "influx"])
def store(request: pytest.FixtureRequest, tmp_path: Path, site: Site, desk: Desk) -> Iterator[Store]:
    """Give a store with what the journal holds."""
    opened: Store
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path / "readings.db", site.catalog)
    else:
        server: Influx = request.getfixturevalue("influx")
        opened = InfluxStore(f"{server.url}?org={server.org}&bucket={server.database}", site.catalog)
    decoder = Decoder(site, Unregistered())
    outcomes = [decoder.outcome(record) for record in desk.journal.read(0, 10_000)]
    opened.write([reading for outcome in outcomes for reading in outcome.readings], 1)
    yield opened
    opened.close()


def asked(desk: Desk, store: Store, number: int, *span: float | None) -> dict[str, Any]:
    """Test a draft on history as a desk does, and return the row."""
    found = material.History(desk.site, store, desk.database)
    from_ms, to_ms = (None if each is None else T0 + round(each * 1000) for each in (span or (None, None)))
    wish = backtesting.Wish(number, from_ms, to_ms, fresh(), "history")
    begun = backtesting.ask(desk.database, wish, desk.site, found, ENGINEER, desk.now_ms)
    backtesting.run(desk.database, begun.id, desk.site, found, lambda: desk.now_ms)
    with desk.database.read() as connection:
        return next(row for row in records.backtests(connection, number) if row["id"] == begun.id)


def decoded(row: dict[str, Any]) -> dict[str, Any]:
    assert row["state"] == "done", row["sentence"]
    found: dict[str, Any] = msgspec.json.decode(row["result"])
    return found


def keep_what_was(desk: Desk) -> None:
    """Put on record what the rules in force make of the recording."""
    decoder, engine = Decoder(desk.site, Unregistered()), Engine(desk.site)
    found = engine.feed([decoder.outcome(record) for record in desk.journal.read(0, 10_000)])
    occurrences.apply(desk.database, "main", found, desk.journal.last, desk.now_ms)


def test_history_says_what_the_journal_says(desk: Desk, store: Store) -> None:
    """But for where it comes from, how much was judged, and the alarms of others, which were recorded."""
    desk.draft(limits=TIGHTER["limits"])
    on_journal, on_history = decoded(desk.test(1)), decoded(asked(desk, store, 1))
    assert (on_journal["source"], on_history["source"], on_history["records"]) == ("journal", "history", 179)
    for key in ("rules", "vanish", "appear", "moved", "verdicts"):
        assert on_history[key] == on_journal[key], key
    assert on_history["days"] == pytest.approx(on_journal["days"], rel=0.01)
    for side in ("before", "after"):
        assert on_history[side]["priorities"]["P1"] == on_journal[side]["priorities"]["P1"] == 1
    assert [each["point"] for each in on_history["appear"]["items"]] == [POINT]


def test_other_alarms_are_counted_as_they_were_recorded(desk: Desk, store: Store) -> None:
    """Silent devices load the officer under both rules: under those in force it is the load that really was."""
    keep_what_was(desk)
    with desk.database.read() as connection:
        was = load(connection, T0, T0 + 1_790_000, desk.now_ms)
    assert was.activations > 4
    desk.draft(limits=TIGHTER["limits"])
    found = decoded(asked(desk, store, 1, 0, 1790))
    assert found["before"]["activations"] == was.activations
    assert found["after"]["activations"] == was.activations + 1
    assert found["before"]["per_hour"] == pytest.approx(was.per_hour)
    assert found["before"]["busiest_share"] == was.busiest_share
    assert (found["vanish"]["count"], found["appear"]["count"]) == (0, 1)


def test_what_people_found_counts(desk: Desk, store: Store) -> None:
    """The alarm that the looser rule would not raise was marked false: one spared; as a case: one missed."""
    keep_what_was(desk)
    desk.draft(limits={"gas_alarm": {"conc_pct_lel": {"off_s": 90}}})
    assert sentence(decoded(asked(desk, store, 1))["verdicts"]).startswith(
        "this change would have spared 0 nuisance alarms and missed 0 confirmed"
    )
    with desk.database.write() as connection:
        connection.execute(occurrence.update().where(occurrence.c.point == POINT).values(verdict="false_alarm"))
    desk.publish(limits={"gas_alarm": {"conc_pct_lel": {"levels": [10, 40]}}})
    number = desk.draft(withdraw=[{"kind": "gas_alarm", "field": "conc_pct_lel"}]).row["number"]
    found = decoded(asked(desk, store, number))
    assert [each["at"] - T0 for each in found["vanish"]["items"]] == [300_000]
    # The rise to 60 was marked and stays an alarm: nothing of what people found is spared.
    assert found["verdicts"]["false_alarms"] == 1
    assert found["verdicts"]["spared"] == 0
    with desk.database.write() as connection:
        mine = occurrence.c.point == POINT
        connection.execute(occurrence.update().where(mine).values(raised_at=T0 + 300_000, returned_at=T0 + 500_000))
    found = decoded(asked(desk, store, number))
    assert sentence(found["verdicts"]) == (
        "this change would have spared 1 nuisance alarm and missed 0 confirmed "
        "(of 1 found false and 0 that became a case)"
    )


def test_readings_and_table(desk: Desk, store: Store) -> None:
    """Each alarm stands with what its device measured around its beginning."""
    desk.draft(limits=TIGHTER["limits"])
    found = decoded(asked(desk, store, 1))
    add_readings(found, desk.site, store)
    (item,) = found["appear"]["items"]
    at = [(t_ms - T0) / 1000 for t_ms, _, _ in item["readings"]]
    assert at[:5] == [270, 280, 290, 300, 310]
    assert [value for _, value, _ in item["readings"]][:5] == [1, 1, 1, 12, 12]
    text = "\n".join(lines(found, (T0, desk.now_ms), lambda at_ms: f"2026-01-01 {((at_ms or 0) - T0) // 1000:08d}"))
    assert "179 values judged of history, rules gas_alarm.conc_pct_lel.high" in text
    assert "would appear: 1\n  2026-01-01 00000300  P2      gas-1/conc_pct_lel.high  12 %LEL\n" in text
    assert "00000290 1  00000300 12" in text
    assert "00000380 12  and 37 more\n" in text
    assert "2026-01-01           1       1       0" in text
    assert text.endswith("missed 0 confirmed (of 0 found false and 0 that became a case)")


def test_readings_of_the_store_and_of_the_messages_are_the_same(desk: Desk, store: Store) -> None:
    desk.draft(limits=TIGHTER["limits"])
    stored, heard = (decoded(asked(desk, store, 1)) for _ in range(2))
    add_readings(stored, desk.site, store)
    add_heard(heard, desk.site, [desk.journal.read(place, 50) for place in range(0, desk.journal.last, 50)])
    assert heard == stored
    (item,) = heard["appear"]["items"]
    assert (item["readings_unit"], len(item["readings"]), item["readings_of"]) == ("%LEL", 12, 49)


def test_readings_of_more_strangers_than_a_collector_lets_in(site: Site) -> None:
    """Whoever has an alarm was let in: under pseudonyms all of a city's devices are strangers."""
    said = [gas(f"p-{n}", 12, ts=T0 + n, id="a") for n in range(1_200)]
    heard = [Record(n, T0 + n, *message) for n, message in enumerate(said, 1)]
    item: dict[str, Any] = {"rule": "gas_alarm.conc_pct_lel.high", "device": "p-1199", "at": T0 + 1_199, "until": None}
    lists = {"vanish": {"items": []}, "appear": {"items": [item]}, "moved": {"items": []}}
    add_heard({**lists, "verdicts": {"missed_items": []}}, site, [heard])
    assert [value for _, value, _ in item["readings"]] == [12]


@pytest.mark.parametrize(
    ("change", "span", "sentence"),
    [
        ({"drone": {"pdop": {"poor": {"levels": [2.2]}}}}, (), "the rule drone.pdop.poor needs"),
        (TIGHTER["limits"], (100, 100), "The span is empty: from must lie before to."),
        (TIGHTER["limits"], (9000, 9999), "The span holds no readings; the history of gas_alarm reaches from 2026-01"),
        (
            {"light_pole": {"supply_v": {"low": {"levels": [190]}}}}, (),
            "The store holds no light_pole yet; there is nothing to test on.",
        ),
        ({"gas_alarm": {"conc_ppm": {"co": {"levels": [20, 100]}}}}, (), "The span holds no readings of the devices"),
    ],
)  # fmt: skip
def test_what_cannot_be_tested_says_so(
    desk: Desk, store: Store, change: dict[str, Any], span: tuple[float, ...], sentence: str
) -> None:
    desk.draft(limits=change)
    try:
        told = asked(desk, store, 1, *span)["sentence"]
    except Refused as error:
        told = str(error)
    assert sentence in told


def test_more_alarms_than_can_be_listed(desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told in one sentence that names the rule, before memory is."""
    assert MOST_ALARMS == 1_000_000
    monkeypatch.setattr("ingest.backtest.history.MOST_ALARMS", 1)
    desk.draft(limits=TIGHTER["limits"])
    row = asked(desk, store, 1)
    assert (row["state"], "There would be more than 1 alarms in the span" in row["sentence"]) == ("failed", True)
    assert "gas_alarm.conc_pct_lel.high" in row["sentence"]
