"""``python -m cockpit.bench.judge``: judges a span by two sets of rules and tells what differs; writes no database.

The trial stands in its input; the lines of its output say how far it is, the last one what came of it.
"""

import logging
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from cockpit.bench.job import Trial, Tried
from devices.errors import DeviceError
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.revisions.comparing import Comparison, result
from ingest.backtest.heard import add_heard
from ingest.decoding import Decoder, Unregistered
from ingest.errors import IngestError
from ingest.places import MAIN
from ingest.replay.source import Source, file_source, journal_source

log = logging.getLogger(__name__)

_NICE = 10
_TELL_S = 0.5


def main() -> None:
    """Try what stands in the input."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s trial %(levelname)s %(message)s")
    # Everything else on this machine comes first.
    os.nice(_NICE)
    trial = msgspec.json.decode(sys.stdin.buffer.read(), type=Trial)
    try:
        site = load_site(Path(trial.site))
        span, path = trial.span, Path(trial.span.path)
        if span.is_file:
            source = file_source(site, path, span.from_ms, span.to_ms)
        else:
            source = journal_source(path, span.from_ms, span.to_ms)
        _tell(_judged(trial, site, source))
    except (DeviceError, IngestError) as error:
        log.warning("the trial cannot be done: %s", error)
        _tell(Tried(sentence=str(error)))


def _judged(trial: Trial, site: Site, source: Source) -> Tried:
    """As a run does it: nothing is known of what was before the span."""
    heard = replace(site, awaited=source.scope.awaited(site))
    comparison = Comparison(heard, MAIN, trial.base, trial.draft)
    decoder = Decoder(site, Unregistered(per_hour=source.scope.strangers))
    length = max(1, source.to_ms - source.from_ms)
    count, told_s = 0, 0.0
    for records in source.records():
        count = records[-1].position
        comparison.feed(decoder.outcomes(records))
        if time.monotonic() - told_s >= _TELL_S:
            told_s = time.monotonic()
            _tell(Tried(done=records[-1].received_ms - source.from_ms, total=length))
    comparison.finish()
    found = result([comparison], trial.recorded, source.from_ms, source.to_ms, site)
    add_heard(found, site, source.records())
    return Tried(done=length, total=length, result={"records": count, **found})


def _tell(tried: Tried) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(tried) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
