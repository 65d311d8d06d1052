"""The desk of the bench: runs begun from what was wished, and drafts tried on them; calls block."""

from pathlib import Path
from typing import Any

from cockpit.bench.faults import Faults
from cockpit.bench.job import Job, Progress, Scripted, Span, Trial
from cockpit.bench.origin import was_here
from cockpit.bench.proxy import PREFIX
from cockpit.bench.runs import OVER, Run, Runs
from cockpit.bench.sources import Sources
from cockpit.problems import Problem
from cockpit.rule_results import named
from cockpit.times import rfc3339
from cockpit.trouble_words import parted
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions import backtesting, records
from ingest.alarms.revisions.revision import Change, Revision
from ingest.alarms.revisions.rules_file import read_rules
from ingest.errors import Refused
from ingest.places import Places

Document = dict[str, Any]


class Bench:
    """What the routes of the bench ask of it."""

    def __init__(self, site: Site, places: Places, database: AlarmDatabase) -> None:
        self._site = site
        self._database = database
        self.sources = Sources(site, places)
        self.faults = Faults(site)
        self._recordings = places.recordings
        self.runs = Runs(places.bench)

    def start(
        self, source: Span | Scripted, about: Document, speed: float, paused: bool, by: str, now_ms: int
    ) -> Document:
        """Begin a run, under the rules that are in force now.

        Raises:
            Problem: 409, there are as many as there may be.
        """
        with self._database.read() as connection:
            revision, _ = records.due(connection, now_ms)

        def job(identifier: str, folder: Path, token: str) -> Job:
            return Job(
                site=str(self._site.source),
                folder=str(folder),
                prefix=f"{PREFIX}{identifier}/",
                token=token,
                span=source if isinstance(source, Span) else None,
                scripted=source if isinstance(source, Scripted) else None,
                speed=speed,
                paused=paused,
                revision=revision,
            )

        return self.document(self.runs.start(job, by, {**about, "revision": revision.number}))

    def tables(self) -> list[str]:
        """Return the tables of messages among the recordings: they can be played once they were imported."""
        return sorted(path.name for path in self._recordings.glob("*") if path.suffix.lower() == ".csv")

    def try_draft(self, run: Run, number: int | None, rules: str | None) -> Document:
        """Try a draft of the rules, or a file of rules, on what a run plays.

        Raises:
            Refused: there is no such draft, or the rules contradict themselves or the site.
            Problem: 409, the run's recording is not there yet.
        """
        span = run.progress.span
        if span is None or span.from_ms is None or span.to_ms is None:
            raise Problem(409, "This run is still being prepared; try again in a moment.", code="run_preparing")
        with self._database.read() as connection:
            if number is not None:
                base, draft = records.drafted(connection, records.row_of(connection, number), self._site)
            else:
                base = records.base_of(connection)
                draft = self._from_file(base, rules or "")
            # What people found of alarms of that time says nothing of another city, or of a time that never was.
            own = run.job.scripted is None and was_here(span, self._site)
            found = backtesting.recorded(connection, span.from_ms, span.to_ms) if own else []
        trial = Trial(site=str(self._site.source), span=span, base=base, draft=draft, recorded=found)
        run.trials.start(trial, "" if number is None else f"#{number}")
        return self.document(run)

    def document(self, run: Run) -> Document:
        """Return a run as the API tells it."""
        told, zone = run.progress, self._site.timezone
        tried = run.trials.tried
        trial = None
        if tried is not None:
            state = "running" if run.trials.running else "failed" if tried.sentence else "done"
            result = None if tried.result is None else named(_copied(tried.result), self._site)
            trial = {
                "draft": run.trials.draft,
                "state": state,
                "done": tried.done,
                "total": tried.total,
                "sentence": tried.sentence,
                "problem": parted(tried.sentence),
                "result": result,
            }
        return {
            "id": run.id,
            "by": run.by,
            **run.about,
            "city": f"{PREFIX}{run.id}/" if run.open else None,
            **_progress(told),
            **{key: rfc3339(getattr(told, f"{key}_ms") or None, zone) for key in ("from", "to", "at")},
            "over": told.state in OVER,
            "trial": trial,
        }

    def _from_file(self, base: Revision, text: str) -> Revision:
        found = read_rules(text, "the file")
        change = Change(found.get("limits", {}), found.get("limits_for", []), found.get("withdraw", []))
        if change.empty:
            raise Refused(
                "unfit",
                "The file changes nothing; expected [limits…], [[limits_for]] or [[withdraw]].",
                code="draft_empty",
            )
        return records.fitted(base, change, self._site, 0)


def _progress(told: Progress) -> Document:
    return {
        "state": told.state,
        "sentence": told.sentence,
        "problem": parted(told.sentence),
        "done": told.done,
        "total": told.total,
        "speed": told.speed or "max",
        "rate": told.rate,
        "paused": told.paused,
        "messages": told.messages,
        "readings": told.readings,
        "quarantined": told.quarantined,
        "alarms": told.alarms,
    }


def _copied(result: Document) -> Document:
    """Return a result whose lists may be written to."""
    lists = ("vanish", "appear", "moved")
    copied = {key: {**result[key], "items": [dict(item) for item in result[key]["items"]]} for key in lists}
    missed = [dict(item) for item in result["verdicts"]["missed_items"]]
    return {**result, **copied, "verdicts": {**result["verdicts"], "missed_items": missed}}
