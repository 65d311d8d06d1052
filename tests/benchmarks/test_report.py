"""Tables: medians with spread, ratios to a peer, and a peer that could not run."""

import json

from benchmarks.report import Column, Ratio, Report, Row


def report() -> Report:
    found = Report(
        "speed",
        "Speed",
        "three runs",
        (Column("rate", "msg/s"), Column("cpu_us", "CPU µs", 1)),
        (Ratio("rate", "Node-RED", "÷ Node-RED"),),
        notes=["a note"],
    )
    for rate, cpu_us in ((30_000, 8.0), (36_000, 6.25), (33_000, 7.0)):
        found.row("CityDeck").add({"rate": rate, "cpu_us": cpu_us})
    found.row("Node-RED").add({"rate": 11_000, "cpu_us": 70})
    return found


def test_markdown_shows_median_spread_ratio_and_notes() -> None:
    assert report().markdown().splitlines() == [
        "**Speed** — three runs",
        "",
        "|  | msg/s | CPU µs | ÷ Node-RED |",
        "| --- | ---: | ---: | ---: |",
        "| CityDeck | 33,000 (30,000–36,000) | 7.0 (6.2–8.0) | 3.00 |",
        "| Node-RED | 11,000 | 70.0 | 1.00 |",
        "",
        "- a note",
    ]


def test_text_aligns_its_columns() -> None:
    _, _, head, first, second, *_ = report().text().splitlines()
    assert head.index("msg/s") == first.index("33,000") == second.index("11,000")
    assert head.index("÷") == first.index("3.00") == second.index("1.00")


def test_a_peer_that_was_not_run_says_why_and_gives_no_ratio() -> None:
    found = report()
    found.rows[1] = Row("Node-RED", absent="npm is not installed")
    assert "| Node-RED | not run: npm is not installed |  |  |" in found.markdown()
    assert "| CityDeck | 33,000 (30,000–36,000) | 7.0 (6.2–8.0) | – |" in found.markdown()
    document = found.document()
    assert document["rows"][1] == {"name": "Node-RED", "not_run": "npm is not installed"}
    assert document["ratios"] == []


def test_the_document_holds_every_run() -> None:
    document = json.loads(json.dumps(report().document()))
    assert document["rows"][0]["runs"] == {"rate": [30_000, 36_000, 33_000], "cpu_us": [8.0, 6.25, 7.0]}
    assert document["rows"][0]["median"] == {"rate": 33_000, "cpu_us": 7.0}
    assert document["ratios"][0] == {"row": "CityDeck", "column": "rate", "to": "Node-RED", "ratio": 3.0}


def test_a_peer_that_managed_nothing_gives_no_ratio() -> None:
    found = Report("x", "X", "", (Column("rate", "msg/s"),), (Ratio("rate", "Node-RED", "÷"),))
    found.row("CityDeck").add({"rate": 1})
    found.row("Node-RED").add({"rate": 0})
    assert "| CityDeck | 1 | – |" in found.markdown()


def test_who_ended_by_itself_is_named_with_its_run_and_last_words() -> None:
    found = report()
    found.told_end("CityDeck", 1, "ImportError: cannot import name")
    found.told_end("Node-RED", 0, "")
    assert found.notes == ["a note", "CityDeck ended by itself in run 2: ImportError: cannot import name"]
    assert "- CityDeck ended by itself in run 2: ImportError" in found.markdown()
