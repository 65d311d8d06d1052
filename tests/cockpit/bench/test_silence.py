"""In a run and in a trial on a part of a city, whom the recording leaves out is not silent."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cockpit.bench.job import Job, Span, Trial, Tried
from cockpit.bench.runs import Runs
from devices.site import Site
from ingest.alarms.revisions.revision import SITE_FILE, Revision
from tests.cockpit.bench.recorded import messages, write
from tests.servers.waiting import wait_until

PATIENCE_S = 60
LEFT_OUT = {"only": {"kind": ["gas_alarm", "bridge_wim"]}}
# A gateway, five minutes without a word.
SILENT = {False: {"gateway.no_data"}, True: set()}
pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize("part", [False, True], ids=["the whole", "a part"])
def test_in_a_run(runs: Runs, site: Site, tmp_path: Path, part: bool) -> None:
    path = write(tmp_path / "r.cdrec", site, messages(), **(LEFT_OUT if part else {}))

    def job(identifier: str, folder: Path, token: str) -> Job:
        span = Span(str(path), True)
        return Job(
            site=str(site.source), folder=str(folder), prefix=f"/{identifier}/", token=token, span=span, speed=0.0
        )

    run = runs.start(job, "engineer", {})
    wait_until(lambda: run.progress.state in ("ended", "failed"), PATIENCE_S)
    assert run.progress.state == "ended", run.progress.sentence
    database = sqlite3.connect(f"file:{Path(run.job.folder) / 'city' / 'alarms.db'}?mode=ro", uri=True)
    rules = {rule for (rule,) in database.execute("SELECT rule FROM occurrence WHERE rule LIKE 'gateway.%'")}
    database.close()
    assert rules == SILENT[part]


def test_in_a_trial(site: Site, tmp_path: Path) -> None:
    draft = Revision(1, {"gas_alarm": {"conc_pct_lel": {"high": {"levels": [10, 40]}}}})
    health = []
    for name, words in (("whole", {}), ("part", LEFT_OUT)):
        path = write(tmp_path / f"{name}.cdrec", site, messages(), **words)
        trial = Trial(site=str(site.source), span=Span(str(path), True), base=SITE_FILE, draft=draft)
        told = subprocess.run(
            [sys.executable, "-m", "cockpit.bench.judge"],
            input=msgspec.json.encode(trial),
            capture_output=True,
            check=True,
        )
        tried = msgspec.json.decode(told.stdout.splitlines()[-1], type=Tried)
        assert tried.result is not None, tried.sentence
        health.append(tried.result["before"]["priorities"]["health"])
    assert health == [1, 0]
