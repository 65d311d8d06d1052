"""What goes wrong with recordings and runs, as it is really told, is known and has words in both languages."""

import errno
import gzip
import os
import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.bench.asking import ask
from cockpit.evidence_words import Words
from cockpit.problem_words import problem_text, trouble_text
from cockpit.problems import Problem
from cockpit.texts import LANGUAGES, texts
from cockpit.trouble_words import parted, why
from devices.errors import DeviceError
from devices.recording import Writer
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.revisions.recordings import recordings
from ingest.errors import IngestError
from ingest.journal import Journal
from ingest.places import Places
from ingest.recording.exporting import Wish, export
from ingest.replay.source import file_source, journal_source
from ingest.store.history import Sought, Source, too_many
from ingest.store.influx import InfluxStore
from ingest.store.sqlite import SqliteStore
from tests.cockpit.bench.recorded import messages, write
from tests.ingest.messages import T_MS, gas
from tests.ingest.test_stores import reading
from tests.servers.answering import answering
from tests.servers.ports import free_port
from tests.sites import small_site

PATIENCE_S = 120
# English that would be left over in a Chinese sentence.
PROSE = re.compile(r"[a-z]+ [a-z]+ [a-z]+")
Do = Callable[[Site, Path], object]


def played(site: Site, path: Path, from_ms: int | None = None, **header: object) -> object:
    return file_source(site, write(path / "leak.cdrec", site, messages(), **header), from_ms, None)


def damaged(site: Site, path: Path) -> object:
    file = write(path / "leak.cdrec", site, messages())
    file.write_bytes(file.read_bytes()[:-40])
    return file_source(site, file, None, None)


def foreign(site: Site, path: Path) -> object:
    file = path / "foreign.cdrec"
    file.write_bytes(gzip.compress(b'{"a": 1}\n'))
    return file_source(site, file, None, None)


def noted(site: Site, path: Path) -> object:
    held = [messages()[0], messages()[1]._replace(topic="$retry")]
    return file_source(site, write(path / "leak.cdrec", site, held), None, None)


def recorded(site: Site, path: Path) -> object:
    journal = Journal(path / "journal")
    journal.append([gas("gas-1", 1, ts=T_MS)], T_MS)
    journal.close()
    return export(site, "main", path / "journal", path / "x.cdrec", Wish(T_MS + 1, T_MS + 2), lambda *_: None)


def torn(site: Site, path: Path) -> object:
    recorded_there = path / "journal"
    recorded_there.mkdir()
    (recorded_there / "2026010100.db").write_bytes(b"no database" * 500)
    return journal_source(recorded_there, None, None)


def told_by_simulators(site: Site, *words: str) -> object:
    told = ask("simulators", "--site", str(site.source), *words, patience_s=PATIENCE_S)
    raise IngestError(" ".join(told.stderr.split("\n")).strip().removeprefix("Error: "))


def lost_drone(site: Site, path: Path) -> object:
    return told_by_simulators(site, "--record", str(path / "x.cdrec"), "--scenario", "lost_drone")


def no_site(site: Site, path: Path) -> object:
    (path / "odd.toml").write_text("no TOML")
    return load_site(path / "odd.toml")


def full_disk(site: Site, path: Path) -> object:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path / "x"))


def written_to(answer: tuple[int, bytes] | None) -> Do:
    def do(site: Site, path: Path) -> object:
        with answering(lambda _: answer or (500, b"")) as address:
            base = address if answer else f"http://127.0.0.1:{free_port()}"
            store = InfluxStore(f"{base}?org=o&bucket=citydeck", site.catalog)
            try:
                return store.write([reading({"conc_ppm": 1.0}, T_MS)], 1)
            finally:
                store.close()

    return do


def broken_store(site: Site, path: Path) -> object:
    (path / "readings.db").write_bytes(b"no database" * 500)
    store = SqliteStore(path / "readings.db", site.catalog, site.store)
    try:
        return store.reach("gas_alarm")
    finally:
        store.close()


CASES: dict[str, tuple[str, Do]] = {
    "nothing in the span": ("span_silent", lambda site, path: played(site, path, T_MS + 10**9)),
    "nothing to record": ("span_silent", recorded),
    "no journal": ("holds_nothing", lambda site, path: journal_source(path / "nowhere", None, None)),
    "a kind from elsewhere": ("foreign_kind", lambda site, path: played(site, path, kinds={"submarine": "1"})),
    "no recording": ("no_recording", foreign),
    "of a newer version": ("recording_newer", lambda site, path: played(site, path, version=2)),
    "of no version": ("recording_damaged", lambda site, path: played(site, path, version=0)),
    "an odd header": ("recording_damaged", lambda site, path: played(site, path, timezone="Nowhere/City")),
    "cut off": ("recording_damaged", damaged),
    "a collector's own note": ("recording_damaged", noted),
    "no database": ("journal_damaged", torn),
    "a file that is gone": ("file_unreadable", lambda site, path: file_source(site, path / "gone.cdrec", None, None)),
    "a folder that is gone": ("file_unwritable", lambda site, path: Writer(path / "gone" / "x.cdrec", None)),  # type: ignore[arg-type]
    "a full disk": ("machine_trouble", full_disk),
    "a device that is not there": ("scenario_device", lost_drone),
    "a site file with faults": ("site_unfit", no_site),
    "no collector": ("nothing_to_test", lambda site, path: recordings(site, Places(path / "var"))),
    "no store there": ("store_silent", written_to(None)),
    "a wrong token": ("store_token", written_to((401, b'{"message":"unauthorized"}'))),
    "no bucket": ("store_bucket", written_to((404, b'{"message":"bucket not found"}'))),
    "another server": ("store_odd", written_to((502, b"<h1>502 Bad Gateway</h1>"))),
    "a damaged store": ("store_broken", broken_store),
}  # fmt: skip


def said(do: Do, site: Site, path: Path) -> str:
    with pytest.raises((DeviceError, IngestError, OSError)) as caught:
        do(site, path)
    return str(caught.value)


@pytest.mark.parametrize(("code", "do"), CASES.values(), ids=list(CASES))
def test_a_real_trouble_is_known(code: str, do: Do, tmp_path: Path) -> None:
    """And said in both languages, without a folder, and in Chinese without English."""
    sentence = said(do, small_site(tmp_path), tmp_path)
    found = parted(sentence)
    assert found is not None and (found["code"], found["detail"]) == (code, sentence)
    zh, en = (trouble_text(sentence, texts(language)) for language in LANGUAGES)
    assert not PROSE.search(zh) and str(tmp_path) not in zh + en, (zh, en)
    for language in LANGUAGES:
        text = texts(language).words[f"problem.{code}"]
        assert {name for _, name, _, _ in string.Formatter().parse(text) if name} <= found["values"].keys()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOMEM, errno.EMFILE])
def test_what_a_machine_lacks_has_words(number: int) -> None:
    word = why(OSError(number, os.strerror(number)))
    for language in LANGUAGES:
        assert f"problem.{word}" in texts(language).words
    zh = problem_text(Problem(503, "x", code="run_unstartable", values={"why": word}), texts("zh"))
    assert word not in zh and not PROSE.search(zh)


def test_what_a_machine_lacks_otherwise_has_its_symbol() -> None:
    assert why(OSError(errno.EISDIR, "Is a directory")) == "EISDIR"
    assert why(OSError("nobody knows")) == "EIO"


def test_what_is_not_known_stays_a_sentence_where_english_is_read() -> None:
    sentence = "something quite new"
    assert parted("") is None
    assert parted(sentence) == {"code": "", "values": {}, "detail": sentence}
    assert trouble_text(sentence, texts("en")) == sentence
    assert trouble_text(sentence, texts("zh")) == texts("zh")("problem.status_500")


def test_too_many_readings_are_known() -> None:
    found = parted(too_many(Sought("gas_alarm", "conc_ppm", 0, 1), Source("gas-1")))
    assert found is not None and (found["code"], found["values"]["found"]) == (
        "too_many_readings",
        "gas_alarm.conc_ppm",
    )


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("ended_early", "It ended early, with -9; the cockpit's log says more."),
        ("scenario_nobody", "scenario gas_leak, target house: no device of the site is meant by it"),
    ],
)
def test_what_other_processes_tell_is_known(code: str, sentence: str) -> None:
    found = parted(sentence)
    assert found is not None and found["code"] == code


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_evidence_pack_says_it_too(tmp_path: Path, language: str) -> None:
    """What is missing in it is told with the trouble by which it is."""
    words = Words(small_site(tmp_path), texts(language))
    sentence = "InfluxDB at http://10.0.0.8:8086 does not answer: ReadTimeoutError"
    assert words.timed("detail", sentence) == texts(language)("problem.store_silent", found="http://10.0.0.8:8086")
