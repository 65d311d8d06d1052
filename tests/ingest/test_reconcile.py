"""Journal against store, by a second count: a point taken away or put there behind everybody's back is named."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from devices.site import Site
from devices.site_file import load_site
from ingest.checkpoint import Checkpoint, Saved
from ingest.decoding import Decoder, Unregistered
from ingest.journal import Journal
from ingest.places import Places
from ingest.quarantine import Quarantined
from ingest.reconcile import main
from ingest.store import open_store
from ingest.store.sqlite import SqliteStore
from tests.ingest.collector import ROOT, Collector
from tests.ingest.messages import Message, gas, native, passage
from tests.ingest.publisher import Publisher
from tests.servers.influxdb import Influx
from tests.sites import small_site_text

MINUTE_MS = 60_000
# Of this day, or everything would be older than the site keeps.
HOUR_MS = time.time_ns() // 1_000_000 // 3_600_000 * 3_600_000 - 7_200_000
DAY = 86_400_000


@dataclass
class Past:
    """What a collector with the embedded store would have left behind."""

    folder: Path
    site: Site
    first: int = 1
    quarantined: list[Quarantined] = field(default_factory=list)

    @property
    def places(self) -> Places:
        return Places(self.folder / "var")

    def receive(self, at_ms: int, *messages: Message, store: bool = True) -> None:
        """Journal messages at an instant; ``store`` tells whether they reached the store."""
        journal = Journal(self.places.journal)
        records = journal.read(journal.append(messages, at_ms).start - 1, len(messages))
        journal.close()
        decoder = Decoder(self.site, Unregistered())
        outcomes = [decoder.outcome(record) for record in records]
        if store:
            readings = open_store(self.site, self.places)
            readings.write([r for o in outcomes for r in o.readings], records[-1].position)
            readings.close()
        checkpoint = Checkpoint(self.places.checkpoint)
        found = [
            Quarantined(o.position, at_ms, o.reason, o.device, o.topic, o.sentence, "", o.device)
            for o in outcomes
            if o.fate == "quarantined"
        ]
        checkpoint.save(records[-1].position, at_ms, 0, Saved().ledger, {}, Unregistered(), found)
        checkpoint.close()

    def ask(self, *options: str) -> tuple[int, dict[str, Any]]:
        """Run the command over the hour and return its exit code and answer."""
        code, said = self.say("--json", *options)
        return code, json.loads(said)

    def say(self, *options: str) -> tuple[int, str]:
        words = ["--site", str(self.folder / "site.toml"), "--data", str(self.places.data), *options]
        if "--from" not in options:
            words += ["--from", instant(HOUR_MS), "--to", instant(HOUR_MS + 60 * MINUTE_MS)]
        done = CliRunner().invoke(main, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout or done.output

    def change(self, statement: str, *values: object) -> int:
        """Change the store behind everybody's back and return how many rows that took."""
        with sqlite3.connect(self.places.readings) as database:
            changed = database.execute(statement, values).rowcount
        database.close()
        return changed


def instant(at_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(at_ms // 1000))


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    (tmp_path / "site.toml").write_text(small_site_text(), encoding="utf-8")
    made = Past(tmp_path, load_site(tmp_path / "site.toml"))
    # Received before the hour: the journal does not begin within it.
    made.receive(HOUR_MS - 20 * MINUTE_MS, gas("gas-1", 1, ts=HOUR_MS - 20 * MINUTE_MS, id="before"))
    yield made


def an_hour() -> list[Message]:
    messages: list[Message] = []
    for n in range(120):
        ts = HOUR_MS + n * MINUTE_MS // 4
        messages += [gas("gas-1", n % 9, ts=ts, id=f"a{n}"), passage("wim-1", f"p{n}", ts)]
        messages.append(native("light_pole", "pole-1", {"dim_pct": 5, "pm25_ugm3": 3}, ts=ts, id=f"l{n}"))
    return messages


def test_a_whole_hour_has_no_difference(past: Past) -> None:
    past.receive(HOUR_MS + MINUTE_MS, *an_hour())
    past.receive(
        HOUR_MS + 2 * MINUTE_MS, gas("gas-1", 0, ts=HOUR_MS, id="a0"), native("gas_alarm", "gas-2", {"conc_pct_lel": 1})
    )
    code, found = past.ask()
    assert (code, found["differences"]) == (0, [])
    assert (found["messages"], found["expected"]) == (362, 481)
    code, said = past.say()
    assert (code, "362 messages, 481 points expected" in said, "0 differences" in said) == (0, True, True)


def test_what_was_taken_away_and_what_was_put_there_is_named(past: Past) -> None:
    past.receive(HOUR_MS + MINUTE_MS, *an_hour())
    at_ns = (HOUR_MS + MINUTE_MS) * 1_000_000
    assert past.change("DELETE FROM gas_alarm WHERE device_id = 'gas-1' AND at_ns = ?", at_ns) == 1
    # One gone and one too many: the counts are equal, the points are not.
    assert past.change("UPDATE pole_env SET at_ns = at_ns + 7 WHERE at_ns = ?", at_ns) == 1
    assert past.change("INSERT INTO gas_alarm (device_id, at_ns, conc_pct_lel) VALUES ('ghost', ?, 3)", at_ns + 1) == 1
    code, found = past.ask()
    assert code == 1
    assert {(d["measurement"], d["device"], d["missing"], d["extra"]) for d in found["differences"]} == {
        ("gas_alarm", "gas-1", 1, 0),
        ("gas_alarm", "ghost", 0, 1),
        ("pole_env", "pole-1", 1, 1),
    }
    code, said = past.say()
    assert code == 1
    assert f"gas_alarm gas-1: 1 missing in the store ({shown(HOUR_MS + MINUTE_MS)})" in said
    assert "gas_alarm ghost: 1 in the store without a message" in said
    assert "3 differences" in said


def shown(at_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+08:00", time.gmtime(at_ms // 1000 + 8 * 3600))


def test_late_ones_are_looked_for_where_their_time_puts_them(past: Past) -> None:
    """Back-filled days ago, received after the span into it, and a clock a little ahead: no difference."""
    days_ago = HOUR_MS - 2 * DAY
    early = gas("gas-1", 2, ts=HOUR_MS + 2 * MINUTE_MS, id="early")
    past.receive(HOUR_MS - MINUTE_MS, early)
    past.receive(HOUR_MS + MINUTE_MS, *(gas("gas-2", 1, ts=days_ago + n, id=f"old{n}", hist=True) for n in range(5)))
    past.receive(HOUR_MS + 90 * MINUTE_MS, gas("gas-1", 3, ts=HOUR_MS + 30 * MINUTE_MS, id="late"))
    assert past.ask()[0] == 0
    assert past.change("DELETE FROM gas_alarm WHERE at_ns = ?", (days_ago + 3) * 1_000_000) == 1
    code, found = past.ask()
    assert (code, [(d["device"], d["missing"], d["extra"]) for d in found["differences"]]) == (1, [("gas-2", 1, 0)])
    assert found["differences"][0]["first_missing"] == [shown(days_ago)[:-10] + ".003+08:00"]


def test_what_waits_what_is_in_quarantine_and_what_expired_is_not_missed(past: Past) -> None:
    text = small_site_text(tail='[store.keep.gas_alarm]\nraw = "90d"')
    (past.folder / "site.toml").write_text(text, encoding="utf-8")
    long_ago = HOUR_MS - 200 * DAY
    past.receive(
        HOUR_MS + MINUTE_MS,
        gas("gas-1", 1, ts=HOUR_MS, id="a"),
        gas("gas-1", 1, ts=long_ago, id="old"),
        native("submarine", "s-1", {}),
    )
    past.change("DELETE FROM gas_alarm WHERE at_ns = ?", long_ago * 1_000_000)
    past.receive(HOUR_MS + 2 * MINUTE_MS, gas("gas-1", 1, ts=HOUR_MS + 1, id="b"), store=False)
    code, found = past.ask()
    assert (code, found["differences"]) == (0, [])
    numbers = {name: found[name] for name in ("messages", "quarantined", "expected", "waiting", "expired")}
    assert numbers == {"messages": 4, "quarantined": 1, "expected": 2, "waiting": 1, "expired": 1}


def test_what_was_mended_but_not_tried_again_is_told_as_quarantined(past: Past) -> None:
    """The site reads it now, the store has it not: it is in quarantine, not lost."""
    text = (past.folder / "site.toml").read_text(encoding="utf-8")
    wrong = text.replace('id = "gas-2"\nkind = "gas_alarm"', 'id = "gas-2"\nkind = "light_pole"')
    (past.folder / "site.toml").write_text(wrong, encoding="utf-8")
    past.site = load_site(past.folder / "site.toml")
    past.receive(HOUR_MS + MINUTE_MS, gas("gas-2", 1, ts=HOUR_MS, id="a"))
    (past.folder / "site.toml").write_text(text, encoding="utf-8")
    code, found = past.ask()
    assert (code, found["quarantined"], found["expected"], found["differences"]) == (0, 1, 0, [])


def test_a_journal_that_begins_later_cuts_the_span(past: Past) -> None:
    """What a removed file explained is not called too many; with the file it would be explained."""
    begin_ms = HOUR_MS + 30 * MINUTE_MS
    past.receive(HOUR_MS - MINUTE_MS, gas("gas-2", 1, ts=HOUR_MS + 3 * MINUTE_MS, id="ahead"))
    past.receive(begin_ms, gas("gas-1", 1, ts=begin_ms, id="a"))
    past.change("INSERT INTO gas_alarm (device_id, at_ns) VALUES ('gas-1', ?)", (HOUR_MS + MINUTE_MS) * 1_000_000)
    assert [(d["device"], d["extra"]) for d in past.ask()[1]["differences"]] == [("gas-1", 1)]
    journal = Journal(past.places.journal)
    assert len(journal.remove_before(10**9, HOUR_MS)) == 1
    journal.close()
    code, found = past.ask()
    assert (code, found["from"], found["expected"], found["differences"]) == (0, shown(begin_ms), 1, [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--from", "yesterday"), "--from 'yesterday': expected an instant such as"),
        (("--from", "2026-01-02T00:00", "--to", "2026-01-01T00:00"), "--from must lie before --to"),
        (("--shard", "north"), "the site has no shard 'north'; it has none"),
    ],
)
def test_wrong_spans(past: Past, options: tuple[str, ...], words: str) -> None:
    code, said = past.say(*options)
    assert (code, words in said) == (2, True), said


def test_no_such_folder(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--data", str(tmp_path / "nowhere")])
    assert (done.exit_code, "name its folder by --data" in done.output) == (1, True)


def test_a_long_span_is_read_in_slices(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.comparison._SLICE_POINTS", 10)
    past.receive(HOUR_MS + MINUTE_MS, *an_hour())
    past.change("DELETE FROM wim_pass WHERE pass_id = 'p57'")
    code, found = past.ask()
    assert (code, [(d["device"], d["missing"], d["extra"]) for d in found["differences"]]) == (1, [("wim-1", 1, 0)])


def test_a_store_knows_its_points(past: Past) -> None:
    past.receive(
        HOUR_MS + MINUTE_MS, gas("gas-1", 1, ts=HOUR_MS), gas("gas-1", 1, ts=HOUR_MS + 5), gas("gas-2", 1, ts=HOUR_MS)
    )
    store = SqliteStore(past.places.readings, past.site.catalog)
    start, stop = HOUR_MS * 1_000_000, (HOUR_MS + 5) * 1_000_000
    assert store.count("gas_alarm", start, stop + 1) == {"gas-1": 2, "gas-2": 1}
    assert store.count("gas_alarm", start, stop) == {"gas-1": 1, "gas-2": 1}
    assert store.instants("gas_alarm", start, stop + 1, "gas-1") == {"gas-1": [start, stop]}
    assert store.instants("no_such", start, stop) == store.count("no_such", start, stop) == {}
    store.close()


def test_a_real_collector_and_influxdb(collector: Collector, publisher: Publisher, influx: Influx) -> None:
    """Clean while it runs; a point deleted behind its back is named to the nanosecond."""
    now_ms = time.time_ns() // 1_000_000
    messages: list[Message] = []
    for n in range(400):
        ts = now_ms - 60_000 + n
        messages += [gas(f"gas-{1 + n % 2}", n % 9, ts=ts, id=f"m{n}"), passage("wim-1", f"p{n}", ts)]
        messages.append(native("light_pole", "pole-1", {"dim_pct": 5, "pm25_ugm3": 3}, ts=ts, id=f"l{n}"))
        messages.append(native("refuse_truck", f"stranger-{n % 7}", {"load_kg": n}))
    messages += [
        gas("gas-1", 1, ts=now_ms - DAY, id="old", hist=True),
        ("city/v1/demo/gas_alarm/gas-1/telemetry", b"{"),
    ]
    collector.connected()
    publisher.publish(*messages, *messages[:50])
    collector.wait(lambda: collector.settled(len(messages) + 50))

    places = ("--site", str(collector.site_file), "--data", str(collector.data))

    def compared() -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-m", "ingest.reconcile", "--json", *places],
            cwd=ROOT, env=collector.env, capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout)

    code, found = compared()
    assert (code, found["differences"]) == (0, [])
    assert (found["expected"], found["waiting"], found["quarantined"]) == (2013, 0, 1)
    gone_ns = (now_ms - 60_000 + 10) * 1_000_000
    influx.query(f"DELETE FROM gas_alarm WHERE time = {gone_ns}")
    influx.query(f"DELETE FROM gas_alarm WHERE time = {(now_ms - DAY) * 1_000_000}")
    line = f"gas_alarm,device_id=gas-2,district=demo conc_pct_lel=1,quality=0i {gone_ns + 1}"
    bucket = {"org": influx.org, "bucket": influx.database, "precision": "ns"}
    assert httpx.post(f"{influx.url}/api/v2/write", params=bucket, content=line).status_code == 204
    code, found = compared()
    assert code == 1
    assert [(d["device"], d["missing"], d["extra"]) for d in found["differences"]] == [("gas-1", 2, 0), ("gas-2", 0, 1)]
