"""``python -m cockpit.bench.city``: the process of a run.

Its first line of input is the job, each further one an act; each line of its output is its progress. It ends with its
input, so it never outlives the cockpit that started it.
"""

import logging
import os
import sys
import threading
from typing import BinaryIO

import msgspec

from cockpit.bench.job import Act, Job, Progress
from cockpit.bench.playing import Run
from ingest import runtime

# The live city on this machine comes first.
_NICE = 5
_writing = threading.Lock()


def main() -> None:
    """Do the job that stands in the input."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s bench %(levelname)s %(message)s")
    os.nice(_NICE)
    runtime.settle()
    lines = sys.stdin.buffer
    run = Run(msgspec.json.decode(lines.readline(), type=Job), _tell)
    threading.Thread(target=_follow, args=(run, lines), name="follow", daemon=True).start()
    sys.exit(0 if run.go() else 1)


def _follow(run: Run, lines: BinaryIO) -> None:
    for line in lines:
        run.act(msgspec.json.decode(line, type=Act))
    run.end()


def _tell(progress: Progress) -> None:
    with _writing:
        sys.stdout.buffer.write(msgspec.json.encode(progress) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
