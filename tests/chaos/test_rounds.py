"""Rounds of bad luck, one a seed: what the broker took is stored once or in quarantine, every alarm stands once.

``make soak`` plays more of them; ``make pytest ARGS="tests/chaos -k 'round[17]'"`` plays one again.
"""

from pathlib import Path

import pytest

from tests.chaos.faults import WITHOUT_DISK
from tests.chaos.round import play
from tests.servers.influxdb import Influx
from tests.servers.programs import lacking
from tests.servers.small_disk import NEEDS_ROOT

ROUNDS = 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, ROUNDS + 1))
def test_round(seed: int, tmp_path: Path, influx: Influx) -> None:
    report = play(seed, tmp_path, influx)
    if report.differences:
        pytest.fail(str(report), pytrace=False)
    if any(planned.fault is WITHOUT_DISK for planned in report.plan):
        lacking(f"played, but with a kill instead of a full disk: {NEEDS_ROOT}")
