"""`citydeck quarantine` run on a collector's data, and what stands in the database after it."""

import subprocess
import sys

from tests.ingest.collector import ROOT, Collector
from tests.servers.influxdb import Influx


def command(collector: Collector, *words: str) -> tuple[int, str]:
    """Run ``citydeck quarantine`` on the collector's data and return its exit code and all it said."""
    options = ["--data", str(collector.data)]
    if words[0] == "retry":
        options += ["--site", str(collector.site_file)]
    done = subprocess.run(
        [sys.executable, "-m", "ingest.inspection", *words, *options],
        cwd=ROOT, env=collector.env, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def times_of(influx: Influx, device: str) -> list[int]:
    """Return the device times in InfluxDB, in ms."""
    rows = influx.rows(f"SELECT conc_pct_lel FROM gas_alarm WHERE device_id = '{device}'")
    return sorted(int(row["time"]) // 1_000_000 for row in rows)
