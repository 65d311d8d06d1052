"""The collector's own alarms have a name in both languages, though it is no device of the site."""

from pathlib import Path

from cockpit.board import Board
from ingest.alarms import occurrences
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.own_kind import KIND, own_device
from tests.ingest.alarms.keeping import transition
from tests.sites import small_site


def test_a_full_disk_is_told_of_the_collector(tmp_path: Path) -> None:
    database = AlarmDatabase(f"sqlite:///{tmp_path / 'alarms.db'}")
    database.migrate()
    device = own_device("north")
    rule = f"{KIND}.disk_pct.full"
    found = transition(
        "raise", 1, device=device, kind=KIND, point=f"{device}/disk_pct.full", rule=rule, field="disk_pct", value=81.5
    )
    occurrences.apply(database, "north", [found], 1, 1000)
    (alarm,) = Board(database, small_site(tmp_path)).listed("open", None, 10, 0)
    database.close()
    assert alarm["device_name"] == {"zh": "采集器 north", "en": "Collector north"}
    assert alarm["rule_name"] == {"zh": "磁盘将满", "en": "disk filling up"}
    assert (alarm["kind"], alarm["value"], alarm["street"]) == (KIND, 81.5, None)
