"""The desk of exercises: one is begun, looked after, ended, and reported on; calls block."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from cockpit.bench.faults import Faults
from cockpit.bench.job import Job, Scripted
from cockpit.bench.runs import OVER, Run, Runs
from cockpit.bench.sources import Sources, light_of
from cockpit.drill.manners import PREFIX
from cockpit.drill.telling import report_document
from cockpit.problems import Problem
from cockpit.times import rfc3339
from cockpit.trouble_words import parted
from devices.site import Site
from ingest.alarms.audit import SYSTEM, Actor
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions import records as rules
from ingest.drills import records
from ingest.drills.reckoning import reckon
from ingest.drills.records import About, Expected, Outcome
from ingest.errors import AlarmError
from ingest.places import Places

log = logging.getLogger(__name__)

Document = dict[str, Any]
_TEND_S = 0.5
_BEAT_S = 10.0
# A recording of a scenario has half a minute in which nothing happens yet. It begins a little before the wall's clock
# and is played at once up to it, so that both clocks are one whatever time the recording took to be made.
_LEAD_MS = 3_000
_WARM_MS = 28_000


@dataclass(frozen=True, slots=True)
class _Ending:
    outcome: Outcome
    who: Actor
    sentence: str = ""


_CUT_OFF = _Ending("cut_off", SYSTEM)


class Drills:
    """What the routes of exercises ask of it."""

    def __init__(
        self,
        site: Site,
        places: Places,
        database: AlarmDatabase,
        sources: Sources,
        clock_ms: Callable[[], int],
        speed: float = 1.0,
    ) -> None:
        """Keep what is needed.

        Args:
            site: that of the live city.
            places: where the state of this installation is.
            database: the live alarm database.
            sources: what can be played.
            clock_ms: tells the instant.
            speed: of life; another one is for tests alone.
        """
        self._site = site
        self._database = database
        self._sources = sources
        self._faults = Faults(site)
        self._clock_ms = clock_ms
        self._speed = speed
        self._endings: dict[str, _Ending] = {}
        self._reached: dict[str, int] = {}
        self._closing = threading.Event()
        self._finishing = threading.Lock()
        self._tending = threading.Thread(target=self._tend, name="drills", daemon=True)
        self.runs = Runs(places.drills, most=1, forsaken_s=None, clear=self._report)

    def begin(self) -> None:
        """Report on what a cockpit left behind that was killed, and begin to look after what will be there."""
        self.runs.begin()
        self._tending.start()

    def close(self) -> None:
        """End what is running; it is told that it was cut off."""
        self._closing.set()
        self._tending.join()
        self._note_reached()
        self.runs.close()

    def scenarios(self) -> Document:
        """Return what can be played: what happens, how long it takes, how many alarms it states."""
        items = [
            {
                **{key: each[key] for key in ("key", "name", "description")},
                "lasts_s": round(each["lasts_s"]),
                "alarms": len(each["expects"]),
                "light": light_of(each),
            }
            for each in self._sources.scenarios()
        ]
        return {"items": items, "next": None, "faults": self._faults.kinds()}

    def start(self, scenario: str, note: str, who: Actor, faults: Sequence[str] = ()) -> Document:
        """Begin an exercise, under the rules that are in force now; ``faults`` are laid over its scenario.

        Raises:
            Problem: 404, there is no such scenario; 422, no such fault; 503, this machine cannot play it.
            Refused: state, an exercise is running already.
        """
        found = self._sources.one(scenario)
        now_ms = self._clock_ms()
        # Before anything is begun; the same is asked once more as it is written down.
        with self._database.read() as connection:
            records.require_none(connection)
            revision, _ = rules.due(connection, now_ms)
        begin_ms, script = self._script(found, now_ms, self._faults.checked(faults))
        about = About(
            name=found["name"],
            description=found["description"],
            lasts_s=round(found["lasts_s"]),
            played_from=begin_ms,
            faults=list(script.faults),
            expects=[Expected(each["rule"], each["level"], each["device"], each["light"]) for each in found["expects"]],
        )

        def job(identifier: str, folder: Path, token: str) -> Job:
            return Job(
                site=str(self._site.source),
                folder=str(folder),
                prefix=f"{PREFIX}{identifier}/",
                token=token,
                scripted=script,
                speed=self._speed,
                revision=revision,
                drill=True,
                warm_ms=_WARM_MS,
                by_wall=not light_of(found),
            )

        run = self.runs.start(job, who.user, {"scenario": scenario})
        try:
            row = records.begin(self._database, run.id, scenario, about, note, who, now_ms)
        except AlarmError:
            self._remove(run.id)
            raise
        return self.document(row)

    def end(self, identifier: str, who: Actor) -> Document:
        """End an exercise now.

        Raises:
            Problem: 404, there is none; 409, it has ended, or another cockpit plays it.
        """
        row = self._row(identifier)
        if row["ended_at"] is not None:
            raise Problem(409, "This exercise has ended already.", code="drill_ended")
        if self._run(identifier) is None and identifier not in self._endings:
            raise Problem(409, "This exercise is played by another cockpit; end it there.", code="drill_elsewhere")
        self._finish(identifier, _Ending("ended", who))
        return self.document(self._row(identifier), whole=True)

    def one(self, identifier: str) -> Document:
        """Return an exercise with its report.

        Raises:
            Problem: 404.
        """
        return self.document(self._row(identifier), whole=True)

    def listed(self, only_running: bool, most: int, offset: int) -> list[Document]:
        """Return exercises, the newest first."""
        with self._database.read() as connection:
            rows = records.newest(connection, only_running, most, offset)
        return [self.document(row) for row in rows]

    def document(self, row: records.Row, *, whole: bool = False) -> Document:
        """Return an exercise as the API tells it."""
        about, zone = records.about_of(row), self._site.timezone
        run = self._run(row["id"]) if row["ended_at"] is None else None
        report = row["report"]
        found: Document = {
            **{key: row[key] for key in ("id", "scenario", "note", "led_by", "outcome", "sentence", "ended_by")},
            "problem": parted(row["sentence"]),
            "name": about.name,
            "lasts_s": about.lasts_s,
            "started_at": rfc3339(row["started_at"], zone),
            "ended_at": rfc3339(row["ended_at"], zone),
            "played_from": rfc3339(about.played_from, zone),
            # Whether its clock is that of the wall: not where a scenario needs the night by day.
            "at_this_hour": about.played_from == row["started_at"] // 1000 * 1000,
            "running": row["ended_at"] is None,
            "state": "ended" if row["ended_at"] is not None else "elsewhere" if run is None else run.progress.state,
            "city": f"{PREFIX}{row['id']}/" if run is not None and run.open else None,
            "standing": None if run is None else self._standing(run),
            "points": None if report is None else msgspec.json.decode(report)["points"],
        }
        if whole:
            # What will happen is nobody's to read before.
            found["description"] = about.description if row["ended_at"] is not None else None
            found["faults"] = about.faults if row["ended_at"] is not None else []
            found["report"] = None if report is None else report_document(self._site, report)
        return found

    def _standing(self, run: Run) -> Document | None:
        told, zone = run.progress, self._site.timezone
        if told.standing is None:
            return None
        oldest = told.standing.oldest_unacked_ms
        return {
            "at": rfc3339(told.at_ms, zone),
            "open": told.standing.open,
            "unacked": told.standing.unacked,
            "worst": told.standing.worst or None,
            "oldest_unacked_at": rfc3339(oldest, zone),
            "oldest_unacked_s": None if oldest is None else max(0, (told.at_ms - oldest) // 1000),
            "left_s": max(0, (told.to_ms - told.at_ms) // 1000),
        }

    def _script(self, found: Document, now_ms: int, faults: tuple[str, ...]) -> tuple[int, Scripted]:
        """Return the instant an exercise begins at by its own clock, and what is to be written for it."""
        zone = self._site.timezone
        if light_of(found):
            script = msgspec.structs.replace(self._sources.scenario(found["key"], now_ms), faults=faults)
            begun = datetime.fromisoformat(script.begin).replace(tzinfo=zone)
            return round(begun.timestamp() * 1000) + _WARM_MS, script
        begin_ms = now_ms // 1000 * 1000
        earlier = datetime.fromtimestamp((begin_ms - _LEAD_MS) / 1000, zone)
        return begin_ms, Scripted(found["key"], earlier.replace(tzinfo=None).isoformat(), faults)

    def _row(self, identifier: str) -> records.Row:
        with self._database.read() as connection:
            row = records.one(connection, identifier)
        if row is None:
            raise Problem(
                404, f"There is no exercise {identifier!r}.", code="unknown_drill", values={"drill": identifier}
            )
        return row

    def _run(self, identifier: str) -> Run | None:
        return next((run for run in self.runs.all() if run.id == identifier), None)

    def _finish(self, identifier: str, ending: _Ending) -> None:
        with self._finishing:
            # Who comes first says how it ended: the scenario may be over as a leader ends it.
            self._endings.setdefault(identifier, ending)
            self._note_reached()
            self._remove(identifier)

    def _remove(self, identifier: str) -> None:
        try:
            self.runs.remove(identifier)
        except Problem as error:
            log.debug("drill=%s %s", identifier, error)

    def _note_reached(self) -> None:
        self._reached.update({run.id: run.progress.at_ms for run in self.runs.all()})

    def _report(self, folder: Path) -> None:
        """Keep what came of an exercise whose process has ended, before its folder goes.

        Raises:
            AlarmError: one of the databases does not answer; the folder has to stay.
        """
        identifier = folder.name
        ending = self._endings.get(identifier, _CUT_OFF)
        with self._database.read() as connection:
            row = records.one(connection, identifier)
        if row is None or row["ended_at"] is not None:
            return
        cut_off = ending.outcome in ("cut_off", "failed")
        found = reckon(self._site, folder / "city", records.about_of(row), self._reached.get(identifier, 0), cut_off)
        text = None if found is None else msgspec.json.encode(found).decode()
        records.end(self._database, identifier, ending.outcome, ending.sentence, text, ending.who, self._clock_ms())

    def _tend(self) -> None:
        waited_s = _BEAT_S
        while not self._closing.wait(_TEND_S):
            for run in self.runs.all():
                told = run.progress
                if told.state == "failed":
                    self._finish(run.id, _Ending("failed", SYSTEM, told.sentence))
                elif told.state in OVER:
                    self._finish(run.id, _Ending("over", SYSTEM))
            waited_s += _TEND_S
            if waited_s >= _BEAT_S:
                waited_s = 0.0
                try:
                    records.beat(self._database, [run.id for run in self.runs.all()], self._clock_ms())
                except AlarmError as error:
                    log.warning("%s", error)
