"""What is learned of devices, looked up for a whole sheet of messages, is judged as it is message by message."""

from random import Random
from typing import Any

import pytest

from ingest.alarms.engine import Engine
from ingest.alarms.learning import Learning
from ingest.alarms.transitions import Transition
from ingest.decoding import Decoder, Unregistered
from ingest.records import Record
from tests.ingest.alarms.feeding import message, records, tick
from tests.ingest.alarms.rule_city import Message, city

STEP_S = 30
OWN = """
[[limits_for]]
device = "lamp-02"
kind = "light_pole"
field = "supply_a"
limit = "current_low"
levels = [99]
"""


def lamps(step: int, **values: float) -> list[Message]:
    """Return what four lamps send: the third tells no command with its current, so that is looked up elsewhere."""
    found = []
    for n in range(4):
        data: dict[str, Any] = {"cmd_pct": 80.0, "dim_pct": 80.0, "lamp_fail": False, "supply_a": 0.5, "feeder": "F-9"}
        data |= values
        if n == 2:
            del data["cmd_pct"]
        found.append(message(step * STEP_S + n, "light_pole", f"lamp-{n + 1:02d}", data, seq=step))
    return found


def played(journal: list[Record], tail: str, together: bool) -> tuple[list[Transition], dict[str, bytes]]:
    decoder, engine = Decoder(city(tail), Unregistered()), Engine(city(tail))
    found: list[Transition] = []
    for begin in range(0, len(journal), 50):
        some = journal[begin : begin + 50]
        found += engine.feed(decoder.outcomes(some) if together else [decoder.outcome(each) for each in some])
    return found, engine.memory.encoded(engine.memory.devices)


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """Give the figures of rows that were judged by what was looked up for their sheet."""
    figures: list[float | None] = []
    ask = Learning.figure

    def figure(self: Learning, *given: Any) -> float | None:
        figures.append(ask(self, *given))
        return figures[-1]

    monkeypatch.setattr(Learning, "figure", figure)
    return figures


@pytest.mark.parametrize("tail", ["", OWN], ids=["usual limits", "one lamp with its own"])
def test_a_current_far_below_its_usual(looked_up: list[float | None], tail: str) -> None:
    """Learned, then pending for its time, raised, returned; the row in which it begins is one of a sheet."""
    journal = records(
        [tick(second) for second in range(0, 100 * STEP_S, 5)]
        + [each for step in range(100) for each in lamps(step, supply_a=0.02 if 60 <= step < 75 else 0.5)]
    )
    alone, together = played(journal, tail, together=False), played(journal, tail, together=True)
    assert together == alone
    raised = {each.device for each in alone[0] if each.what == "raise" and "current_low" in each.rule}
    assert raised >= {"lamp-01", "lamp-02"}
    assert [each for each in looked_up if each is not None and each < 10]


def test_whatever_lamps_say(looked_up: list[float | None]) -> None:
    """Commands that are none, lamps that fail or are dark, currents of nothing, fields that are absent."""
    random = Random(7)
    sent: list[Message] = [tick(second) for second in range(0, 400 * STEP_S, 5)]
    for step in range(400):
        often = {
            "cmd_pct": random.choice([80.0, 80.0, 80.0, 0.0, 4.9, 5.0, 15.0, 100.0]),
            "dim_pct": random.choice([80.0, 80.0, 80.0, 9.0]),
            "lamp_fail": random.random() < 0.05,
            "supply_a": random.choice([0.5, 0.5, 0.5, 0.45, 0.62, 0.0, 0.01, 5.0]),
        }
        for n in range(6):
            noisy = often | {"supply_a": often["supply_a"] * random.uniform(0.98, 1.02)}
            kept = {key: value for key, value in noisy.items() if random.random() < 0.98}
            sent.append(message(step * STEP_S + n, "light_pole", f"lamp-{n + 1:02d}", kept or often, seq=step))
    journal = records(sent)
    assert played(journal, "", together=True) == played(journal, "", together=False)
    assert len([each for each in looked_up if each is not None]) > 50
