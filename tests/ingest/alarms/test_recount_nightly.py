"""The nightly recount: a process of its own for each day that is over; a difference is an alarm of the collector."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.site import Site
from ingest.journal import Journal
from ingest.records import tick_payload
from ingest.recount.nightly import Nightly
from tests.ingest.alarms.collecting import Town
from tests.ingest.alarms.feeding import T0, message, records, tick, ticks, transitions
from tests.servers.waiting import wait_until

# T0 is eight in the morning in Shanghai: midnight is sixteen hours later.
MIDNIGHT_S = 16 * 3_600
DAY_S = 86_400


def gas(at_s: float, value: float) -> tuple[float, str, bytes]:
    return message(at_s, "gas_alarm", "gas-1", {"conc_pct_lel": value})


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Give a town with an alarm on each of two days."""
    made = Town(tmp_path / "town")
    made.receive([*ticks(0, 5), gas(2, 60), *ticks(MIDNIGHT_S + 5, MIDNIGHT_S + 9), gas(MIDNIGHT_S + 7, 0)])
    made.receive([*ticks(MIDNIGHT_S + DAY_S, MIDNIGHT_S + DAY_S + 2)])
    made.judge()
    return made


@pytest.fixture
def nightly(town: Town) -> Iterator[Nightly]:
    journal = Journal(town.places.journal)
    made = Nightly(town.site, town.places.data, None, journal)
    yield made
    made.stop()
    journal.close()


def at(nightly: Nightly, second: float, day: str) -> None:
    """Let it be an instant, and wait until that day is recounted."""
    now_ms = T0 + round(second * 1000)

    def done() -> bool:
        nightly.look(now_ms)
        return nightly.result is not None and nightly.result["day"] == day

    wait_until(done, 60, 0.1)


def test_each_day_that_is_over(town: Town, nightly: Nightly) -> None:
    """Half an hour past midnight the day is recounted; the next one goes on where that ended."""
    assert nightly.off == {}
    at(nightly, MIDNIGHT_S + 1_801, "2026-01-01")
    assert nightly.result is not None
    assert (nightly.result["verdict"], nightly.result["how"]) == ("漏 0 / 多 0", "begins with the journal")
    assert nightly.result["expected"] > 0
    assert nightly.off == {"recount_off": 0.0}
    at(nightly, MIDNIGHT_S + DAY_S + 1_801, "2026-01-02")
    assert nightly.result["how"].startswith("goes on from the recount that ended")
    journal = Journal(town.places.journal)
    assert Nightly(town.site, town.places.data, None, journal).result == nightly.result
    journal.close()


def test_what_is_off_is_told(town: Town, nightly: Nightly) -> None:
    with sqlite3.connect(town.places.alarms) as database:
        database.execute("DELETE FROM audit WHERE point = 'gas-1/conc_pct_lel.high' AND action = 'raise'")
    database.close()
    at(nightly, MIDNIGHT_S + 1_801, "2026-01-01")
    assert nightly.result is not None
    # The line is missing, and the occurrence stands without it.
    assert (nightly.off, nightly.result["missing"], nightly.result["phantom"]) == ({"recount_off": 2.0}, 1, 1)
    assert "the record has no row of it" in nightly.result["altered"][0]["sentence"]
    (named,) = nightly.result["differences"]
    assert (named["device"], named["what"], named["level"]) == ("gas-1", "raise", 2)


@pytest.mark.parametrize("second", [MIDNIGHT_S - 1, MIDNIGHT_S + 1_799, -DAY_S], ids=["evening", "just over", "before"])
def test_not_before_the_day_is_over_nor_without_a_journal(nightly: Nightly, second: int) -> None:
    nightly.look(T0 + second * 1000)
    assert nightly._running is None


def test_a_difference_is_an_alarm_that_ends_with_the_next_good_recount(site: Site) -> None:
    story = [tick(n, tick_payload(True, {"recount_off": off})) for n, off in enumerate([0.0, 2.0, 2.0, 0.0])]
    found = [each for each in transitions(site, records(story)) if each.device == "collector-main"]
    assert [(each.what, each.point, each.level, each.priority, each.value) for each in found] == [
        ("raise", "collector-main/recount_off.differs", 1, "P2", 2.0),
        ("return", "collector-main/recount_off.differs", 0, "P2", 0.0),
    ]
