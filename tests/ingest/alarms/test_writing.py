"""The alarm database's writer: what it cannot keep waits, in order, also in the checkpoint; nothing else does."""

import threading
from pathlib import Path

import pytest

from ingest.alarms.database import AlarmDatabase
from ingest.alarms.writing import AlarmWriter, Step, kept_to
from ingest.checkpoint import Checkpoint
from ingest.errors import AlarmError
from tests.ingest.alarms.collecting import Town
from tests.ingest.alarms.feeding import message, ticks
from tests.ingest.alarms.keeping import transition
from tests.ingest.alarms.test_full_database import held
from tests.servers.waiting import wait_until


class Keeper:
    """A database that can be away."""

    def __init__(self) -> None:
        self.kept: list[int] = []
        self.away = threading.Event()

    def keep(self, step: Step) -> list[tuple[str, int]]:
        if self.away.is_set():
            raise AlarmError("gone")
        self.kept.append(step.position)
        return [(f"o{step.position}", 1)]


def step(position: int) -> Step:
    return Step(position, position * 1000, [transition("raise", position)])


def test_what_cannot_be_kept_waits_in_order() -> None:
    keeper = Keeper()
    writer = AlarmWriter(keeper.keep, {})
    writer.hand(step(1))
    assert (keeper.kept, writer.touched(), writer.oldest_ms(), writer.trouble) == ([1], [("o1", 1)], None, "")
    keeper.away.set()
    for position in (2, 3, 4):
        writer.hand(step(position))
    assert (keeper.kept, writer.touched(), writer.oldest_ms(), writer.trouble) == ([1], [], step(2).since_ms, "gone")
    keeper.away.clear()
    wait_until(lambda: writer.oldest_ms() is None and not writer.trouble, 20)
    writer.hand(step(5))
    assert keeper.kept == [1, 2, 3, 4, 5]
    assert writer.touched() == [(f"o{position}", 1) for position in (2, 3, 4, 5)]
    writer.stop()


def test_a_checkpoint_remembers_what_waits_once() -> None:
    """Each save is told only what is new to it, and from where on the rest may be forgotten; a restart goes on."""
    keeper = Keeper()
    writer = AlarmWriter(keeper.keep, {})
    keeper.away.set()
    writer.hand(step(7))
    writer.hand(step(8))
    first = writer.unkept()
    assert (sorted(first.fresh), first.kept_to) == ([1, 2], 0)
    assert dict(writer.unkept().fresh) == {}
    writer.hand(step(9))
    second = writer.unkept()
    assert (sorted(second.fresh), second.kept_to) == ([3], 0)
    writer.stop()
    saved = {**first.fresh, **second.fresh}
    assert (kept_to(9, saved), kept_to(9, {})) == (6, 9)

    after = Keeper()
    again = AlarmWriter(after.keep, {number: body for number, body in saved.items() if number > 1})
    again.hand(step(10))
    again.start()
    wait_until(lambda: again.oldest_ms() is None, 20)
    assert after.kept == [8, 9, 10]
    done = again.unkept()
    assert (dict(done.fresh), done.kept_to) == ({}, 4)
    again.stop()


def test_an_error_that_no_patience_helps_is_told() -> None:
    keeper = Keeper()

    def broken(each: Step) -> list[tuple[str, int]]:
        if keeper.kept:
            raise ValueError("no such thing")
        keeper.kept.append(each.position)
        raise AlarmError("gone")

    writer = AlarmWriter(broken, {})
    writer.hand(step(1))
    wait_until(lambda: not any(thread.name == "alarms" for thread in threading.enumerate()), 20)
    with pytest.raises(ValueError, match="no such thing"):
        writer.hand(step(2))


def test_nothing_else_waits_for_the_alarm_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is locked all is judged, stored and saved; behind a restart the alarms are kept, as if nothing was."""
    messages = [
        *(message(n, "gas_alarm", "gas-1", {"conc_pct_lel": 60 if n % 200 < 100 else 0}) for n in range(0, 900, 20)),
        *ticks(0, 900),
    ]
    towns = [Town(tmp_path / name) for name in ("calm", "away")]
    for town in towns:
        town.receive(messages)
    calm, away = towns
    calm.judge()
    opened = AlarmDatabase(f"sqlite:///{away.places.alarms}", wait_s=1)
    monkeypatch.setattr(away, "database", lambda: opened)
    with held(f"sqlite:///{away.places.alarms}"):
        work = away.begin()
        wait_until(lambda: work.pipeline.writer.stored.position == len(messages), 30)
        ledger = work.pipeline.ledger()
        work.end()
    assert ledger["alarms_trouble"]
    lags = ledger["lag_s"]
    assert isinstance(lags, dict)
    assert lags["alarms"] > 300
    saved = Checkpoint(away.places.checkpoint).load()
    assert saved.position == len(messages)
    assert kept_to(saved.position, saved.unkept) < 10
    assert not [row for row in away.audit() if row["action"] == "raise"]
    monkeypatch.undo()

    work = away.begin()
    wait_until(lambda: work.pipeline.ledger()["lag_s"]["alarms"] == 0, 30)  # type: ignore[index]
    work.end()
    assert away.told() == calm.told()
    assert Checkpoint(away.places.checkpoint).load().unkept == {}
    code, found = away.recount()
    assert (code, found["missing"], found["phantom"]) == (0, 0, 0)
    assert found["expected"] > 0
