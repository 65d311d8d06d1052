"""What a cockpit that was killed left of an exercise is reported on by the next one, and cleared away."""

from pathlib import Path

from cockpit.bench.sources import Sources
from cockpit.drill.desk import Drills
from devices.site import Site
from ingest.alarms.audit import Actor
from ingest.alarms.database import AlarmDatabase
from ingest.drills import records
from ingest.drills.records import About
from ingest.places import Places
from tests.ingest.alarms.keeping import keep, transition
from tests.sites import small_site

BEGUN = 1_000
ABOUT = About(name={"zh": "甲", "en": "A"}, description={"zh": "甲", "en": "A"}, lasts_s=60, played_from=BEGUN)


def opened(path: Path) -> AlarmDatabase:
    path.parent.mkdir(parents=True, exist_ok=True)
    database = AlarmDatabase(f"sqlite:///{path}")
    database.migrate()
    return database


def left_behind(site: Site, places: Places, database: AlarmDatabase) -> Drills:
    """Begin the desk of a cockpit where two folders lie: of an exercise, and of none that is known."""
    records.begin(database, "ab12", "gas_leak", ABOUT, "", Actor("leader", "leader"), BEGUN)
    city = opened(places.drills / "ab12" / "city" / "alarms.db")
    keep(city, transition("raise", 10, level=2))
    city.close()
    (places.drills / "ffff").mkdir()
    drills = Drills(site, places, database, Sources(site, places), lambda: BEGUN + 5_000)
    drills.begin()
    return drills


def test_a_killed_cockpit_leaves_a_report(tmp_path: Path) -> None:
    site, places = small_site(tmp_path), Places(tmp_path / "var")
    database = opened(places.alarms)
    drills = left_behind(site, places, database)
    found = drills.one("ab12")
    assert (found["outcome"], found["running"], found["city"]) == ("cut_off", False, None)
    assert [line["device"] for line in found["report"]["alarms"]] == ["gas-1"]
    assert found["report"]["score"]["points"] is None
    assert list(places.drills.iterdir()) == []
    drills.close()
    database.close()


def test_what_cannot_be_kept_now_stays_to_be_kept_later(tmp_path: Path) -> None:
    """The city's database is damaged: its folder is not thrown away, and the record says that it was cut off later."""
    site, places = small_site(tmp_path), Places(tmp_path / "var")
    database = opened(places.alarms)
    records.begin(database, "ab12", "gas_leak", ABOUT, "", Actor("leader", "leader"), BEGUN)
    damaged = places.drills / "ab12" / "city" / "alarms.db"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"no database" * 100)
    drills = Drills(site, places, database, Sources(site, places), lambda: BEGUN + 5_000)
    drills.begin()
    assert (damaged.exists(), drills.one("ab12")["running"]) == (True, True)
    drills.close()
    database.close()
