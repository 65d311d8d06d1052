"""While a whole city is told in pieces, the collector goes on: it saves what it knows, and nothing stays untold."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ingest.checkpoint import Checkpoint
from ingest.live import Live
from ingest.pipeline import Pipeline
from tests.ingest.alarms.collecting import Town
from tests.ingest.alarms.feeding import message, ticks

POLES = [f"p{number:02d}" for number in range(60)]
SECONDS = 400


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A city that is told one device at a time, and a backlog in which each pole speaks once."""
    monkeypatch.setattr("ingest.live._PIECE_DEVICES", 1)
    monkeypatch.setattr("ingest.pipeline._TELL_S", 0.0)
    monkeypatch.setattr("ingest.pipeline._BATCH", 1)
    tail = "".join(f'[[devices]]\nid = "{pole}"\nkind = "light_pole"\nstreet = "s01"\n' for pole in POLES)
    town = Town(tmp_path / "city", parts={"tail": tail})
    spoken = [message(second + 0.5, "light_pole", pole, {"dim_pct": 80}) for second, pole in enumerate(POLES)]
    town.receive([*ticks(0, SECONDS), *spoken])
    return town


def test_a_backlog_is_saved_while_it_is_told(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it not, a kill would let the whole of it be judged again, and what waits in memory would grow."""
    saved: list[int] = []
    save = Checkpoint.save

    def noted(checkpoint: Checkpoint, position: int, *rest: Any) -> None:
        saved.append(position)
        save(checkpoint, position, *rest)

    monkeypatch.setattr(Checkpoint, "save", noted)
    town.judge()
    assert saved[-1] == SECONDS + len(POLES)
    # At least every ten seconds of the journal, with two records each; to tell all takes a record for each device.
    assert max(after - before for before, after in pairwise(saved)) <= 25


def test_what_is_saved_before_it_is_told_is_told_all_the_same(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    told: set[str] = set()
    send = Live._send

    def noted(live: Live, topic: str, document: dict[str, Any]) -> None:
        told.update(name for name in document.get("devices", ()) if live._memory.devices[name].rows)
        send(live, topic, document)

    monkeypatch.setattr(Live, "_send", noted)
    town.judge()
    assert told >= set(POLES)


def test_while_a_backlog_is_read_a_city_is_told_in_a_moment(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alarms are late by more than that, and whoever asked for all there is must not wait for its end."""
    monkeypatch.setattr("ingest.pipeline._TELL_S", 60.0)
    busy: list[bool] = []
    step = Pipeline._step

    def noted(pipeline: Pipeline, records: Any) -> None:
        busy.append(pipeline._live.busy)
        step(pipeline, records)

    monkeypatch.setattr(Pipeline, "_step", noted)
    town.judge()
    assert busy
    assert not any(busy)
