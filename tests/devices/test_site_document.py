"""Site files that build on another one: what is merged, and the ways a base can be wrong."""

from pathlib import Path

import pytest

from devices.errors import SiteFault
from devices.site_document import DEMO_SITE, site_files
from devices.site_file import load_site
from tests.devices.small_city import SITE, SITE_FILE


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(SiteFault) as refused:
        load_site(path)
    return [str(fault) for fault in refused.value.faults]


def test_a_site_says_only_what_differs_from_its_base(tmp_path: Path) -> None:
    text = f"""
        base = '{SITE_FILE}'
        [broker]
        url = "mqtts://broker.example:8883"
        [site]
        name = {{en = "Smaller City"}}
        [[devices]]
        id = "gas-9"
        kind = "gas_alarm"
        street = "s02"
        """
    site = load_site(written(tmp_path / "own.toml", text))
    assert site.broker.url == "mqtts://broker.example:8883"
    assert site.broker.subscriptions == SITE.broker.subscriptions
    assert (site.label.zh, site.label.en) == ("小城", "Smaller City")
    assert set(site.devices) == {*SITE.devices, "gas-9"}
    assert site.districts == SITE.districts


def test_limits_of_the_base_stay_beside_those_of_the_site(tmp_path: Path) -> None:
    base = SITE_FILE.read_text(encoding="utf-8") + "[limits.gas_alarm.conc_pct_lel]\nlevels = [10, 20]\n"
    written(tmp_path / "base.toml", base)
    own = 'base = "base.toml"\n[limits.gas_alarm.conc_ppm.co]\nlevels = [20, 100]\n'
    kind = load_site(written(tmp_path / "own.toml", own)).catalog.kinds["gas_alarm"]
    found = {key: [level.value for level in kind.field(key).limits[0].levels] for key in ("conc_pct_lel", "conc_ppm")}
    assert found == {"conc_pct_lel": [10, 20], "conc_ppm": [20, 100]}


def test_a_list_that_holds_no_tables_replaces_that_of_the_base(tmp_path: Path) -> None:
    own = f"base = '{SITE_FILE}'\n[broker]\nsubscriptions = ['city/v1/demo/#']\n"
    assert load_site(written(tmp_path / "own.toml", own)).broker.subscriptions == ("city/v1/demo/#",)


def test_paths_are_those_of_the_file_they_stand_in(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    written(tmp_path / "map.geojson", "{}")
    written(tmp_path / "more.csv", "id,kind,street\ngas-9,gas_alarm,s01\n")
    text = SITE_FILE.read_text(encoding="utf-8").replace("[site]\n", '[site]\nbasemap = "map.geojson"\n', 1)
    written(tmp_path / "base.toml", f'devices_file = "more.csv"\n{text}')
    site = load_site(written(tmp_path / "below" / "own.toml", 'base = "../base.toml"\n'))
    assert site.basemap == tmp_path / "map.geojson"
    assert "gas-9" in site.devices


def test_the_demo_city_may_be_a_base(tmp_path: Path) -> None:
    site = load_site(written(tmp_path / "own.toml", 'base = "demo"\n[simulation]\nrun = false\n'))
    assert site.simulation.run is False
    assert set(site.devices) == set(load_site().devices)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("base = 5", 'base: expected "demo" or the path of a site file, found 5'),
        ('base = ""', "base: expected \"demo\" or the path of a site file, found ''"),
        ('base = "own.toml"', "base: 'own.toml' builds on this file itself"),
        ('base = "other.toml"', "base: 'own.toml' builds on this file itself"),
        ('base = "nowhere.toml"', "file: cannot be read: No such file or directory"),
        ("base = ", "file: is not TOML: Invalid value (at end of document)"),
    ],
)
def test_a_wrong_base_is_one_fault(text: str, fault: str, tmp_path: Path) -> None:
    written(tmp_path / "other.toml", 'base = "own.toml"')
    assert faults(written(tmp_path / "own.toml", text)) == [fault]


def test_the_files_of_a_site_are_those_it_names_and_builds_on(tmp_path: Path) -> None:
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "b.py").touch()
    (tmp_path / "kinds" / "notes.txt").touch()
    (tmp_path / "one.toml").write_text('base = "two.toml"\ndevices_file = "d.csv"\n[site]\nkinds = "kinds"\n')
    (tmp_path / "two.toml").write_text('base = "demo"\n[site]\nroutes = "r.geojson"\nbasemap = "r.geojson"\n')
    names = ["one.toml", "d.csv", "kinds/b.py", "two.toml", "r.geojson"]
    assert site_files(tmp_path / "one.toml") == [tmp_path / name for name in names]
    assert site_files(DEMO_SITE) == []


def test_the_files_of_a_site_that_builds_on_itself_are_not_sought_for_ever(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('base = "two.toml"\n')
    (tmp_path / "two.toml").write_text('base = "one.toml"\n')
    with pytest.raises(SiteFault, match=r"base: 'one.toml' builds on this file itself"):
        site_files(tmp_path / "one.toml")
