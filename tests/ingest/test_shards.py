"""Two collectors beside each other on one broker: each has its session, journal and devices, and nothing crosses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from devices.site_file import load_site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit, collector, occurrence
from ingest.places import Places
from ingest.reconcile import main as reconcile
from ingest.store import open_store
from tests.ingest.collector import ROOT, Collector
from tests.ingest.messages import T_MS, Message, gas, native
from tests.ingest.publisher import Publisher
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto
from tests.sites import small_site_text

SHARDS = """
[shards.gas]
subscriptions = ["city/v1/demo/gas_alarm/#", "city/v1/demo/gateway/#"]
[shards.streets]
subscriptions = ["city/v1/demo/light_pole/#", "city/v1/demo/drone/#", "city/v1/demo/drone_dock/#",
                 "city/v1/demo/refuse_truck/#", "city/v1/demo/bridge_wim/#"]
foreign = ["HJ212:MN0001"]
"""
ROUNDS, EACH = 6, 300


class Shard(Collector):
    """A collector of one shard; its own state lies below the data folder, the alarms are shared."""

    def __init__(self, site_file: Path, data: Path, name: str):
        super().__init__(site_file, data / "shards" / name)
        self._log = data / f"{name}.log"
        self._options = ["--site", str(site_file), "--data", str(data), "--shard", name]


@pytest.fixture(params=["influx", "embedded"])
def site_file(request: pytest.FixtureRequest, tmp_path: Path, mosquitto: Mosquitto) -> Path:
    path = tmp_path / "site.toml"
    store = "embedded"
    if request.param == "influx":
        influx: Influx = request.getfixturevalue("influx")
        store = f"{influx.url}?org={influx.org}&bucket={influx.database}"
    text = small_site_text(broker=f"mqtt://127.0.0.1:{mosquitto.port}", store=store, tail=SHARDS)
    path.write_text(text, encoding="utf-8")
    return path


def stored(site_file: Path, data: Path, measurement: str) -> dict[str, int]:
    """Return how many points each device has in the store that both write into."""
    store = open_store(load_site(site_file), Places(data))
    try:
        return store.count(measurement, 0, 2**62)
    finally:
        store.close()


def test_one_is_killed_again_and_again_and_nothing_is_lost_or_crosses(
    tmp_path: Path, site_file: Path, publisher: Publisher
) -> None:
    data = tmp_path / "var"
    data.mkdir()
    north, south = (Shard(site_file, data, name) for name in ("gas", "streets"))
    try:
        north.connected()
        south.connected()
        for turn in range(ROUNDS):
            messages: list[Message] = []
            for number in range(turn * EACH, turn * EACH + EACH):
                ts = T_MS + number
                messages.append(gas("gas-1", 70 if number == 2 * EACH + 7 else 2, seq=number, ts=ts))
                messages.append(native("light_pole", "pole-1", {"dim_pct": 5}, seq=number, ts=ts))
            leaking = {"leak_ma": 99 if turn == 3 else 1}
            messages.append(native("light_pole", "pole-1", leaking, id=f"leak{turn}", ts=T_MS + 10**6 + turn))
            publisher.publish(*messages)
            if turn % 2:
                south.kill()
                south.connected()
        total = ROUNDS * EACH
        north.wait(lambda: judged(north) >= total)
        south.wait(lambda: judged(south) >= total + ROUNDS)
        north.wait(lambda: stored(site_file, data, "gas_alarm") == {"gas-1": total})
        south.wait(lambda: stored(site_file, data, "light_pole") == {"pole-1": total + ROUNDS})
        assert (north.stop(), south.stop()) == (0, 0)
    finally:
        north.close()
        south.close()
    # Each journal holds its own share and no more; what came twice was counted and not stored twice.
    assert {topic.split("/")[3] for _, _, topic, _ in north.journaled() if topic.startswith("city/")} == {"gas_alarm"}
    assert {topic.split("/")[3] for _, _, topic, _ in south.journaled() if topic.startswith("city/")} == {"light_pole"}
    for shard in (north, south):
        assert shard.stored().stored == shard.ledger().produced
        assert shard.stored().position <= len(shard.journaled())
    database = AlarmDatabase(f"sqlite:///{data / 'alarms.db'}")
    with database.read() as connection:
        points = connection.execute(sa.select(occurrence.c.point).order_by(occurrence.c.point)).scalars().all()
        shards = connection.execute(sa.select(collector.c.shard)).scalars().all()
        seqs = connection.execute(sa.select(audit.c.seq).order_by(audit.c.seq)).scalars().all()
    database.close()
    assert points == ["gas-1/conc_pct_lel.high", "pole-1/leak_ma.leakage"]
    assert sorted(shards) == ["gas", "streets"]
    assert seqs == list(range(1, len(seqs) + 1))
    # The journals of both against the one store, and each by itself; what came again after a kill counts, too.
    came = {shard: sum(topic[0] != "$" for _, _, topic, _ in shard.journaled()) for shard in (north, south)}
    assert reconciled(site_file, data) == (0, f"{sum(came.values())} messages", "0 differences")
    assert reconciled(site_file, data, "--shard", "gas") == (0, f"{came[north]} messages", "0 differences")
    # What the other one raised is no line of a device that belongs to nobody.
    assert recounted(site_file, data) == (0, [("gas", 0, []), ("streets", 0, [])])
    assert recounted(site_file, data, "--shard", "streets") == (0, [("streets", 0, [])])


def judged(shard: Shard) -> int:
    found = shard.ledger()
    return found.decoded + found.quarantined + found.duplicate


def reconciled(site_file: Path, data: Path, *more: str) -> tuple[int, str, str]:
    words = ["--site", str(site_file), "--data", str(data), *more]
    done = subprocess.run(
        [sys.executable, "-m", "ingest.reconcile", *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode in (0, 1) and done.stdout, done.stderr
    first, *_, last = done.stdout.splitlines()
    return done.returncode, first.split(": ")[-1].split(",")[0], last


def recounted(site_file: Path, data: Path, *more: str) -> tuple[int, list[tuple[str, int, list[str]]]]:
    """Return the exit code, and of each collector how many differences it has, and what was not judged."""
    words = ["--alarms", "--json", "--site", str(site_file), "--data", str(data), *more]
    done = subprocess.run(
        [sys.executable, "-m", "ingest.reconcile", *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    found = json.loads(done.stdout)
    return done.returncode, [
        (each["shard"], each["missing"] + each["phantom"] + each["changed"], each["not_covered"]) for each in found
    ]


def test_an_unknown_shard_is_told_which_there_are(site_file: Path, tmp_path: Path) -> None:
    words = ["--site", str(site_file), "--data", str(tmp_path), "--shard", "north"]
    done = CliRunner().invoke(reconcile, words)
    assert (done.exit_code, "the site has no shard 'north'; it has gas, streets" in done.output) == (2, True)


def test_a_shard_knows_its_own_devices_alone(site_file: Path) -> None:
    site = load_site(site_file)
    assert sorted(site.part("gas").devices) == ["gas-1", "gas-2", "gw-1"]
    assert sorted(site.part("streets").devices) == ["dock-1", "drone-1", "pole-1", "truck-1", "wim-1"]
    assert site.part("streets").device_of("HJ212", "MN0001") == site.devices["pole-1"]
    assert site.part("gas").device_of("HJ212", "MN0001") is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "the site has the shards gas, streets: name one by --shard"),
        (["--shard", "west"], "the site has no shard 'west'; it has gas, streets"),
    ],
)
def test_a_collector_of_a_divided_site_must_be_named(
    tmp_path: Path, site_file: Path, options: list[str], sentence: str
) -> None:
    one = Collector(site_file, tmp_path / "var")
    one.options(*options)
    one.start()
    assert one.ended() == 1
    assert sentence in one.log
