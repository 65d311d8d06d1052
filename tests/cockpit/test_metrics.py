"""`/metrics` of the cockpit: figures of real collectors equal the ledger, and who may read them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cockpit.metrics import STALE_MS, CityFigures, CityMetrics
from tests.cockpit.town import Town
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import wait_until
from tests.sites import small_site_text

GAS = {"conc_pct_lel": 3.0, "state": 0}
TOTALS = ("received", "journaled", "decoded", "duplicate")
NO_FIGURES = CityFigures(0, {}, {})


def parsed(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return every sample by name and labels; a family or sample that comes twice fails."""
    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    types = [line for line in text.splitlines() if line.startswith("# TYPE ")]
    assert len(types) == len(set(types)) == len(families)
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in families:
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, key
            found[key] = sample.value
    return found


class Scrape:
    """One answer of /metrics, asked by name and labels."""

    def __init__(self, text: str) -> None:
        self.samples = parsed(text)

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, frozenset(labels.items())))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town on a real mosquitto, whose site is no demo: metrics are not open to everybody."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / "broker").mkdir()
    broker = Mosquitto(folder / "broker")
    broker.start()
    town = Town(folder, small_site_text(broker=f"mqtt://127.0.0.1:{broker.port}"), simulated=False)
    town.mqtt_port = broker.port
    before = os.environ.get("CITYDECK_METRICS_TOKEN")
    os.environ["CITYDECK_METRICS_TOKEN"] = "令牌-42"
    try:
        with town:
            yield town
    finally:
        if before is None:
            del os.environ["CITYDECK_METRICS_TOKEN"]
        else:
            os.environ["CITYDECK_METRICS_TOKEN"] = before
        broker.stop()


def scrape(town: Town) -> Scrape:
    answer = httpx.get(f"{town.address}/metrics", headers={"Authorization": "Bearer 令牌-42".encode()}, timeout=20)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return Scrape(answer.text)


def quarantined(told: Scrape) -> dict[str, float]:
    """Return how many messages there are of each reason."""
    name = "citydeck_messages_quarantined_total"
    return {dict(labels)["reason"]: count for (each, labels), count in told.samples.items() if each == name}


def test_figures_equal_the_ledger(watched: Town) -> None:
    """What was published is told by /metrics as the ledger counts it: decoded, repeats, quarantine by reason."""
    for _ in range(5):
        watched.say("gas_alarm", "gas-1", GAS)
    for _ in range(2):
        watched.say("gas_alarm", "gas-2", GAS, id="same")
    watched.send("city/v1/demo/gas_alarm/gas-1/telemetry", b"{not json")
    watched.send("city/v1/demo/nonsense/x-1/telemetry", b"{}")
    ledger: dict[str, Any] = watched.until("/api/v1/ledger", lambda found: found["messages"]["journaled"] >= 9)
    ledger = watched.until(
        "/api/v1/ledger",
        lambda found: found["messages"]["quarantined"] == 2 and found["readings"]["waiting"] == 0,
    )

    def equal() -> Scrape | None:
        nonlocal ledger
        # A watchdog's message may come between any two looks.
        ledger, told = watched.get("/api/v1/ledger"), scrape(watched)
        messages = all(
            told(f"citydeck_messages_{key}_total", shard="main") == ledger["messages"][key] for key in TOTALS
        )
        readings = all(
            told(f"citydeck_readings_{key}_total", shard="main") == ledger["readings"][key]
            for key in ("produced", "stored", "refused")
        )
        return told if messages and readings and sum(quarantined(told).values()) == 2 else None

    told = wait_until(equal, 30, 0.2)
    assert ledger["messages"]["duplicate"] == 1
    assert len(quarantined(told)) == 2
    assert told("citydeck_collector_up", shard="main") == 1
    assert told("citydeck_broker_connected", shard="main") == 1
    assert told("citydeck_journal_batch_messages_sum", shard="main") == ledger["messages"]["journaled"]
    for hop in ("received_to_journaled", "journaled_to_judged", "journaled_to_stored"):
        assert told(f"citydeck_{hop}_seconds_count", shard="main"), hop
    assert told("citydeck_journal_append_seconds_count", shard="main")
    assert told("citydeck_journal_bytes", shard="main")
    assert told("process_resident_memory_bytes", shard="main") and told("process_resident_memory_bytes")
    assert told("citydeck_request_seconds_count", method="GET", route="/api/v1/ledger", status="2xx")
    assert told("citydeck_live_messages_total", topic="metrics")
    assert told("citydeck_devices", kind="gas_alarm", state="total") == 2


def test_an_alarm_is_a_commit(watched: Town) -> None:
    """The transaction of an alarm is measured."""
    watched.say("gas_alarm", "gas-1", {"conc_pct_lel": 60.0, "state": 2})
    watched.alarm("gas-1")
    wait_until(lambda: scrape(watched)("citydeck_alarm_commit_seconds_count", shard="main"), 30, 0.2)


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", "Basic 42", "Bearer \xff\xfe"])
def test_a_stranger_reads_no_metrics(watched: Town, token: str) -> None:
    """Without log-in or token: 401, a problem with a sentence, and how to authenticate."""
    answer = httpx.get(f"{watched.address}/metrics", headers={"Authorization": token.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "CITYDECK_METRICS_TOKEN" in answer.json()["detail"]
    assert "citydeck_" not in answer.text


def test_any_session_reads_metrics(watched: Town) -> None:
    """Every logged-in user may."""
    with watched.client("viewer") as client:
        assert "citydeck_collector_up" in client.get("/metrics").text


def test_a_demo_is_open(tmp_path: Path) -> None:
    """On simulated figures nothing is secret."""
    with Town(tmp_path, small_site_text(head="simulated = true")) as town:
        assert "citydeck_collector_up" in httpx.get(f"{town.address}/metrics").text


def test_shards_share_a_family() -> None:
    """Two collectors give one family with a label each, and one HELP and TYPE."""
    metrics = CityMetrics(("north", "south"))
    text = "# HELP citydeck_x_total words\n# TYPE citydeck_x_total counter\ncitydeck_x_total {}\n"
    metrics.hear("north", text.format(3), 1_000)
    metrics.hear("south", text.format(4), 1_000)
    told = Scrape(metrics.text(NO_FIGURES, 2_000))
    assert (told("citydeck_x_total", shard="north"), told("citydeck_x_total", shard="south")) == (3, 4)
    assert told("citydeck_collector_up", shard="north") == told("citydeck_collector_up", shard="south") == 1


def test_a_silent_shard_is_down_and_nothing_else() -> None:
    """After 15 s nothing of a collector is told but that it is down; one never heard is down too."""
    metrics = CityMetrics(("north", "south"))
    metrics.hear("north", "# TYPE citydeck_x gauge\ncitydeck_x 3\n", 1_000)
    fresh = Scrape(metrics.text(NO_FIGURES, 1_000 + STALE_MS))
    assert fresh("citydeck_x", shard="north") == 3
    assert fresh("citydeck_collector_up", shard="south") == 0
    stale = Scrape(metrics.text(NO_FIGURES, 1_001 + STALE_MS))
    assert stale("citydeck_x", shard="north") is None
    assert stale("citydeck_collector_up", shard="north") == 0


@pytest.mark.parametrize("text", ["citydeck_x{", "citydeck_x three\n", '# TYPE citydeck_x gauge\ncitydeck_x{a="1} 1\n'])
def test_unreadable_metrics_cost_only_their_shard(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be read makes that collector down, in one sentence; the other one is told."""
    metrics = CityMetrics(("north", "south"))
    metrics.hear("north", text, 1_000)
    metrics.hear("south", "# TYPE citydeck_x gauge\ncitydeck_x 3\n", 1_000)
    told = Scrape(metrics.text(NO_FIGURES, 2_000))
    assert told("citydeck_collector_up", shard="north") == 0
    assert told("citydeck_x", shard="south") == 3
    assert "metrics of collector 'north' cannot be read" in caplog.text


def test_shards_of_two_versions_do_not_mix_types() -> None:
    """A name that means another type in a second collector is left out there, so that the answer stays valid."""
    metrics = CityMetrics(("north", "south"))
    metrics.hear("north", "# TYPE citydeck_x gauge\ncitydeck_x 3\n", 1_000)
    metrics.hear("south", '# TYPE citydeck_x histogram\ncitydeck_x_bucket{le="+Inf"} 1\n', 1_000)
    told = Scrape(metrics.text(NO_FIGURES, 2_000))
    assert told("citydeck_x", shard="north") == 3
    assert told("citydeck_x_bucket", shard="south", le="+Inf") is None
