"""A rule that fails by a fault of ours: its message goes to quarantine, and every other alarm comes as ever."""

import logging
from pathlib import Path
from typing import NoReturn

import pytest

from devices.site import Site
from ingest.alarms.columns import Columns
from ingest.alarms.course import Course
from ingest.alarms.engine import Engine
from ingest.alarms.judging import Judging
from ingest.alarms.silence import Silence
from ingest.alarms.transitions import Transition
from ingest.decoding import Decoder, Unregistered
from ingest.ledger import Ledger
from ingest.outcomes import AnyOutcome, Usual
from ingest.records import Record
from tests.ingest.alarms.feeding import message, records, story, ticks
from tests.sites import small_site

GAS = "gas-1/conc_pct_lel.high"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return small_site(tmp_path)


def fed(site: Site, journal: list[Record]) -> tuple[list[tuple[str, str, int, float]], list[AnyOutcome]]:
    outcomes = Decoder(site, Unregistered()).outcomes(journal)
    return story(Engine(site).feed(outcomes)), outcomes


def gas(at_s: float, value: float, device: str = "gas-1") -> tuple[float, str, bytes]:
    return message(at_s, "gas_alarm", device, {"conc_pct_lel": value}, seq=round(at_s))


def fail(*_: object) -> NoReturn:
    raise ZeroDivisionError("float division by zero")


def test_one_message_fails_and_the_next_raises(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judge = Judging.judge

    def odd(self: Judging, reading: object, *rest: object) -> None:
        fail() if reading.values["conc_pct_lel"] == 77.0 else judge(self, reading, *rest)  # type: ignore[arg-type, attr-defined]

    monkeypatch.setattr(Judging, "judge", odd)
    told, outcomes = fed(site, records([gas(0, 1), gas(10, 77), gas(11, 77), gas(20, 60)]))
    assert ("raise", GAS, 2, 20.0) in told
    assert [(each.fate, each.reason) for each in outcomes] == [
        ("decoded", ""), ("quarantined", "failure"), ("quarantined", "failure"), ("decoded", "")
    ]  # fmt: skip
    assert outcomes[1].sentence == "judging failed: ZeroDivisionError: float division by zero"
    ledger = Ledger()
    assert ledger.count(outcomes) == outcomes[1:3]
    assert (ledger.decoded, ledger.quarantined, ledger.produced) == (2, 2, 4)
    (logged,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert logged.getMessage() == "judging failed, the message goes to quarantine position=2"


def test_the_quick_look_fails_and_each_is_looked_at(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = records([gas(0, 1), gas(10, 60), gas(20, 1)])
    expected, _ = fed(site, journal)
    monkeypatch.setattr(Columns, "loud", fail)
    assert fed(site, journal)[0] == expected


def lamp(at_s: float, leak_ma: float) -> tuple[float, str, bytes]:
    return message(at_s, "light_pole", "pole-1", {"leak_ma": leak_ma}, seq=round(at_s))


def test_the_look_at_a_sheet_fails_and_each_is_looked_at(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = records([lamp(0, 1), lamp(1, 1), lamp(2, 1), lamp(10, 35), lamp(20, 1)])
    expected, outcomes = fed(site, journal)
    assert "raise" in {what for what, *_ in expected}
    assert Usual in map(type, outcomes)
    monkeypatch.setattr(Columns, "loud_rows", fail)
    assert fed(site, journal)[0] == expected


def test_a_usual_message_fails_and_the_next_raises(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judging.judge

    def odd(self: Judging, reading: object, *rest: object) -> None:
        fail() if reading.values["leak_ma"] == 400.0 else judge(self, reading, *rest)  # type: ignore[arg-type, attr-defined]

    monkeypatch.setattr(Judging, "judge", odd)
    told, outcomes = fed(site, records([lamp(0, 1), lamp(1, 1), lamp(2, 400), lamp(3, 35)]))
    assert "raise" in {what for what, _, _, at_s in told if at_s == 3.0}
    assert [(type(each) is Usual, each.fate, each.reason) for each in outcomes[2:]] == [
        (True, "quarantined", "failure"), (True, "decoded", "")
    ]  # fmt: skip
    ledger = Ledger()
    assert ledger.count(outcomes) == outcomes[2:3]
    assert (ledger.decoded, ledger.quarantined, ledger.produced) == (3, 1, 4)


def test_what_a_message_that_fails_changed_is_saved(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made ready for a save before, a device is made ready again."""
    values = {"cmd_pct": 80.0, "dim_pct": 80.0, "lamp_fail": False, "supply_a": 0.5}
    journal = records([message(at_s, "light_pole", "pole-1", values, seq=at_s) for at_s in range(4)])
    outcomes, engine = Decoder(site, Unregistered()).outcomes(journal), Engine(site)
    engine.feed(outcomes[:3])
    engine.memory.changed.clear()
    monkeypatch.setattr(Judging, "learned", fail)
    engine.feed(outcomes[3:])
    assert outcomes[3].reason == "failure"
    assert engine.memory.changed == {"pole-1"}


def test_time_fails_at_one_message_and_the_next_is_still_looked_at(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    advance = Course._advance

    def odd(self: Course, outcome: AnyOutcome, found: list[Transition]) -> None:
        fail() if outcome.position == 3 else advance(self, outcome, found)

    monkeypatch.setattr(Course, "_advance", odd)
    told, outcomes = fed(site, records([gas(0, 1), gas(1, 1), gas(2, 1), gas(3, 60)]))
    assert ("raise", GAS, 2, 3.0) in told
    assert [each.fate for each in outcomes] == ["decoded", "decoded", "quarantined", "decoded"]


def test_a_timer_fails_and_time_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fired = Silence._fired

    def odd(self: Silence, device: str, *rest: object) -> object:
        return fail() if device == "gas-2" else fired(self, device, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Silence, "_fired", odd)
    told, outcomes = fed(site, records([*ticks(1, 1_000), gas(0, 1), gas(900, 60)]))
    assert ("raise", GAS, 2, 900.0) in told
    assert any(what == "raise" and point.endswith("/no_data") for what, point, _, _ in told)
    assert [each.fate for each in outcomes if each.fate != "tick"] == ["decoded"] * 2
