"""A flood of what nobody can read fills no table and costs no good message."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import oracle
from tests.chaos.flood import Flooded, unreadable
from tests.chaos.load import Load
from tests.chaos.town import Town
from tests.servers.influxdb import Influx

FLOOD = 20_000
# A sample is a topic and a sentence, each cut to 500 characters; a group keeps one hundred.
SAMPLE_BYTES = 1_500


@pytest.fixture
def town(tmp_path: Path, influx: Influx) -> Iterator[Town]:
    started = Town(tmp_path, influx, Load(0), 1)
    try:
        started.start()
        yield started
    finally:
        started.close()


@pytest.mark.slow
def test_a_flood_is_counted_in_full_and_kept_in_small(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    flooded = Flooded(town)
    flooded.pour(unreadable(FLOOD, 1), 60, 10_000)
    first_rows, first_bytes = flooded.rows(), flooded.kept_bytes()
    flooded.pour(unreadable(FLOOD, 2), 60, 10_000)
    rows, more_bytes = flooded.rows(), flooded.kept_bytes() - first_bytes
    with capsys.disabled():
        print(f"\n{flooded}")

    groups = town.collector.quarantine()
    assert sum(group.count for group in groups.values()) >= 2 * FLOOD
    assert max(group.count for group in groups.values()) > 4_000, "one device alone makes thousands"
    assert rows["quarantine_sample"] <= 100 * rows["quarantine_group"]
    assert rows["quarantine_group"] <= 10_000 + 20, "of made-up devices there is an end, then one group for each reason"
    # The second flood is as large as the first, and brings made-up devices only; of the others a hundred each are kept
    # already. Half of it is new, and what the broker delivers twice.
    grown = {name: count - first_rows[name] for name, count in rows.items() if count > first_rows[name] + 200}
    new_samples = rows["quarantine_sample"] - first_rows["quarantine_sample"]
    assert new_samples < FLOOD * 0.6, grown
    assert more_bytes < new_samples * SAMPLE_BYTES + FLOOD * 16, grown

    expected = flooded.load
    assert oracle.stored_points(town.influx).keys() == expected.points.keys(), "every good message came"
    assert sorted(town.collector.alarms()) == sorted((point, 2) for point in expected.alarms)
