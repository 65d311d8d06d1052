"""Rounds: they go on whatever one of them meets, and say each trouble once."""

import logging
import sqlite3

import pytest

from ingest.errors import StoreError
from ingest.rounds import Rounds
from tests.servers.waiting import wait_until


class Walk(Rounds):
    """Meets one thing a round; nothing at its last one and any further."""

    called = "walk"
    every_s = 0.001
    meanwhile = "the way is longer"

    def __init__(self, *met: Exception | None) -> None:
        super().__init__()
        self.met = list(met)
        self.rounds = 0

    def round(self) -> None:
        """Raise what is met."""
        self.rounds += 1
        met = self.met.pop(0) if self.met else None
        if met is not None:
            raise met


def walked(walk: Walk, caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, bool]]:
    """Let it walk behind its last trouble and return what was logged: level, words, and whether with a traceback."""
    wanted = len(walk.met) + 3
    walk.start()
    wait_until(lambda: walk.rounds >= wanted)
    walk.stop()
    assert not walk.is_alive()
    return [(record.levelno, record.getMessage(), bool(record.exc_info)) for record in caplog.records]


def test_the_same_trouble_is_told_once_for_as_long_as_it_lasts(caplog: pytest.LogCaptureFixture) -> None:
    away, locked = StoreError("the store is away"), sqlite3.OperationalError("database is locked")
    found = walked(Walk(away, away, locked, locked, away, None, away), caplog)
    told = ["the store is away", "database is locked", "the store is away", "the store is away"]
    assert found == [(logging.WARNING, f"{words}; the way is longer", False) for words in told]


def test_a_fault_of_ours_is_told_once_with_its_traceback_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    found = walked(Walk(KeyError("nobody"), KeyError("nobody"), ZeroDivisionError(), None, OSError("gone")), caplog)
    assert found == [(logging.ERROR, "walk failed; the way is longer", True)] * 3


def test_a_round_may_say_when_the_next_one_follows() -> None:
    class Waiting(Walk):
        every_s = 3_600.0

        def round(self) -> None:
            super().round()
            if self.rounds < 3:
                self._pause_s = 0.0

    walk = Waiting()
    walk.start()
    wait_until(lambda: walk.rounds == 3)
    assert walk.is_alive()
    walk.stop()
    assert (walk.rounds, walk.is_alive()) == (3, False)


def test_what_never_began_is_stopped_at_once() -> None:
    walk = Walk()
    walk.stop()
    assert walk.rounds == 0
