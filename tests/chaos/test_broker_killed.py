"""A broker that is killed loses what it acknowledged since its last save, and nothing else is lost."""

from pathlib import Path

import pytest

from tests.chaos.broker_kill import Saves, kill
from tests.servers.influxdb import Influx


@pytest.mark.slow
@pytest.mark.parametrize("away", [False, True], ids=["reading", "away"])
def test_only_what_came_after_the_last_save_is_lost(tmp_path: Path, influx: Influx, away: bool) -> None:
    cost = kill(tmp_path, influx, 7_500, 2_500, Saves(1), away, 5_500)
    if cost.differences:
        pytest.fail(str(cost), pytrace=False)
    assert 5_500 <= cost.acknowledged < 7_500
