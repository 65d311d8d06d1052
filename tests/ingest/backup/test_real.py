"""A collector on the copy goes on where the backup was made, while the first one goes on too."""

import json
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from ingest.alarms.audit import first_broken
from ingest.records import TICK
from tests.ingest.backup.keeping import citydeck, closing_database, manifest_of
from tests.ingest.collector import Collector
from tests.ingest.conftest import MakeCollector
from tests.ingest.publisher import Publisher
from tests.ingest.test_kill import Day
from tests.servers.mosquitto import Mosquitto


@pytest.mark.slow
def test_a_collector_on_the_copy_goes_on_where_the_backup_was_made(
    make_collector: MakeCollector, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    first = make_collector(mosquitto.port, "embedded")
    day = Day(5).fill(24_000)
    first.connected()
    publisher, stopping = Publisher(mosquitto.port), threading.Event()
    sending = threading.Thread(target=publisher.pace, args=(day.messages, 2_000, stopping))
    sending.start()
    try:
        first.wait(lambda: first.ledger().decoded >= 4_000)
        file = tmp_path / "city.tar.gz"
        done = citydeck("backup", file, "--site", first.site_file, "--data", first.data)
        assert done.returncode == 0, done.stderr
        first.wait(lambda: judged(first) >= judged_in(file) + 1_000)
        assert publisher.confirmed < len(day.messages), "the load ended before the backup did"
        first.kill()
        done = citydeck("restore", file, "--data", tmp_path / "elsewhere")
        assert done.returncode == 0, done.stderr
        second = make_collector(mosquitto.port, "embedded")
        second.data.parent.joinpath("elsewhere").rename(second.data)
        second.connected()
        sending.join()
        publisher.drained()
    finally:
        stopping.set()
        sending.join()
        publisher.close()
    manifest = manifest_of(file)
    copied_to = manifest["journals"]["."][1]
    assert max(manifest["cursors"]["."].values()) <= copied_to
    # What the first one acknowledged after the backup is gone with it; nothing else is.
    lost = Counter((r.topic, r.payload) for r in first.journaled() if r.position > copied_to and r.topic != TICK)
    expected = Counter(day.messages) - lost
    assert 1_000 < expected.total() < len(day.messages)

    def arrived() -> bool:
        return not expected - messages_of(second)

    second.wait(arrived)
    second.wait(lambda: judged(second) == messages_of(second).total() and stored(second) == second.ledger().produced)
    ledger = second.ledger()
    assert ledger.decoded + ledger.quarantined + ledger.duplicate == messages_of(second).total()
    own = [(point, level) for point, level in second.alarms() if ".high" in point or ".overload/" in point]
    assert own == alarms_in(second), "of the two rules that this test knows"
    assert len(own) > 20
    assert second.stop() == 0
    assert second.lines("ERROR") == []
    with closing_database(second.data / "alarms.db") as database, database.read() as connection:
        assert first_broken(connection) is None
    assert (second.data / "secret").read_bytes() == (first.data / "secret").read_bytes()
    kept = rows_of(second.data / "readings.db")
    assert kept["gas_alarm"] == len(
        {(m[0].split("/")[4], json.loads(m[1])["ts"]) for m in messages_of(second) if b"conc_pct_lel" in m[1]}
    )


def judged(collector: Collector) -> int:
    ledger = collector.ledger()
    return ledger.decoded + ledger.quarantined + ledger.duplicate


def judged_in(file: Path) -> int:
    return int(manifest_of(file)["cursors"]["."]["checkpoint"])


def stored(collector: Collector) -> int:
    with closing(sqlite3.connect(collector.data / "readings.db")) as database:
        row = database.execute("SELECT stored + refused FROM reached").fetchone()
    return int(row[0])


def rows_of(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as database:
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("gas_alarm",)}


def messages_of(collector: Collector) -> Counter[tuple[str, bytes]]:
    return Counter((r.topic, r.payload) for r in collector.journaled() if r.topic != TICK)


def alarms_in(collector: Collector) -> list[tuple[str, int]]:
    """Return the alarms that the messages of a collector's journal must have raised."""
    found = set()
    for topic, payload in messages_of(collector):
        device = topic.split("/")[4]
        if b"conc_pct_lel" in payload and json.loads(payload)["data"]["conc_pct_lel"] == 70:
            found.add((f"{device}/conc_pct_lel.high", 2))
        if b"pass_id" in payload and json.loads(payload)["data"]["gvw_kg"] == 28_000:
            found.add((f"{device}/over_pct.overload/{json.loads(payload)['id']}", 3))
    return sorted(found)
