"""A recording once more: over a real broker as it was, and in a sandbox twice the same, byte by byte."""

import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from devices.formats.hj212 import crc16
from devices.readings import Reading
from devices.recording import Message, Writer
from ingest.alarms.audit import Person
from ingest.alarms.commands.shelving import Shelving, shelve
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.engine import Engine
from ingest.alarms.tables import occurrence, suppression
from ingest.decoding import Decoder, Unregistered
from ingest.journal import Journal
from ingest.records import TICK
from ingest.replay.__main__ import main
from ingest.replay.keys import press
from ingest.replay.pace import Pace
from ingest.replay.sandbox import Sandbox
from ingest.replay.shifting import shifted
from ingest.replay.source import journal_source
from ingest.watchdog import topic_of
from tests.ingest.messages import T_MS, gas, hj212
from tests.ingest.publisher import Listener
from tests.ingest.recording.test_recording import HEADER
from tests.ingest.replay.recorded import DENSE_S, SECOND, SECONDS, dumped, journaled, site_of
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port
from tests.servers.waiting import wait_until
from tests.sites import small_site_text


def run(folder: Path, *arguments: str) -> Result:
    options = ["--site", str(folder / "site.toml"), "--data", str(folder / "var")]
    return CliRunner().invoke(main, [*arguments, *options])


@pytest.fixture
def heard(mosquitto: Mosquitto) -> Iterator[Listener]:
    listener = Listener(mosquitto.port, "#")
    yield listener
    listener.close()


def test_a_broker_gets_every_message_in_its_order_and_as_it_was(
    folder: Path, mosquitto: Mosquitto, heard: Listener
) -> None:
    found = run(folder, "--broker", f"mqtt://127.0.0.1:{mosquitto.port}", "--speed", "max")
    assert (found.exit_code, f"{SECONDS + 3:,} messages to" in found.output) == (0, True), found.output
    wait_until(lambda: len(heard.heard) == SECONDS + 3)
    journal = Journal(folder / "var" / "journal")
    recorded = [(r.topic, r.payload) for r in journal.read(0, 10_000) if r.topic != TICK]
    journal.close()
    assert [(topic, payload) for topic, payload in heard.heard] == recorded


def test_a_span_shifted_to_now_is_news_to_whoever_hears_it(folder: Path, mosquitto: Mosquitto, heard: Listener) -> None:
    url = f"mqtt://127.0.0.1:{mosquitto.port}"
    span = ("--from", "2026-01-01T00:05:00+00:00", "--to", "2026-01-01T00:05:02+00:00")
    assert run(folder, "--broker", url, "--speed", "max", "--shift-to-now", *span).exit_code == 0
    wait_until(lambda: len(heard.heard) == 3)
    bodies = [json.loads(payload) for _, payload in heard.heard]
    assert all(body["ts"] > T_MS + 86_400_000 for body in bodies)
    (identifier,) = [body["id"] for body in bodies if "id" in body]
    assert re.fullmatch(r"p300~\d{10}-0", identifier)


@pytest.mark.parametrize("of", ["a recording", "the journal"])
def test_a_watchdog_of_then_does_not_speak_for_the_collector_of_now(
    folder: Path, mosquitto: Mosquitto, heard: Listener, of: str
) -> None:
    if of == "the journal":
        journal = Journal(folder / "var" / "journal", durable=False)
        journal.append([(topic_of("main"), b'{"at":1}'), gas("gas-9", 1)], T_MS + 500 * SECOND)
        journal.close()
        what = ["--from", "2026-01-01T00:08:00+00:00", "--to", "2026-01-01T00:09:00+00:00"]
    else:
        writer = Writer(folder / "r.cdrec", HEADER)
        writer.write([Message(T_MS, topic_of("main"), b'{"at":1}'), Message(T_MS, *gas("gas-9", 1))])
        writer.close()
        what = [str(folder / "r.cdrec")]
    found = run(folder, *what, "--broker", f"mqtt://127.0.0.1:{mosquitto.port}", "--speed", "max")
    assert found.exit_code == 0, found.output
    wait_until(lambda: heard.heard)
    assert [topic.split("/")[0] for topic, _ in heard.heard] == ["city"]


def test_two_sandboxes_hold_the_same_bytes(folder: Path) -> None:
    for name in ("a", "b"):
        found = run(folder, "--sandbox", str(folder / name), "--speed", "max")
        assert found.exit_code == 0, found.output
        assert f"{SECONDS + 3:,} messages" in found.output
        assert "1 in quarantine" in found.output
    first, second = dumped(folder / "a"), dumped(folder / "b")
    assert first == second
    alarms = sqlite3.connect(folder / "a" / "alarms.db")
    rules = [rule for (rule,) in alarms.execute("SELECT rule FROM occurrence ORDER BY raised_at")]
    alarms.close()
    assert "gas_alarm.conc_pct_lel.high" in rules
    assert sum(rule.startswith("bridge_wim.") for rule in rules) >= 2
    assert any("conc_pct_lel" in line for line in first["readings.db"])


def test_the_pieces_a_recording_is_read_in_change_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(folder, "--sandbox", str(folder / "a"), "--speed", "max")
    monkeypatch.setattr("ingest.replay.source._BATCH", 7)
    run(folder, "--sandbox", str(folder / "b"), "--speed", "max")
    assert dumped(folder / "a") == dumped(folder / "b")


class Shelver:
    """An officer of the sandbox, who shelves an alarm of gas-1 for a minute, at one instant of the recording."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.database = AlarmDatabase(f"sqlite:///{folder / 'alarms.db'}")
        self._memory = engine.memory
        self.parts = 0
        self.done = False

    def took(self, _touched: list[tuple[str, int]], _readings: list[Reading]) -> None:
        self.parts += 1
        now_ms = self._memory.now_ms
        if self.done or now_ms < T_MS + 20 * SECOND:
            return
        with self.database.read() as connection:
            found = connection.execute(sa.select(occurrence.c.id).where(occurrence.c.device == "gas-1")).scalars().all()
        wish = Shelving(min(found), "parts", "s", 60)
        shelve(self.database, wish, Person("l", ("leader",)), now_ms, now_ms + 3_600_000)
        self.done = True


def played(dense: Path, name: str, due: Callable[[Pace], float] | None) -> tuple[int, dict[str, list[str]]]:
    """Play the dense recording as fast as it goes; return in how many parts, and all that came of it."""
    made: list[Shelver] = []

    def audience(engine: Engine) -> Shelver:
        made.append(Shelver(dense / name, engine))
        return made[0]

    source = journal_source(dense / "var" / "journal", None, None)
    with pytest.MonkeyPatch.context() as patch:
        if due is not None:
            patch.setattr(Pace, "due_ms", due)
        with Sandbox(site_of(dense), dense / name, audience) as sandbox:
            sandbox.play(source, Pace(source.from_ms, 0.0), lambda _: None)
            assert sandbox.played.messages == len(journaled(dense / "var" / "journal"))
    with made[0].database.write() as connection:
        # The one name that is drawn by lot, by the officer's act.
        connection.execute(suppression.update().values(id="drawn"))
    made[0].database.close()
    return made[0].parts, dumped(dense / name)


def test_how_much_is_taken_at_once_changes_nothing(dense: Path) -> None:
    """Neither alarms nor their audit, nor what timers do at recorded seconds, nor the readings."""
    chance = Random(1)
    most, expected = played(dense, "single", lambda _: 0.0)
    least, fast = played(dense, "fast", None)
    between, odd = played(dense, "odd", lambda pace: pace.now_ms() + chance.randrange(700))
    assert DENSE_S <= least < between < most
    assert fast == expected
    assert odd == expected
    assert journaled(dense / "fast" / "journal") == journaled(dense / "single" / "journal")
    said = "\n".join(expected["alarms.db"])
    assert all(word in said for word in ("shelf_expired", "raise", "return", "passage", "rate"))


def test_messages_are_not_played_before_they_are_due(dense: Path) -> None:
    """Slowly each instant has its own part; what is late comes together."""
    source = journal_source(dense / "var" / "journal", None, None)
    pace = Pace(source.from_ms, 1.0)
    pace.pause(True)
    with Sandbox(site_of(dense), dense / "slow") as sandbox:
        thread = threading.Thread(target=sandbox.play, args=(source, pace, lambda _: None))
        thread.start()
        for step in (9, 11, 40):
            at_ms = T_MS + step * 125 + step % 3
            pace.leap_to(at_ms)
            wait_until(partial(_stands_at, sandbox, at_ms))
        assert pace.now_ms() == at_ms
        pace.stop()
        thread.join(60)
        assert sandbox.played.at_ms == at_ms


def _stands_at(sandbox: Sandbox, at_ms: int) -> bool:
    return sandbox.played.at_ms == at_ms


def test_nothing_of_a_sandbox_reaches_the_live_city(folder: Path, mosquitto: Mosquitto, heard: Listener) -> None:
    notify = '[[notify]]\nname = "desk"\nkind = "mail"\nenv = "CITYDECK_NOTIFY_DESK"\nroles = ["officer"]\n'
    (folder / "site.toml").write_text(small_site_text(broker=f"mqtt://127.0.0.1:{mosquitto.port}", tail=notify))
    before = {path: path.read_bytes() for path in sorted((folder / "var").rglob("*")) if path.is_file()}
    found = run(folder, "--sandbox", str(folder / "a"), "--speed", "max")
    assert found.exit_code == 0, found.output
    assert {path: path.read_bytes() for path in before} == before
    assert sorted((folder / "var").rglob("*.db")) == [path for path in before if path.suffix == ".db"]
    assert heard.heard == []
    alarms = sqlite3.connect(folder / "a" / "alarms.db")
    assert alarms.execute("SELECT count(*) FROM delivery").fetchone() == (0,)
    alarms.close()


REFUSED: list[tuple[str, Sequence[str], str]] = [
    ("nowhere", [], "say where to"),
    ("two ways", ["--broker", "mqtt://h", "--sandbox", "x"], "say where to"),
    ("speed 0", ["--sandbox", "x", "--speed", "0"], "expected a number from 0.1 to 1000, or max"),
    ("speed nan", ["--sandbox", "x", "--speed", "nan"], "expected a number from 0.1 to 1000, or max"),
    ("loop in a sandbox", ["--sandbox", "x", "--loop"], "go with --broker"),
    ("no data", ["--sandbox", "x", "--from", "2027-01-01"], "nothing was recorded in that span"),
    ("odd address", ["--broker", "http://h"], "expected mqtt://host:port"),
    ("nobody there", ["--broker", "mqtt://127.0.0.1:{free}"], "does not answer"),
    ("the live city", ["--broker", "mqtt://localhost:1883"], "the site's own broker"),
    ("not empty", ["--sandbox", "{var}"], "is not empty"),
    ("nowhere to go", ["--sandbox", "/proc/x/y"], "/proc/x/y cannot be written"),
    ("port", ["--broker", "mqtt://127.0.0.1:99999"], "Port out of range"),
    (
        "nobody spoke",
        ["--sandbox", "x", "--from", "2026-01-01T08:00:00.5", "--to", "2026-01-01T08:00:00.9"],
        "no message was recorded in that span",
    ),
]


@pytest.mark.parametrize(("arguments", "said"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_what_cannot_be_replayed_is_told(folder: Path, arguments: Sequence[str], said: str) -> None:
    named = [each.format(free=free_port(), var=folder / "var") for each in arguments]
    found = run(folder, *(str(folder / "x") if each == "x" else each for each in named))
    assert (found.exit_code != 0, said in found.output) == (True, True), found.output
    assert not (folder / "x").exists()


def test_it_can_be_paused_hastened_and_sent_ahead(folder: Path) -> None:
    """No second of the recording takes as long as a second, and what is leapt over is not played."""
    source = journal_source(folder / "var" / "journal", None, None)
    pace = Pace(source.from_ms, 1.0)
    seen: list[int] = []
    pace.pause(True)
    with Sandbox(site_of(folder), folder / "a") as sandbox:
        thread = threading.Thread(target=sandbox.play, args=(source, pace, lambda played: seen.append(played.messages)))
        thread.start()
        press("+", pace)
        assert pace.speed == 2.0
        pace.speed = 1000.0
        press(" ", pace)
        press("\x1b[C", pace)
        thread.join(60)
        assert not thread.is_alive()
        assert sandbox.played.at_ms == T_MS + (SECONDS - 1) * SECOND
        assert seen[-1] == sandbox.played.messages == SECONDS + 3


def test_a_stop_ends_it_where_it_stands(folder: Path) -> None:
    source = journal_source(folder / "var" / "journal", None, None)
    pace = Pace(source.from_ms, 0.1)
    with Sandbox(site_of(folder), folder / "a") as sandbox:
        thread = threading.Thread(target=sandbox.play, args=(source, pace, lambda _: None))
        thread.start()
        press("q", pace)
        thread.join(30)
        assert not thread.is_alive()
        assert sandbox.played.messages < SECONDS


BY_MS = 3_600_000
SHIFTED: list[tuple[str, bytes, Callable[[bytes], object], object]] = [
    ("ms", b'{"ts":1767225600123}', lambda b: json.loads(b)["ts"], 1767225600123 + BY_MS),
    ("s", b'{"ts":1767225600}', lambda b: json.loads(b)["ts"], 1767225600 + 3600),
    ("fraction", b'{"ts":1767225600.5}', lambda b: json.loads(b)["ts"], 1767225600.5 + 3600),
    ("ns", b'{"ts":1767225600123456789}', lambda b: json.loads(b)["ts"], 1767225600123456789 + BY_MS * 10**6),
    ("iso", b'{"ts":"2026-01-01T08:00:00+08:00"}', lambda b: json.loads(b)["ts"], "2026-01-01T09:00:00+08:00"),
    ("dji", b'{"tid":"t","timestamp":1767225600123}', lambda b: json.loads(b)["tid"], "t~1767225600-2"),
    ("no time", b'{"ts":"soon"}', lambda b: json.loads(b)["ts"], "soon"),
    ("a flag", b'{"ts":true}', lambda b: json.loads(b)["ts"], True),
    ("no object", b"[1]", lambda b: b, b"[1]"),
    ("no JSON", b"\xff", lambda b: b, b"\xff"),
]


@pytest.mark.parametrize(("payload", "of", "expected"), [pytest.param(*case[1:], id=case[0]) for case in SHIFTED])
def test_a_devices_own_time_is_moved(payload: bytes, of: Callable[[bytes], object], expected: object) -> None:
    assert of(shifted("city/v1/demo/gas_alarm/gas-1/telemetry", payload, BY_MS, "1767225600-2")) == expected


def test_a_frame_of_hj212_stays_whole(folder: Path) -> None:
    topic, payload = hj212("MN000007", "a34004-Rtd=38.5,a34004-Flag=N")
    moved = shifted(topic, payload, BY_MS, "0-0")
    assert b"DataTime=20260101090000" in moved
    assert moved == hj212("MN000007", "a34004-Rtd=38.5,a34004-Flag=N", "20260101090000")[1]
    broken = payload.replace(b"38.5", b"88.5")
    for odd in (b"##broken", broken, payload.replace(b"38.5", b"3\xff5"), payload[:-6] + b"WXYZ\r\n", payload + b"&&"):
        assert shifted(topic, odd, BY_MS, "0-0") == odd
    text = payload[6:-6].replace(b"CP=&&", "Info=街道;CP=&&".encode("gb18030"))
    said = b"##%04d%b%04X" % (len(text), text, crc16(text))
    assert "Info=街道;" in shifted(topic, said, BY_MS, "0-0").decode("gb18030")


def test_a_leap_in_a_pause_plays_what_lies_between_and_no_more(folder: Path) -> None:
    source = journal_source(folder / "var" / "journal", None, None)
    pace = Pace(source.from_ms, 1.0)
    pace.pause(True)
    with Sandbox(site_of(folder), folder / "a") as sandbox:
        thread = threading.Thread(target=sandbox.play, args=(source, pace, lambda _: None))
        thread.start()
        pace.leap_to(T_MS + 60 * SECOND)
        wait_until(lambda: sandbox.played.at_ms == T_MS + 60 * SECOND)
        assert (sandbox.played.messages, thread.is_alive()) == (61, True)
        pace.set_speed(0.0)
        pace.pause(False)
        thread.join(60)
        assert sandbox.played.messages == SECONDS + 3


def test_its_alarms_have_no_names_of_live_ones(folder: Path) -> None:
    """Though its journal has the same records at the same places."""
    site = site_of(folder)
    source = journal_source(folder / "var" / "journal", None, None)
    with Sandbox(site, folder / "a") as sandbox:
        sandbox.play(source, Pace(source.from_ms, 0.0), lambda _: None)
    engine, decoder = Engine(site), Decoder(site, Unregistered())
    journal = Journal(folder / "var" / "journal")
    told = engine.feed([decoder.outcome(record) for record in journal.read(0, 10_000)])
    journal.close()
    alarms = sqlite3.connect(folder / "a" / "alarms.db")
    names = {name for (name,) in alarms.execute("SELECT id FROM occurrence")}
    alarms.close()
    live = {each.occurrence_id for each in told if each.what in ("raise", "passage")}
    assert len(live) == len(names)
    assert live.isdisjoint(names)
