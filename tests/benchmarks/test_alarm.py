"""The figure of alarms: a machine that is too slow for many walls is told as that, and the rest stands."""

import pytest

from benchmarks import alarm
from benchmarks.alarming import NotOpenError
from benchmarks.settings import Settings

FOUND = {column.key: 1.0 for column in alarm.COLUMNS}


def test_walls_that_do_not_open_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def on_walls(_settings: Settings, _rate: int, count: int) -> dict[str, float]:
        asked.append(count)
        if count > 4:
            raise NotOpenError("not every socket had its snapshot within 180 s")
        return FOUND

    monkeypatch.setattr(alarm, "_committed", lambda *_: FOUND)
    monkeypatch.setattr(alarm, "_on_walls", on_walls)
    rows = alarm.run(Settings(runs=1)).document()["rows"]
    assert asked == [4, 50]
    assert [row.get("not_run") for row in rows] == [None, None, "not every socket had its snapshot within 180 s"]
