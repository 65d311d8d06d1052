"""The back-test: what would differ and what would not, the verdicts of the past counted in; and every refusal."""

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from ingest.alarms import occurrences
from ingest.alarms.engine import Engine
from ingest.alarms.revisions import backtesting, records
from ingest.alarms.revisions.revision import Revision
from ingest.alarms.tables import occurrence
from ingest.backtest.table import sentence
from ingest.decoding import Decoder, Unregistered
from ingest.errors import Refused
from tests.ingest.alarms.feeding import T0
from tests.ingest.alarms.revisions.desk import ENGINEER, OFFICER, TIGHTER, Desk, fresh

POINT = "gas-1/conc_pct_lel.high"


def result(desk: Desk, number: int, **span: float) -> dict[str, Any]:
    row = desk.test(number, **span)
    assert row["state"] == "done", row["sentence"]
    found: dict[str, Any] = msgspec.json.decode(row["result"])
    return found


def keep_what_was(desk: Desk, revision: Revision) -> None:
    """Put on record what the engine makes of the recording under a revision; the first rise is done with at once."""
    decoder, engine = Decoder(desk.site, Unregistered()), Engine(desk.site, "main", revision)
    found = engine.feed([decoder.outcome(record) for record in desk.journal.read(0, 10_000)])
    begun = [each for each in found if each.now_ms < T0 + 1_000_000]
    occurrences.apply(desk.database, "main", begun, begun[-1].position, begun[-1].now_ms)
    found_of(desk, 300, acked=True, latched=False, closed_at=T0 + 900_000)
    occurrences.apply(desk.database, "main", found[len(begun) :], desk.journal.last, desk.now_ms)


def keep_what_is(desk: Desk) -> None:
    """Put on record what the site's own rules make of the recording."""
    decoder = Decoder(desk.site, Unregistered())
    found = Engine(desk.site).feed([decoder.outcome(record) for record in desk.journal.read(0, 10_000)])
    occurrences.apply(desk.database, "main", found, desk.journal.last, desk.now_ms)


def found_of(desk: Desk, at_s: float, **columns: Any) -> None:
    """Write what people found of the alarm that was raised at an instant."""
    with desk.database.write() as connection:
        done = connection.execute(
            occurrence.update()
            .where(occurrence.c.point == POINT, occurrence.c.raised_at == T0 + round(at_s * 1000))
            .values(**columns)
        )
        assert done.rowcount == 1


def named(found: dict[str, Any]) -> list[tuple[str, float, float, str]]:
    return [(each["point"], (each["at"] - T0) / 1000, each["value"], each["priority"]) for each in found["items"]]


def test_what_would_appear(desk: Desk) -> None:
    """A lower limit finds the rise to 12; that to 60 is an alarm under both, at the same priority."""
    desk.draft(**TIGHTER)
    found = result(desk, 1)
    assert named(found["appear"]) == [(POINT, 300, 12, "P2")]
    assert (found["vanish"]["count"], found["moved"]["count"]) == (0, 0)
    assert found["rules"] == ["gas_alarm.conc_pct_lel.high"]
    before, after = found["before"], found["after"]
    assert after["activations"] == before["activations"] + 1
    assert (before["priorities"]["P1"], after["priorities"]["P1"]) == (1, 1)
    assert after["priorities"]["P2"] == before["priorities"]["P2"] + 1
    assert after["per_day"] == pytest.approx(after["activations"] / found["days"])
    assert [sum(day[side].values()) for side in ("before", "after") for day in found["by_day"]] == [
        before["activations"], after["activations"],
    ]  # fmt: skip


def test_what_would_vanish_and_what_people_found_of_it(desk: Desk) -> None:
    """Back from a lower limit: the rise to 12 vanishes. It was false: one spared. It was a case: one missed."""
    desk.publish(**TIGHTER)
    with desk.database.read() as connection:
        keep_what_was(desk, records.due(connection, desk.now_ms)[0])
    number = desk.draft(withdraw=[{"kind": "gas_alarm", "field": "conc_pct_lel"}]).row["number"]
    found = result(desk, number)
    assert named(found["vanish"]) == [(POINT, 300, 12, "P2")]
    assert found["verdicts"] == {
        "false_alarms": 0, "spared": 0, "confirmed": 0, "missed": 0, "absent": 0, "missed_items": [],
    }  # fmt: skip
    found_of(desk, 300, verdict="false_alarm")
    found_of(desk, 1200, case="case-1")
    counts = {"false_alarms": 1, "spared": 1, "confirmed": 1, "missed": 0}
    assert {key: result(desk, number)["verdicts"][key] for key in counts} == counts
    found_of(desk, 300, verdict=None, case="case-2")
    found = result(desk, number)["verdicts"]
    assert (found["spared"], found["confirmed"], found["missed"]) == (0, 2, 1)
    assert [(each["case"], each["point"]) for each in found["missed_items"]] == [("case-2", POINT)]


def test_what_would_be_called_out_otherwise(desk: Desk) -> None:
    """The rise to 60 reaches another priority where the worst level is raised by less."""
    desk.draft(limits={"gas_alarm": {"conc_pct_lel": {"priorities": ["P1", "P1"]}}})
    found = result(desk, 1)
    assert (found["vanish"]["count"], found["appear"]["count"]) == (0, 0)
    desk.draft(limits={"gas_alarm": {"conc_ppm": {"co": {"priorities": ["P1", "P1"]}}}})
    assert result(desk, 2)["moved"]["count"] == 0


def test_a_limit_for_one_device_leaves_the_others_alone(desk: Desk) -> None:
    """The detector that was recorded is another one."""
    desk.draft(limits_for=[{"device": "gas-2", "kind": "gas_alarm", "field": "conc_pct_lel", "levels": [6, 10]}])
    found = result(desk, 1)
    assert found["before"] == found["after"]
    assert found["appear"]["count"] == found["vanish"]["count"] == 0


def test_only_the_span_counts(desk: Desk) -> None:
    """The rise at minute 5 is no alarm of the last ten minutes, though it is known when they begin."""
    desk.draft(**TIGHTER)
    found = result(desk, 1, from_s=1150, to_s=1790)
    assert (found["appear"]["count"], found["before"]["priorities"]["P1"]) == (0, 1)
    assert found["days"] == pytest.approx(640 / 86_400)


@pytest.mark.parametrize(
    ("span", "sentence"),
    [
        ({"from_s": 100, "to_s": 100}, "The span is empty: from must lie before to."),
        ({"from_s": 5000, "to_s": 6000}, "The span holds no records; the journal reaches from 2026-01-01T08:00:00"),
        ({"from_s": -50, "to_s": -1}, "The span holds no records; the journal reaches from 2026-01-01T08:00:00"),
    ],
)
def test_a_span_without_records(desk: Desk, span: dict[str, float], sentence: str) -> None:
    """Told with what there is; nothing is begun."""
    desk.draft(**TIGHTER)
    with pytest.raises(Refused) as caught:
        desk.test(1, **span)
    assert (caught.value.why, str(caught.value).startswith(sentence)) == ("unfit", True), str(caught.value)
    with desk.database.read() as connection:
        assert records.backtests(connection) == []


def test_what_cannot_be_tested(desk: Desk) -> None:
    """No such draft, one approved already, another's office, and a second one while one runs."""

    def ask(number: int, person: Any = ENGINEER) -> backtesting.Asked:
        wish = backtesting.Wish(number, None, None, fresh())
        return backtesting.ask(desk.database, wish, desk.site, desk.recordings, person, desk.now_ms)

    def why(number: int, person: Any = ENGINEER) -> str:
        with pytest.raises(Refused) as caught:
            ask(number, person)
        return caught.value.why

    assert why(1) == "not_found"
    desk.publish(**TIGHTER)
    assert why(1) == "state"
    desk.draft(limits={"gas_alarm": {"conc_pct_lel": {"deadband": 3}}})
    assert why(2, OFFICER) == "role"
    begun = ask(2)
    assert why(2) == "pending"
    desk.now_s += 120
    assert ask(2).id != begun.id


def test_it_runs_once(desk: Desk) -> None:
    """The same request again does not run it again; one that was given up says why."""
    desk.draft(**TIGHTER)
    first = desk.test(1)
    with desk.database.write() as connection:
        connection.execute(sa.text("UPDATE rule_backtest SET result = '{}'"))
    backtesting.run(desk.database, first["id"], desk.site, desk.recordings, lambda: desk.now_ms)
    with desk.database.read() as connection:
        assert records.backtests(connection)[0]["result"] == "{}"
    wish = backtesting.Wish(1, None, None, fresh())
    asked = backtesting.ask(desk.database, wish, desk.site, desk.recordings, ENGINEER, desk.now_ms)
    backtesting.end(desk.database, asked.id, "It ended early: killed", desk.now_ms)
    backtesting.run(desk.database, asked.id, desk.site, desk.recordings, lambda: desk.now_ms)
    with desk.database.read() as connection:
        (row,) = (each for each in records.backtests(connection) if each["id"] == asked.id)
    assert (row["state"], row["sentence"], row["result"]) == ("failed", "It ended early: killed", None)


def test_what_people_found_elsewhere_is_neither_spared_nor_missed(desk: Desk) -> None:
    """A stricter rule misses nothing: a case on a detector that the recording does not hold is told apart."""
    keep_what_is(desk)
    found_of(desk, 1200, case="case-1")
    desk.draft(**TIGHTER)
    counts = {"false_alarms": 0, "spared": 0, "confirmed": 1, "missed": 0, "absent": 0, "missed_items": []}
    assert result(desk, 1)["verdicts"] == counts
    found_of(desk, 1200, device="gas-9", point="gas-9/conc_pct_lel.high")
    found = result(desk, 1)["verdicts"]
    assert found == {**counts, "confirmed": 0, "absent": 1}
    assert sentence(found) == (
        "this change would have spared 0 nuisance alarms and missed 0 confirmed "
        "(of 0 found false and 0 that became a case; 1 more is not in this recording)"
    )


def test_a_limit_for_one_device_asks_nothing_of_the_findings_of_others(desk: Desk) -> None:
    keep_what_is(desk)
    found_of(desk, 1200, case="case-1")
    desk.draft(limits_for=[{"device": "gas-2", "kind": "gas_alarm", "field": "conc_pct_lel", "levels": [6, 10]}])
    assert result(desk, 1)["verdicts"]["confirmed"] == 0
