"""The nightly recount: each day that is over, in a process of its own, so that nothing waits for it.

Every collector recounts its own journal, which lies where it works. The newest result stands in the ledger, and how
many lines were off is a figure of the collector itself: not 0 is an alarm.
"""

import json
import logging
import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from devices.errors import DeviceError
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.database import open_alarms
from ingest.errors import IngestError
from ingest.journal import Journal
from ingest.places import Places
from ingest.recount.beginnings import folder
from ingest.recount.recounting import recount
from ingest.recount.telling import document, verdict

log = logging.getLogger(__name__)

# Half an hour past midnight what devices sent late is in, and the duty room is calm.
_AFTER_MS = 30 * 60_000
_LOOK_MS = 60_000
_AGAIN_MS = 3_600_000
_NAMED = 20
_NICE = 15

Document = dict[str, Any]


class Nightly:
    """Starts a recount when a day is over, and knows what came of the newest one."""

    def __init__(self, site: Site, data: Path, shard: str | None, journal: Journal) -> None:
        self._journal = journal
        self._zone = site.timezone
        self._result = _result(Places(data).for_shard(shard))
        self._command = [
            sys.executable,
            "-m",
            "ingest.recount.nightly",
            "--site",
            str(site.source),
            "--data",
            str(data),
        ]
        self._command += [] if shard is None else ["--shard", shard]
        self._running: subprocess.Popen[bytes] | None = None
        self._next_ms = 0
        self.result = _read(self._result)

    @property
    def off(self) -> dict[str, float]:
        """Return how many lines of the newest recount were off, as a figure of the collector itself."""
        return {} if self.result is None else {"recount_off": float(_off(self.result))}

    def look(self, now_ms: int) -> None:
        """Start what is due, and take in what is done; never waits."""
        if self._running is not None:
            code = self._running.poll()
            if code is None:
                return
            self._running = None
            self._take_in(code)
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms + _LOOK_MS
        day = local_day(now_ms - _AFTER_MS, self._zone) - timedelta(days=1)
        if (self.result is not None and self.result["day"] >= day.isoformat()) or not self._holds(day):
            return
        self._next_ms = now_ms + _AGAIN_MS
        self._running = subprocess.Popen([*self._command, "--day", day.isoformat()], stdin=subprocess.DEVNULL)

    def stop(self) -> None:
        """End a recount that is under way; it is begun again."""
        if self._running is not None:
            self._running.terminate()
            self._running.wait()

    def _holds(self, day: date) -> bool:
        """Tell whether the journal has something of a day or of before."""
        first = self._journal.first()
        records = self._journal.read(first - 1, 1) if first else []
        return bool(records) and records[0].received_ms < _begin_ms(day + timedelta(days=1), self._zone)

    def _take_in(self, code: int) -> None:
        found = _read(self._result)
        if code not in (0, 1) or found is None:
            log.error("the recount of the alarms failed with exit code %d; it is tried again in an hour", code)
            return
        self.result = found
        log.log(
            logging.ERROR if code else logging.INFO,
            "alarms recounted day=%s records=%d %s",
            found["day"],
            found["records"],
            found["verdict"],
        )


@click.command(help="Recount the alarms of one day, keep the result and where the next day begins.")
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of all state.")
@click.option("--shard", help="Only one shard of the site.")
@click.option("--day", "text", required=True, help="The day, in the site's own time zone.")
def main(site_file: Path | None, data: Path, shard: str | None, text: str) -> None:
    """Recount a day; exit code 1 when something is off."""
    os.nice(_NICE)
    try:
        site = load_site(site_file)
        found = one_day(site, Places(data), shard, date.fromisoformat(text), time.time_ns() // 1_000_000)
    except (DeviceError, IngestError, ValueError) as error:
        raise SystemExit(f"citydeck recount: {error}") from error
    sys.exit(1 if _off(found) else 0)


def one_day(site: Site, data: Places, shard: str | None, day: date, now_ms: int) -> Document:
    """Recount a local day, keep the result and where the next day begins, and return the result.

    Raises:
        IngestError: journal, checkpoint or alarm database cannot be read.
    """
    span_ms = (_begin_ms(day, site.timezone), _begin_ms(day + timedelta(days=1), site.timezone))
    database = open_alarms(site, data)
    try:
        found = recount(site, shard, data, database, span_ms, lambda *_: None, keep_end=True)
    finally:
        database.close()
    told = document(found, site)
    differences, altered = told.pop("differences"), told.pop("altered")
    result: Document = {
        "day": day.isoformat(),
        "recounted_at": now_ms,
        "verdict": verdict([found]),
        **told,
        "differences": differences[:_NAMED] if isinstance(differences, list) else [],
        "altered": altered[:_NAMED] if isinstance(altered, list) else [],
    }
    path = _result(data.for_shard(shard))
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
    fresh.replace(path)
    return result


def local_day(at_ms: int, zone: ZoneInfo) -> date:
    """Return the day of an instant on a zone's own calendar."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).date()


def _begin_ms(day: date, zone: ZoneInfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def _off(result: Document) -> int:
    # A result of before the upgrade has not looked for what was changed.
    return int(result["missing"] + result["phantom"] + result.get("changed", 0))


def _result(places: Places) -> Path:
    return folder(places) / "result.json"


def _read(path: Path) -> Document | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


if __name__ == "__main__":
    main()
