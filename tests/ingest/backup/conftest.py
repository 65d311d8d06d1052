"""One small town with its backup for all tests of backup and restore."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from devices.site import Site
from devices.site_file import load_site
from ingest.places import Places
from tests.ingest.backup.keeping import backed_up, closing_database, fill
from tests.ingest.collector import ROOT
from tests.sites import small_site_text


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return ``etc`` with a site file that builds on others, and ``data`` as collectors leave it; nobody changes it."""
    folder = tmp_path_factory.mktemp("town")
    common = folder / "etc" / "common"
    common.mkdir(parents=True)
    (common / "base.toml").write_text(small_site_text(head='routes = "routes.geojson"'), encoding="utf-8")
    (common / "routes.geojson").write_text('{"type":"FeatureCollection","features":[]}', encoding="utf-8")
    kind = (ROOT / "devices" / "kinds" / "gateway.py").read_text(encoding="utf-8").replace('"gateway"', '"own_gateway"')
    (folder / "etc" / "my_kinds").mkdir()
    (folder / "etc" / "my_kinds" / "own_gateway.py").write_text(kind, encoding="utf-8")
    (folder / "etc" / "more.csv").write_text("id,kind,street\nown-1,own_gateway,s01\n", encoding="utf-8")
    (folder / "etc" / "city.toml").write_text(
        'base = "common/base.toml"\ndevices_file = "more.csv"\n[site]\nkinds = "my_kinds"\n', encoding="utf-8"
    )
    site, places = load_site(folder / "etc" / "city.toml"), Places(folder / "data")
    fill(places, site, 30, None)
    fill(places, site, 7, "north")
    with closing_database(places.alarms) as database:
        database.migrate()
    with closing(sqlite3.connect(places.data / "users.db")) as users:
        users.execute("CREATE TABLE who (name TEXT)")
        users.execute("INSERT INTO who VALUES ('officer')")
        users.commit()
    (places.data / "secret").write_bytes(b"s3cret")
    (places.data / "notes").mkdir()
    (places.data / "notes" / "about.txt").write_bytes(os.urandom(70_000))
    for name in ("collector.lock", "secret-x1", ".hidden", "old.tar.gz.partial"):
        (places.data / name).write_bytes(b"left out")
    backed_up(site, places, folder / "city.tar.gz")
    return folder


@pytest.fixture
def site(town: Path) -> Site:
    return load_site(town / "etc" / "city.toml")


@pytest.fixture
def places(town: Path, tmp_path: Path) -> Places:
    """Return a copy of the data folder, to be changed."""
    shutil.copytree(town / "data", tmp_path / "data")
    return Places(tmp_path / "data")


@pytest.fixture
def file(town: Path) -> Path:
    """Return a whole backup; nobody changes it."""
    return town / "city.tar.gz"
