"""A span of the journal goes into a file and comes back as it was; what cannot be used is told and leaves nothing."""

import gzip
import json
import os
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import RecordingError
from devices.recording import Header, Message, Reader, Writer
from ingest.journal import Journal
from ingest.recording.__main__ import main
from ingest.records import RETRY, RULES, TICK, Record
from ingest.watchdog import topic_of
from tests.ingest.messages import T_MS, gas, hj212, native, passage
from tests.servers.small_disk import small_disk
from tests.sites import small_site_text

SPAN = ("--from", "2026-01-01T00:00:00+00:00", "--to", "2026-01-01T00:10:00+00:00")
HEADER = Header(
    software="citydeck",
    site={"zh": "城", "en": "City"},
    district="demo",
    timezone="Asia/Shanghai",
    from_ms=0,
    to_ms=1,
    kinds={},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data folder that heard three minutes of a city."""
    journal = Journal(tmp_path / "var" / "journal", durable=False)
    for minute in range(3):
        at_ms = T_MS + minute * 60_000
        journal.append([gas("gas-1", minute, ts=at_ms), passage("wim-1", f"p{minute}", at_ms), (TICK, b"")], at_ms)
    journal.append([("thing/odd", b"\x00\xff"), native("gateway", "gw-1", {"children": 3}, ts=T_MS)], T_MS + 180_000)
    journal.close()
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    (folder / "site.toml").write_text(small_site_text())
    return CliRunner().invoke(main, [*arguments, "--site", str(folder / "site.toml")])


def export(folder: Path, *more: str) -> Result:
    return run(folder, "export", str(folder / "r.cdrec"), *SPAN, *more, "--data", str(folder / "var"))


def records(journal_folder: Path) -> list[Record]:
    journal = Journal(journal_folder)
    found = list(journal.read(0, 10_000))
    journal.close()
    return found


def test_there_and_back_every_byte_is_as_it_was(folder: Path) -> None:
    found = export(folder)
    assert (found.exit_code, "8 messages" in found.output) == (0, True), found.output
    back = run(folder, "import", str(folder / "r.cdrec"), "--into", str(folder / "back"))
    assert back.exit_code == 0, back.output
    assert records(folder / "back" / "journal") == records(folder / "var" / "journal")


def test_what_it_holds_is_told(folder: Path) -> None:
    export(folder, "--kind", "gas_alarm")
    shown = CliRunner().invoke(main, ["show", str(folder / "r.cdrec")])
    assert shown.exit_code == 0
    assert "3 messages" in shown.output
    assert "only kind gas_alarm" in shown.output
    with Reader(folder / "r.cdrec") as reader:
        topics = [message.topic for block in reader.blocks() for message in block]
    assert topics.count(TICK) == 3, "ticks say that the collector listened"


def test_the_end_of_the_span_is_not_part_of_it(folder: Path) -> None:
    found = run(
        folder, "export", str(folder / "r.cdrec"), "--from", "2026-01-01T00:01+00:00", "--to", "2026-01-01T00:02+00:00",
        "--data", str(folder / "var"),
    )  # fmt: skip
    assert "2 messages" in found.output


def test_under_pseudonyms_no_name_is_left_and_the_same_stay_the_same(folder: Path) -> None:
    found = export(folder, "--pseudonymise")
    assert "1 left out" in found.output, "what cannot be read may hold names"
    with Reader(folder / "r.cdrec") as reader:
        assert reader.header.pseudonymised
        messages = [message for block in reader.blocks() for message in block]
    everything = b" ".join(message.topic.encode() + message.payload for message in messages)
    for name in (b"gas-1", b"wim-1", b"gw-1", b'"p0"'):
        assert name not in everything
    gas_topics = {message.topic for message in messages if "gas_alarm" in message.topic}
    assert len(gas_topics) == 1
    assert json.loads(messages[0].payload)["data"]["conc_pct_lel"] == 0


def test_under_pseudonyms_what_cannot_be_walked_through_costs_only_itself(folder: Path) -> None:
    """JSON that is read and too deep to look for names in, and a frame that its check sum calls broken."""
    journal = Journal(folder / "var" / "journal", durable=False)
    topic, frame = hj212("MN000007", "a34004-Rtd=38.5,a34004-Flag=N")
    deep = b'{"ts":1,"x":' + b"[" * 600 + b"]" * 600 + b"}"
    broken = frame.replace(b"38.5", b"88.5")
    said = [("city/v1/demo/gas_alarm/gas-1/telemetry", deep), (topic, broken), (topic, frame)]
    journal.append(said, T_MS + 190_000)
    journal.close()
    assert "8 messages, 3 left out" in export(folder, "--pseudonymise").output
    with Reader(folder / "r.cdrec") as reader:
        frames = [message for block in reader.blocks() for message in block if message.topic.startswith("hj212/")]
    assert len(frames) == 1
    assert b"Rtd=38.5" in frames[0].payload


REFUSED: list[tuple[str, Callable[[Path], Sequence[str]], str]] = [
    ("turned round", lambda f: ["export", f"{f}/r", "--from", "2026-01-02", "--to", "2026-01-01"], "must lie before"),
    ("no instant", lambda f: ["export", f"{f}/r", "--from", "noon", "--to", "2026-01-01"], "'noon': expected"),
    ("nothing there", lambda f: ["export", f"{f}/r", "--from", "2025-01-01", "--to", "2025-01-02"], "was received"),
    ("unknown kind", lambda f: ["export", f"{f}/r", *SPAN, "--kind", "ufo"], "no kind ufo; known are"),
    ("no journal", lambda f: ["export", f"{f}/r", *SPAN, "--data", f"{f}/nowhere"], "holds no journal"),
    ("no file", lambda f: ["import", f"{f}/none.cdrec", "--into", f"{f}/new"], "no such file"),
    ("not empty", lambda f: ["import", f"{f}/r.cdrec", "--into", f"{f}/var"], "is not empty"),
    ("nowhere to go", lambda f: ["import", f"{f}/site.toml", "--into", "/proc/x/y"], "/proc/x/y cannot be filled"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "said"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_what_cannot_be_done_is_told_and_leaves_nothing(
    folder: Path, asked: Callable[[Path], Sequence[str]], said: str
) -> None:
    arguments = [*asked(folder)]
    if arguments[0] == "export" and "--data" not in arguments:
        arguments += ["--data", str(folder / "var")]
    found = run(folder, *arguments)
    assert found.exit_code == 1
    assert said in found.output
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".toml") == ["var"]


def test_a_file_is_never_written_over(folder: Path) -> None:
    export(folder)
    assert "exists already" in export(folder).output


def changed(body: bytes, before: bytes, after: bytes) -> bytes:
    """Return a file with its first such words replaced."""
    return gzip.compress(gzip.decompress(body).replace(before, after, 1))


def headed(body: bytes, **words: object) -> bytes:
    """Return a file with other words in its header."""
    line, _, rest = gzip.decompress(body).partition(b"\n")
    return gzip.compress(json.dumps({**json.loads(line), **words}).encode() + b"\n" + rest)


def checked(body: bytes, before: bytes, after: bytes) -> bytes:
    """Return a file with other bytes in its first block, and the check sum of those."""
    head, _, rest = gzip.decompress(body).partition(b"\n")
    (length,) = struct.unpack("!I", rest[:4])
    block = rest[8 : 8 + length].replace(before, after, 1)
    framed = struct.pack("!II", len(block), zlib.crc32(block)) + block
    return gzip.compress(head + b"\n" + framed + rest[8 + length :])


# Deeper than any document is read.
DEEP = b"[" * 20_000 + b"]" * 20_000
DAMAGE: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("cut", lambda body: body[:-20], "cut off"),
    ("foreign", lambda _: b"PK\x03\x04 something else", "no CityDeck recording"),
    ("other gzip", lambda _: gzip.compress(b'{"a": 1}\n'), "no CityDeck recording"),
    ("newer", lambda body: changed(body, b'"version":1', b'"version":9'), "of version 9"),
    ("without end", lambda body: gzip.compress(gzip.decompress(body)[:-18]), "cut off"),
    ("flipped", lambda body: changed(body, b"gas-1", b"gas-2"), "check sum"),
    ("no text", lambda body: checked(body, b"gas-1", b"gas-\xff"), "is damaged"),
    ("no text at its end", lambda body: changed(body, b'{"messages"', b'{"messag\xffs"'), "is cut off at its end"),
    ("newer otherwise", lambda body: headed(body, version=2, site="City"), "of version 2"),
    ("newer in words", lambda body: headed(body, version="2.1"), "of version 2.1"),
    ("no version", lambda body: headed(body, version=0), "of version 0"),
    ("goes on", lambda body: gzip.compress(gzip.decompress(body) + b"more"), "goes on behind its end"),
    ("two in one", lambda body: body + body, "goes on behind its end"),
    ("far future", lambda body: headed(body, to_ms=10**18), f"a header whose to_ms is {10**18}"),
    ("before 1970", lambda body: headed(body, from_ms=-1), "a header whose from_ms is -1"),
    ("turned round", lambda body: headed(body, from_ms=2, to_ms=1), "from_ms 2 lies behind its to_ms 1"),
    ("no instant", lambda body: headed(body, from_ms="noon"), "has a header that cannot be read"),
    ("no name", lambda body: headed(body, site={"en": "City"}), "site has no name zh"),
    ("no zone", lambda body: headed(body, timezone="Nowhere/City"), "timezone is 'Nowhere/City'"),
    ("a folder of zones", lambda body: headed(body, timezone="Asia"), "timezone is 'Asia'"),
    ("deep before all", lambda _: gzip.compress(b'{"a":' + DEEP + b"}\n"), "no CityDeck recording"),
    ("deep in its header", lambda body: changed(body, b"{", b'{"a":' + DEEP + b","), "no CityDeck recording"),
    ("deep at its end", lambda body: changed(body, b'{"messages"', b'{"a":' + DEEP + b',"messages"'), "cut off at its"),
    ("unknown kind", lambda body: changed(body, b'"gas_alarm":', b'"ufo":'), "the kind ufo"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "said"), [pytest.param(*case[1:], id=case[0]) for case in DAMAGE])
def test_a_file_that_cannot_be_used_imports_nothing(folder: Path, damage: Callable[[bytes], bytes], said: str) -> None:
    export(folder)
    path = folder / "r.cdrec"
    path.write_bytes(damage(path.read_bytes()))
    found = run(folder, "import", str(path), "--into", str(folder / "back"))
    assert (found.exit_code, said in found.output) == (1, True), found.output
    assert not [each for each in folder.iterdir() if "back" in each.name]


def csv(folder: Path, text: str) -> Result:
    path = folder / "messages.csv"
    path.write_text(text)
    return run(folder, "import", str(path), "--into", str(folder / "back"))


def test_a_csv_comes_in_by_time_with_a_tick_a_second(folder: Path) -> None:
    found = csv(
        folder,
        f'topic,received_at,payload\ncity/b,2026-01-01T08:00:02.500,"{{""a"": 1}}"\ncity/a,{T_MS + 500},x\n',
    )
    assert found.exit_code == 0, found.output
    assert [(r.received_ms - T_MS, r.topic, r.payload) for r in records(folder / "back" / "journal")] == [
        (500, "city/a", b"x"),
        (1000, TICK, b""),
        (2000, TICK, b""),
        (2500, "city/b", b'{"a": 1}'),
    ]


def test_bytes_come_in_by_base64(folder: Path) -> None:
    csv(folder, f"received_at,topic,payload_base64\n{T_MS},city/a,AP8=\n")
    assert records(folder / "back" / "journal")[0].payload == b"\x00\xff"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,topic,payload\n", "expected the columns"),
        ("received_at,topic,payload\n", "holds no message"),
        ("received_at,topic,payload\nsoon,city/a,x\n", "line 2: received_at 'soon': expected an instant"),
        ("received_at,topic,payload\n1767225600,city/a,x\n", "or epoch ms of 13 digits"),
        (f"received_at,topic,payload\n{T_MS},city/a\n", "line 2: 2 cells, expected 3"),
        (f"received_at,topic,payload\n{T_MS},city/a,b,c,d\n", "line 2: 5 cells, expected 3"),
        (f"received_at,topic,payload\n{T_MS},city/+/a,x\n", "line 2: topic 'city/+/a' is none that a device can send"),
        (f"received_at,topic,payload\n{T_MS},city/a,x\n{T_MS},city/#,x\n", "line 3: topic 'city/#' is none"),
        (f"received_at,topic,payload\n{T_MS},city/{'x' * 70_000},x\n", "is none that a device can send to"),
        (f"received_at,topic,payload\n{T_MS},$tick,x\n", "line 2: topic '$tick' is no topic"),
        (f"received_at,topic,payload_base64\n{T_MS},city/a,*\n", "line 2: payload_base64 is not base64"),
        (f'received_at,topic,payload\n{T_MS},city/a,"x\n', "is no CSV"),
    ],
)
def test_a_csv_that_cannot_be_used_imports_nothing(folder: Path, text: str, said: str) -> None:
    found = csv(folder, text)
    assert (found.exit_code, said in found.output) == (1, True), found.output
    assert not (folder / "back").exists()


MESSAGES = st.lists(st.lists(st.builds(Message, st.integers(0, 2**42), st.text(max_size=20), st.binary(max_size=40))))


@given(MESSAGES)
def test_any_messages_come_back(tmp_path_factory: pytest.TempPathFactory, blocks: list[list[Message]]) -> None:
    path = tmp_path_factory.mktemp("any") / "r"
    writer = Writer(path, HEADER)
    for block in blocks:
        writer.write(block)
    writer.close()
    with Reader(path) as reader:
        assert [*reader.blocks()] == [block for block in blocks if block]


@given(st.binary(max_size=200))
def test_no_bytes_whatever_are_taken_for_a_recording(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "r"
    for written in (body, gzip.compress(body)):
        path.write_bytes(written)
        with pytest.raises(RecordingError):
            Reader(path)


def test_a_full_disk_is_one_sentence_and_leaves_no_file(folder: Path) -> None:
    journal = Journal(folder / "var" / "journal", durable=False)
    for second in range(40):
        journal.append([("thing/odd", os.urandom(50_000))], T_MS + 200_000 + second * 1_000)
    journal.close()
    with small_disk(folder / "disk", "1m") as disk:
        found = run(folder, "export", str(disk / "r.cdrec"), *SPAN, "--data", str(folder / "var"))
        assert (found.exit_code, list(disk.iterdir())) == (1, [])
        assert re.fullmatch(r"citydeck record: .*r\.cdrec: cannot be written: .*No space left.*\n", found.output)


def test_topics_of_devices_that_begin_with_a_dollar_are_part_of_it(folder: Path) -> None:
    """Only what the collector wrote for itself is not: rules, messages tried again, and its watchdog's."""
    journal = Journal(folder / "var" / "journal", durable=False)
    own = [(RULES, b""), (RETRY, b""), (topic_of("main"), b'{"at":1}')]
    journal.append([("$oc/devices/d-1/up", b"1"), *own], T_MS + 200_000)
    journal.close()
    assert "9 messages" in export(folder).output
    run(folder, "import", str(folder / "r.cdrec"), "--into", str(folder / "back"))
    assert [record.topic for record in records(folder / "back" / "journal")][-1] == "$oc/devices/d-1/up"


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (Message(T_MS, "$rules", b"x"), "holds '$rules', which no device sends"),
        (Message(10**15, "city/x", b"x"), f"is damaged: a message was received at {10**15} ms"),
        (Message(-1, "city/x", b"x"), "is damaged: a message was received at -1 ms"),
    ],
)
def test_what_no_collector_wrote_is_refused(tmp_path: Path, message: Message, sentence: str) -> None:
    writer = Writer(tmp_path / "r.cdrec", HEADER)
    writer.write([message])
    writer.close()
    found = run(tmp_path, "import", str(tmp_path / "r.cdrec"), "--into", str(tmp_path / "back"))
    assert (found.exit_code, f"r.cdrec {sentence}\n" in found.output) == (1, True), found.output
    assert not (tmp_path / "back").exists()


def test_a_csv_with_a_large_payload(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(f"received_at,topic,payload\n2026-01-01T08:00,city/x,{'x' * 500_000}\n")
    found = run(tmp_path, "import", str(tmp_path / "r.csv"), "--into", str(tmp_path / "back"))
    assert found.exit_code == 0, found.output
    assert [len(record.payload) for record in records(tmp_path / "back" / "journal")] == [500_000]


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("1971-01-01T08:00", "the rows reach from 1971-01-01 to 2026-01-01: expected at most a year"),
        ("0001-01-01T00:00", "line 3: received_at '0001-01-01T00:00': expected an instant such as"),
        ("9999-12-31T23:59-23:00", "line 3: received_at '9999-12-31T23:59-23:00': expected an instant such as"),
    ],
)
def test_a_mistyped_year_makes_no_recording_of_decades(tmp_path: Path, at: str, sentence: str) -> None:
    """A tick stands for each second: the disk would be full of them."""
    (tmp_path / "r.csv").write_text(f"received_at,topic,payload\n2026-01-01T08:00,city/x,1\n{at},city/x,2\n")
    found = run(tmp_path, "import", str(tmp_path / "r.csv"), "--into", str(tmp_path / "back"))
    assert (found.exit_code, sentence in found.output) == (1, True), found.output
