"""What happens to a device itself is a reading each, kept with the alarms, on both databases."""

from collections.abc import Sequence
from typing import Any

import pytest

from devices.site import Site
from ingest.alarms import occurrences
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.device_health import KEPT_DAYS, forget, history
from tests.ingest.alarms.feeding import T0, message, records, status, ticks, transitions
from tests.sites import small_site

Said = tuple[float, str, bytes]
DAY_S = 86_400


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return the small town with a lamp more, which hangs on the gateway gw-1."""
    lamp = '[[devices]]\nid = "pole-2"\nkind = "light_pole"\nstreet = "s01"\nparent = "gw-1"'
    return small_site(tmp_path_factory.mktemp("town"), tail=lamp)


def keep(database: AlarmDatabase, site: Site, said: Sequence[Said]) -> None:
    journal = records(said)
    last = journal[-1]
    occurrences.apply(database, "main", transitions(site, journal), last.position, last.received_ms)


def told(
    database: AlarmDatabase, device: str, until_s: int = DAY_S, **page: int
) -> list[tuple[float, str, str, float]]:
    """Return a device's readings, the oldest first."""
    with database.read() as connection:
        rows: list[dict[str, Any]] = history(connection, device, T0, T0 + until_s * 1000, **{"limit": 100, **page})
    return [((row["at"] - T0) / 1000, row["what"], row["why"], row["value"]) for row in reversed(rows)]


def test_a_gateway_that_dies_and_what_hangs_on_it(database: AlarmDatabase, site: Site) -> None:
    """The last will, the silence by the kind's time, the folding below the gateway, and the way back."""
    lamp = site.catalog.kinds["light_pole"]
    assert lamp.no_data is not None
    silent_s = round(lamp.no_data.after_s)
    back_s = silent_s + 100
    keep(
        database,
        site,
        [
            message(0, "gateway", "gw-1", {"uptime_s": 1}),
            message(0, "light_pole", "pole-2", {"dim_pct": 80}),
            status(5, "gateway", "gw-1", "offline"),
            message(back_s, "gateway", "gw-1", {"uptime_s": 1}),
            message(back_s + 10, "light_pole", "pole-2", {"dim_pct": 80}),
            *ticks(0, back_s + 20),
        ],
    )
    assert told(database, "gw-1") == [(5, "online", "last_will", 0), (back_s, "online", "", 1)]
    assert told(database, "pole-2") == [
        (silent_s, "folded", "gw-1", 1),
        (lamp.stale_after_s, "online", "stale_after", 0),
        (back_s + 10, "folded", "", 0),
        (back_s + 10, "online", "", 1),
    ]
    assert told(database, "gas-2", silent_s) == [], "never heard, so it did not fall silent"


def test_a_silence_that_is_its_own_again_is_no_longer_folded(database: AlarmDatabase, site: Site) -> None:
    lamp = site.catalog.kinds["light_pole"]
    assert lamp.no_data is not None
    silent_s = round(lamp.no_data.after_s)
    back_s = silent_s + 100
    alive = [
        message(second, "gateway", "gw-1", {"uptime_s": 1}) for second in range(back_s, back_s + silent_s + 60, 20)
    ]
    keep(
        database,
        site,
        [
            message(0, "gateway", "gw-1", {"uptime_s": 1}),
            message(0, "light_pole", "pole-2", {"dim_pct": 80}),
            status(5, "gateway", "gw-1", "offline"),
            *alive,
            *ticks(0, back_s + silent_s + 60),
        ],
    )
    folds = [(at_s, why, value) for at_s, what, why, value in told(database, "pole-2") if what == "folded"]
    assert folds == [(silent_s, "gw-1", 1), (back_s + silent_s, "", 0)]


def test_skipped_numbers_and_a_fast_clock(database: AlarmDatabase, site: Site) -> None:
    def said(at_s: float, seq: int, **more: float) -> Said:
        return message(at_s, "light_pole", "pole-1", {"dim_pct": 5}, seq=seq, **more)

    keep(database, site, [said(1, 1), said(2, 5), said(70, 6, ts_s=70 + 900), said(80, 7), *ticks(0, 90)])
    found = told(database, "pole-1")
    assert [(what, value) for _, what, _, value in found] == [
        ("seq_gap", 3), ("clock_skew_s", 900), ("clock_skew_s", 0),
    ]  # fmt: skip
    assert told(database, "pole-1", limit=1) == found[-1:], "the newest first"
    assert told(database, "pole-1", limit=2, offset=1) == found[:2]


def test_old_readings_go(database: AlarmDatabase, site: Site) -> None:
    keep(database, site, [message(0, "gateway", "gw-1", {"uptime_s": 1}), status(5, "gateway", "gw-1", "offline")])
    forget(database, T0 + 5_000 + KEPT_DAYS * DAY_S * 1000)
    assert len(told(database, "gw-1")) == 1
    forget(database, T0 + 5_001 + KEPT_DAYS * DAY_S * 1000)
    assert told(database, "gw-1") == []
