"""A site of two shards: `citydeck up` runs a collector of each, and the cockpit shows the one city of both."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cockpit.town import Town
from tests.sites import small_site_text

SHARDS = """
[shards.gas]
subscriptions = ["city/v1/demo/gas_alarm/#", "city/v1/demo/gateway/#"]
[shards.streets]
subscriptions = ["city/v1/demo/light_pole/#", "city/v1/demo/drone/#", "city/v1/demo/drone_dock/#",
                 "city/v1/demo/refuse_truck/#", "city/v1/demo/bridge_wim/#"]
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town that is divided, on the embedded store."""
    with Town(tmp_path_factory.mktemp("divided"), small_site_text(tail=SHARDS)) as running:
        yield running


def test_both_shards_are_one_city(town: Town) -> None:
    """Readings of both are in the history, both count in the ledger, and quarantine names whose it is."""
    town.say("gas_alarm", "gas-1", {"conc_pct_lel": 3.0})
    town.say("light_pole", "pole-1", {"dim_pct": 40.0})
    town.send("city/v1/demo/gas_alarm/gas-2/telemetry", b"{not json")

    def value(found: dict[str, Any]) -> bool:
        return bool(found["points"])

    gas = town.until("/api/v1/devices/gas-1/series", value, field="conc_pct_lel", step="0")
    pole = town.until("/api/v1/devices/pole-1/series", value, field="dim_pct", step="0")
    assert [point[1] for point in gas["points"]] == [3.0]
    assert [point[1] for point in pole["points"]] == [40.0]

    def of_the_city(found: dict[str, Any]) -> dict[str, int]:
        # A watchdog's message of each shard may have come, too.
        return {kind: row["messages"]["journaled"] for kind, row in found["kinds"].items() if kind != "collector"}

    ledger = town.until("/api/v1/ledger", lambda found: sum(of_the_city(found).values()) >= 3)
    assert of_the_city(ledger) == {"gas_alarm": 2, "light_pole": 1}
    beats = sum(row["messages"]["journaled"] for kind, row in ledger["kinds"].items() if kind == "collector")
    shards = {name: shard["messages"]["journaled"] for name, shard in ledger["shards"].items()}
    assert sum(shards.values()) == 3 + beats and shards["gas"] >= 2 and shards["streets"] >= 1
    groups = town.until("/api/v1/quarantine", lambda found: found["items"])["items"]
    assert [(group["shard"], group["reason"], group["device"]) for group in groups] == [("gas", "json", "gas-2")]

    # Devices are written to the database once a minute.
    def devices(found: dict[str, Any]) -> list[tuple[str, str, str]]:
        return [(row["shard"], row["kind"], row["device"]) for row in found["items"] if row["kind"] != "collector"]

    rows = town.until("/api/v1/ledger/devices", devices, shard="streets", patience_s=120)
    assert devices(rows) == [("streets", "light_pole", "pole-1")]
    with town.client("engineer") as engineer:
        answer = engineer.post("/api/v1/bench/recordings", json={"minutes": 60})
        assert answer.status_code == 201, answer.text
        names = answer.json()["names"]
        assert [name.partition("min-")[2] for name in names] == ["gas.cdrec", "streets.cdrec"]
        found = {each["name"]: each for each in engineer.get("/api/v1/bench/sources").json()["recordings"]}
    # Watchdogs' messages are recorded, too.
    assert [least <= found[name]["messages"] <= least + 10 for name, least in zip(names, (2, 1), strict=True)] == [
        True,
        True,
    ]
