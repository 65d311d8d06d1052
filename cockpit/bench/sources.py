"""What there is to play: files in the folder of recordings, the site's own journal, and the scenarios."""

import json
import logging
import re
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cockpit.bench.asking import ask
from cockpit.bench.job import Scripted, Span
from cockpit.problems import Problem
from cockpit.times import rfc3339
from cockpit.trouble_words import parted, why
from devices.errors import DeviceError, RecordingError
from devices.recording import TICK, Reader
from devices.site import Site
from ingest.errors import IngestError
from ingest.places import Places
from ingest.recording.importing import check_kinds
from ingest.replay.source import Source, file_source, journal_source, reach

log = logging.getLogger(__name__)

Document = dict[str, Any]
SUFFIX = ".cdrec"
_NAME = re.compile(r"[\w.~-]{1,120}")
_PATIENCE_S = 600.0
# When a scenario is played whose alarms need the day, and one whose alarms need the night.
_HOURS = {"day": 10, "night": 22}


class Sources:
    """Reads what there is; calls block."""

    def __init__(self, site: Site, places: Places) -> None:
        self._site = site
        self._places = places
        self._looked: dict[tuple[str, int, int], Document] = {}
        self._scenarios: list[Document] = []
        self._lock = threading.Lock()

    def all(self) -> Document:
        """Return everything that can be played; what cannot says in a sentence why."""
        zone = self._site.timezone
        recordings = []
        for path in sorted(self._places.recordings.glob(f"*{SUFFIX}")):
            try:
                found = dict(self._looked_into(path))
            except FileNotFoundError:
                # It went since the folder was listed, or is a link to nothing.
                continue
            recordings.append({**found, "from": rfc3339(found["from"], zone), "to": rfc3339(found["to"], zone)})
        journals = []
        for shard in [*self._site.shards] or ["main"]:
            try:
                from_ms, to_ms = reach(self._journal(shard))
            except (DeviceError, IngestError) as error:
                log.debug("%s", error)
                continue
            journals.append({"shard": shard, "from": rfc3339(from_ms, zone), "to": rfc3339(to_ms, zone)})
        return {"recordings": recordings, "journals": journals, "scenarios": self.scenarios()}

    def recording(self, name: str, from_ms: int | None, to_ms: int | None) -> Span:
        """Return a span of a recording, after reading it once.

        Raises:
            Problem: 404 there is none of that name, 422 it cannot be played, in a sentence.
        """
        path = self._places.recordings / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise Problem(404, f"There is no recording {name!r}.", code="unknown_recording", values={"name": name})
        return _span(lambda: file_source(self._site, path, from_ms, to_ms), path)

    def journal(self, shard: str | None, from_ms: int | None, to_ms: int | None) -> Span:
        """Return a span of the site's own journal.

        Raises:
            Problem: 404 there is no such shard, 422 nothing was recorded then.
        """
        known = [*self._site.shards] or ["main"]
        if shard is not None and shard not in known:
            raise Problem(
                404,
                f"There is no shard {shard!r}; there are {', '.join(known)}.",
                code="unknown_shard",
                values={"shard": shard, "known": ", ".join(known)},
            )
        folder = self._journal(shard or known[0])
        return _span(lambda: journal_source(folder, from_ms, to_ms), folder)

    def scenario(self, key: str, now_ms: int) -> Scripted:
        """Return a scenario, begun when its alarms can be: this morning or last night.

        Raises:
            Problem: 404, there is none of that name.
        """
        found = self.one(key)
        light = light_of(found) or "day"
        now = datetime.fromtimestamp(now_ms / 1000, self._site.timezone)
        begin = now.replace(hour=_HOURS[light], minute=0, second=0, microsecond=0, tzinfo=None)
        if begin + timedelta(seconds=found["lasts_s"]) > now.replace(tzinfo=None):
            begin -= timedelta(days=1)
        return Scripted(key, begin.isoformat())

    def one(self, key: str) -> Document:
        """Return what a scenario says of itself.

        Raises:
            Problem: 404, there is none of that name.
        """
        found = next((each for each in self.scenarios() if each["key"] == key), None)
        if found is None:
            known = ", ".join(each["key"] for each in self.scenarios())
            raise Problem(
                404,
                f"There is no scenario {key!r}; there are {known}.",
                code="unknown_scenario",
                values={"scenario": key, "known": known},
            )
        return found

    def scenarios(self) -> list[Document]:
        """Return the scenarios, as the simulators tell them; they are met as a process, never imported."""
        with self._lock:
            if not self._scenarios:
                told = ask("simulators", "--list-scenarios", "--json", patience_s=_PATIENCE_S)
                if told.returncode:
                    said = told.stderr.strip()[-300:]
                    log.warning("the scenarios cannot be read: %s", said)
                    raise Problem(503, f"The scenarios cannot be read: {said}.", code="scenarios_unreadable")
                self._scenarios = json.loads(told.stdout)
            return self._scenarios

    def record(self, minutes: int, now_ms: int) -> list[str]:
        """Take the newest minutes out into a recording of each collector that heard anything, and return their names.

        Raises:
            Problem: 422, nothing was received meanwhile.
        """
        zone = self._site.timezone
        begin, end = (datetime.fromtimestamp(at / 1000, zone) for at in (now_ms - minutes * 60_000, now_ms))
        try:
            self._places.recordings.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Problem(
                503,
                f"The folder of recordings cannot be written: {error.strerror}.",
                code="recordings_unwritable",
                values={"why": why(error)},
            ) from error
        names, sentence = [], ""
        for shard in [*self._site.shards] or [""]:
            name = f"{end:%Y%m%d-%H%M%S}-{minutes}min{shard and '-'}{shard}{SUFFIX}"
            beside = self._places.recordings / f".{name}.part"
            words = ["--site", str(self._site.source), "--data", str(self._places.data)]
            words += ["--from", begin.isoformat(), "--to", end.isoformat(), *(["--shard", shard] if shard else [])]
            told = ask("ingest.recording", "export", str(beside), *words, patience_s=_PATIENCE_S)
            if told.returncode:
                beside.unlink(missing_ok=True)
                sentence = told.stderr.strip().rpartition("\n")[2].removeprefix("citydeck record: ")
                continue
            beside.rename(self._places.recordings / name)
            names.append(name)
        if not names:
            raise _refused(f"Nothing was recorded: {sentence}.", sentence, "nothing_recorded")
        return names

    def _journal(self, shard: str) -> Path:
        return self._places.for_shard(shard if self._site.shards else None).journal

    def _looked_into(self, path: Path) -> Document:
        stat = path.stat()
        key = (path.name, stat.st_mtime_ns, stat.st_size)
        if key not in self._looked:
            self._looked[key] = {"name": path.name, "bytes": stat.st_size, **_contents(path, self._site)}
        return self._looked[key]


def light_of(scenario: Document) -> str:
    """Return the half of the day that most alarms of a scenario need, or an empty text."""
    lights = [each["light"] for each in scenario["expects"] if each["light"]]
    return max(("day", "night"), key=lights.count) if lights else ""


def _contents(path: Path, site: Site) -> Document:
    nothing: Document = {"from": None, "to": None, "kinds": [], "messages": 0, "site": None}
    try:
        with Reader(path) as reader:
            header = reader.header
            check_kinds(reader, site)
            messages = sum(message.topic != TICK for block in reader.blocks() for message in block)
    except RecordingError as error:
        said = _said(error, path)
        return {**nothing, "fault": said, "problem": parted(said)}
    return {
        "from": header.from_ms,
        "to": header.to_ms,
        "kinds": sorted(header.kinds),
        "messages": messages,
        "site": header.site,
        "fault": "",
        "problem": None,
        "pseudonymised": header.pseudonymised,
        "software": header.software,
    }


def _span(source_of: Any, path: Path) -> Span:
    try:
        source: Source = source_of()
    except (DeviceError, IngestError) as error:
        said = _said(error, path)
        raise _refused(f"{said}.", said, "source_unreadable") from error
    return Span(str(source.path), source.is_file, source.from_ms, source.to_ms)


def _refused(detail: str, sentence: str, otherwise: str) -> Problem:
    """Return a refusal that tells a sentence, with that one's own code where it is known."""
    known = parted(sentence)
    if known is not None and known["code"]:
        return Problem(422, detail, code=known["code"], values=known["values"])
    log.warning("%s", detail)
    return Problem(422, detail, code=otherwise)


def _said(error: Exception, path: Path) -> str:
    """Return what went wrong by the file's name: where it lies is nobody's business."""
    return str(error).replace(str(path), path.name)
