"""Indicators, tables to take away and the daily report over HTTP, in a running town."""

import csv
import io
import itertools
import time
import zipfile
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from cockpit.exports import harmless
from tests.cockpit.town import Town
from tests.servers.waiting import wait_until

KINDS = ("bridge_wim", "refuse_truck", "light_pole", "gas_alarm", "drone")
_KEYS = itertools.count()


def fetched(town: Town, path: str, **parameters: Any) -> httpx.Response:
    """Ask as a reader who is logged in."""
    with town.client("viewer") as viewer:
        return viewer.get(path, params=parameters or None)


def table(answer: httpx.Response) -> list[dict[str, str]]:
    """Return the rows of a CSV answer by the titles of their columns."""
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf"), "Excel needs the mark"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def reported(town: Town, description: str) -> str:
    """Report a case and return its number."""
    body = {"sub_class": "other", "street": "s01", "description": description, "idempotency_key": f"k{next(_KEYS)}"}
    with town.client("officer") as officer:
        answer = officer.post("/api/v1/cases", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_the_days_are_those_of_the_site(town: Town) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    today = datetime.now(zone).date()
    found = fetched(town, "/api/v1/kpi/period", preset="week").json()
    # The test may run over midnight.
    assert datetime.fromisoformat(found["to"]).date() - today in (timedelta(0), timedelta(1))
    last = datetime.fromisoformat(found["to"]).date()
    assert found["from"] == (last - timedelta(days=6)).isoformat()
    assert found["to_at"] == f"{last + timedelta(days=1)}T00:00:00.000+08:00"
    assert found["running"]
    past = fetched(town, "/api/v1/kpi/period", **{"from": "2024-02-03", "to": "2024-02-10"}).json()
    assert (past["month_from"], past["month_to"], past["running"]) == ("2024-02-01", "2024-02-29", False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_indicators(town: Town, kind: str) -> None:
    found = fetched(town, f"/api/v1/kpi/{kind}", **{"from": "2026-01-01", "to": "2026-01-02", "street": "s01"}).json()
    assert (found["kind"], found["from"], found["to"], found["street"]) == (kind, "2026-01-01", "2026-01-02", "s01")
    assert [row["street"] for row in found["streets"]] == ["s01"]
    assert found["waiting"] == 0
    assert found["at"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/v1/kpi/gateway", 404, "There are no indicators of 'gateway'"),
        ("/api/v1/kpi/drone?street=nowhere", 422, "street 'nowhere': there is none of that key."),
        ("/api/v1/kpi/drone?district=x", 422, "district 'x': there is none of that key."),
        ("/api/v1/kpi/drone?from=2026-02-30", 422, "from '2026-02-30': expected a day such as 2026-09-30."),
        ("/api/v1/kpi/cases?share=x", 422, "share 'x': expected one of registered, "),
        ("/api/v1/kpi/cases?share=closed&part=half", 422, "part 'half': expected numerator or denominator."),
        ("/api/v1/export/alarms?state=x", 422, "state 'x': expected one of open,"),
        ("/api/v1/export/alarms?format=pdf", 422, "format: Input should be 'csv' or 'xlsx'"),
        ("/api/v1/export/cases?lang=fr", 422, "lang 'fr': expected one of zh, en."),
        ("/api/v1/export/kpi?kind=x", 422, "kind 'x': expected one of bridge_wim,"),
        ("/report?day=soon", 422, "'soon': expected a day such as 2026-09-30."),
        ("/report?day=2199-01-01", 422, "day '2199-01-01' is still to come."),
    ],
)
def test_what_does_not_fit_is_told(town: Town, path: str, status: int, words: str) -> None:
    answer = fetched(town, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_an_overload_is_the_same_on_every_way(town: Town) -> None:
    """One vehicle: in the indicator, in the list that it links to, and in the table to take away."""
    told = {"pass_id": f"k{time.time_ns()}", "axle_count": 2, "gvw_kg": 25_000, "lane": "1", "plate_hash": "same"}
    town.say("bridge_wim", "wim-1", told, channel="event", id=str(told["pass_id"]))
    alarm = town.alarm("wim-1", "all")
    found = town.eventually(
        lambda: (kpi := fetched(town, "/api/v1/kpi/bridge_wim").json())["total"]["overload"]["numerator"] and kpi
    )
    day = fetched(town, "/api/v1/kpi/period").json()
    asked = {
        "state": "all",
        "rule": ",".join(found["rules"]),
        "from": day["from_at"],
        "to": day["to_at"],
        "street": "s02",
    }
    records = fetched(town, "/api/v1/alarms", **asked).json()["items"]
    rows = table(fetched(town, "/api/v1/export/alarms", **asked, lang="en"))
    assert len(records) == len(rows) == found["total"]["overload"]["numerator"]
    assert alarm["id"] in [row["Alarm"] for row in rows]
    assert (rows[0]["What"], rows[0]["Street"], rows[0]["Unit"]) == ("vehicle over the limit", "Second Street", "%")


def test_the_cases_behind_a_share(town: Town) -> None:
    case = reported(town, "x")
    of = fetched(town, "/api/v1/kpi/cases", share="registered").json()["items"]
    hits = fetched(town, "/api/v1/kpi/cases", share="registered", part="numerator").json()["items"]
    assert case in [row["id"] for row in of]
    assert case not in [row["id"] for row in hits]
    period = fetched(town, "/api/v1/kpi/period").json()
    asked = {"from": period["from_at"], "to": period["to_at"]}
    ratio = fetched(town, "/api/v1/cases/indicators", **asked).json()["indicators"]["registered"]
    assert (len(hits), len(of)) == (ratio["numerator"], ratio["denominator"])


@pytest.mark.parametrize("beginning", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\uff1d1"])
def test_no_cell_becomes_a_formula(beginning: str) -> None:
    assert harmless(beginning) == f"'{beginning}"
    assert harmless(-1.5) == -1.5
    assert harmless("pole-1 = dark") == "pole-1 = dark"


def test_what_people_wrote_is_harmless_in_a_table(town: Town) -> None:
    case = reported(town, '=HYPERLINK("http://x","，\n")')
    rows = {row["案件编号"]: row for row in table(fetched(town, "/api/v1/export/cases", state="all"))}
    assert rows[case]["描述"] == '\'=HYPERLINK("http://x","，\n")'
    assert rows[case]["街道"] == "甲街道"
    book = fetched(town, "/api/v1/export/cases", state="all", format="xlsx")
    assert 'filename="citydeck-cases-' in book.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(book.content)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "&quot;http://x&quot;" in sheet or '"http://x"' in sheet
    assert "<f>" not in sheet


def test_the_ledger_is_exported_as_it_is_listed(town: Town) -> None:
    town.say("gas_alarm", "gas-2", {"conc_pct_lel": 1, "state": 0})

    def listed() -> Any:
        return fetched(town, "/api/v1/ledger/devices", device="gas-2").json()["items"]

    # The collector keeps these counts once a minute.
    (known, *_) = wait_until(listed, 90, 0.5)
    (row,) = table(fetched(town, "/api/v1/export/ledger", device="gas-2", lang="en"))
    assert (row["Device"], row["Kind"]) == ("gas-2", "gas_alarm")
    assert int(row["Decoded"]) >= known["messages"]["decoded"]


def test_every_figure_is_a_row(town: Town) -> None:
    rows = table(fetched(town, "/api/v1/export/kpi", lang="en", **{"from": "2026-01-01", "to": "2026-01-02"}))
    assert {row["Kind"] for row in rows} == set(KINDS)
    found = [row for row in rows if (row["Kind"], row["Scope"], row["Figure"]) == ("light_pole", "total", "lit")]
    assert [(row["Numerator"], row["Denominator"], row["Value"]) for row in found] == [("0", "0", "")]


@pytest.mark.parametrize(("language", "words"), [("zh", "城市运行日报"), ("en", "Daily report of the city")])
def test_the_report_of_a_day(town: Town, language: str, words: str) -> None:
    """It says what was reported, draws without a script, and lets nobody write markup into it."""
    reported(town, "<script>alert(1)</script>")
    answer = fetched(town, "/report", lang=language)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = answer.text
    assert words in page
    assert page.count("<svg") >= 6
    assert "<script" not in page
    other = fetched(town, "/report", day="2026-01-02", lang=language).text
    assert "2026-01-02" in other
    assert page != other


@pytest.mark.parametrize(("language", "word"), [("zh", "高限报警"), ("en", "high alarm")])
def test_the_report_gives_states_their_names(town: Town, language: str, word: str) -> None:
    town.say("gas_alarm", "gas-reported", {"conc_pct_lel": 60, "state": 2})
    town.alarm("gas-reported")
    town.eventually(lambda: f">{word}<" in fetched(town, "/report", lang=language).text)
