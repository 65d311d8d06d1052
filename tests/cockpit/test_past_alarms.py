"""Alarms of the past: whatever was done in a night on duty, each instant of it reads as it read when it was now."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from cockpit.alarm_list import Sieve, listed
from cockpit.board import Board
from cockpit.case_board import CaseBoard
from cockpit.kpi_days import Days
from cockpit.kpi_gas import gas
from cockpit.kpi_parts import Sources, Wanted
from cockpit.kpi_period import Period
from cockpit.past_boards import PastBoards
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.load import load
from ingest.store import Store
from tests.ingest.alarms.duty import Duty
from tests.sites import small_site

SIEVES = (
    Sieve(),
    Sieve("all"),
    Sieve("CLOSED"),
    Sieve("LATCHED"),
    Sieve("all", priorities=("P1",)),
    Sieve("open", suppression="shelved"),
    Sieve("all", device="gas-1", from_ms=2_000_000),
)
LOOKS = 6
STANDING = {"active_over_24_h", "shelved_now", "shelves_ending_soon", "shelves_renewed"}


class Remembered(Duty):
    """The walk, with what the API said at each instant of it."""

    empty: Path

    def open_one(self) -> tuple[str, Callable[[], None]]:  # type: ignore[override]
        folder = Path(tempfile.mkdtemp())
        shutil.copy(self.empty, folder / "alarms.db")
        self.said: dict[int, Any] = {}
        return f"sqlite:///{folder / 'alarms.db'}", lambda: shutil.rmtree(folder)

    @invariant()
    def is_remembered(self) -> None:
        board = Board(self.database, self.site)
        pages = [paged(lambda cursor, s=sieve: listed(self.database, board, s, 2, cursor)) for sieve in SIEVES]
        ones = {
            name: {**(board.one(name) or {}), "history": board.history(name)} for name in sorted(self.newest.values())
        }
        self.said[self.now_ms()] = (pages, ones, self.indicators(self.now_ms()))

    def indicators(self, now_ms: int, at_ms: int | None = None) -> Any:
        """Return what the page of indicators tells of alarms, and the load but for what stands at this instant."""
        day = Period(date(1970, 1, 1), date(1970, 1, 3), self.site.timezone)
        sources = Sources(self.site, cast(Store, None), self.database, Days())
        found = gas(sources, Wanted(day, now_ms, at_ms=at_ms))
        if at_ms is None:
            with self.database.read() as connection:
                burden = load(connection, day.from_ms, day.to_ms, now_ms)
        else:
            board = Board(self.database, self.site)
            past = PastBoards(self.database, board, CaseBoard(self.database, self.site))
            burden = past.load(day.from_ms, day.to_ms, at_ms)
        return found, {key: value for key, value in asdict(burden).items() if key not in STANDING}

    def teardown(self) -> None:
        past = PastBoards(self.database, Board(self.database, self.site), CaseBoard(self.database, self.site))
        instants = sorted(self.said)
        for at_ms in instants[:: max(1, len(instants) // LOOKS)]:
            pages, ones, indicators = self.said[at_ms]
            assert self.indicators(instants[-1] + 1, at_ms) == indicators
            for sieve, before in zip(SIEVES, pages, strict=True):
                assert paged(lambda cursor, s=sieve, at=at_ms: past.alarms(s, 2, cursor, at)) == before
            assert {name: past.alarm(name, at_ms) for name in ones} == ones
            assert all(past.alarm(name, at_ms) is None for name in set(self.newest.values()) - ones.keys())
        super().teardown()


def paged(page: Callable[[str | None], Any]) -> list[Any]:
    """Return every page of a list, each with its counts."""
    found = [page(None)]
    while found[-1]["next"] is not None:
        found.append(page(found[-1]["next"]))
    return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Give the small site."""
    return small_site(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_instant_reads_as_it_read_then(tmp_path: Path, site: Site) -> None:
    """Raised, worse, acknowledged, decided, shelved, folded, silent, returned, reset, out of service, closed."""
    empty = tmp_path / "empty.db"
    opened = AlarmDatabase(f"sqlite:///{empty}")
    opened.migrate()
    opened.close()
    Remembered.empty, Remembered.site = empty, site
    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    run_state_machine_as_test(Remembered, settings=settings(max_examples=12, stateful_step_count=30, phases=phases))
