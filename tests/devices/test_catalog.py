"""Kind files in a folder: found without registration, refused with the file's name and what is wrong in it."""

from pathlib import Path

import pytest

from devices.catalog import OWN_KINDS, load_catalog
from devices.decode import decode
from devices.errors import KindFault
from devices.readings import Decoded
from devices.site_file import load_site
from tests.devices.small_city import NOW_MS, SITE_FILE, TOYS, readings

TOY_TEXT = (TOYS / "water_level.py").read_text(encoding="utf-8")

# One change in the toy's file, and the sentence its author reads.
BROKEN = {
    "contradiction": (
        '"Level", "m", -5, 20',
        '"Level", "m", 20, -5',
        "water_level.py: measurement water_level: field level_m: low 20 must be below high -5",
    ),
    "wrong unit": (
        '"Level", "m",',
        '"Level", "km",',
        "water_level.py: measurement water_level: field level_m: unit 'km', but the name promises 'm'",
    ),
    "key is not the file's name": (
        'KIND = Kind(\n    "water_level"',
        'KIND = Kind(\n    "river_level"',
        "water_level.py: key 'river_level' must equal the file's name",
    ),
    "no KIND": (
        "KIND = Kind(",
        "THING = Kind(",
        "water_level.py: expected a table KIND = Kind(…), found NoneType",
    ),
    "KIND is something else": (
        "KIND = Kind(",
        "KIND = dict(",
        "water_level.py: TypeError: dict expected at most 1 argument, got 3",
    ),
    "raises": ("KIND = Kind(", "1 / 0\nKIND = Kind(", "water_level.py: ZeroDivisionError: division by zero"),
    "does not compile": ("KIND = Kind(", "KIND == = Kind(", "water_level.py: SyntaxError: invalid syntax"),
    "misspelt argument": (
        "stale_after_s=300",
        "stale_after=300",
        "water_level.py: TypeError: Kind.__init__() got an unexpected keyword argument 'stale_after'. "
        "Did you mean 'stale_after_s'?",
    ),
    "text for a number": (
        "period_s=60",
        'period_s="60"',
        "water_level.py: a value has the wrong type: '<=' not supported between instances of 'str' and 'int'",
    ),
    "measurement of another kind": (
        '"lock_pass"',
        '"drone"',
        "water_level.py: the measurement 'drone' belongs to 'drone' already",
    ),
}


def folder_of(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / f"{name}.py").write_text(content, encoding="utf-8")
    return path


def refused(*folders: Path) -> list[str]:
    with pytest.raises(KindFault) as fault:
        load_catalog(folders)
    return str(fault.value).splitlines()


def test_every_file_of_the_folder_is_a_kind() -> None:
    files = {path.stem for path in OWN_KINDS.glob("*.py")} - {"__init__"}
    assert set(load_catalog().kinds) == files
    assert {"drone", "drone_dock", "refuse_truck", "bridge_wim", "light_pole", "gas_alarm"} <= files


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_one_sentence(name: str, tmp_path: Path) -> None:
    old, new, sentence = BROKEN[name]
    assert TOY_TEXT.count(old) == 1
    (line,) = refused(folder_of(tmp_path / "kinds", water_level=TOY_TEXT.replace(old, new)))
    # Python's versions add more or less behind their own message.
    assert line.startswith(sentence.partition(". Did you mean")[0])


def test_two_files_with_one_measurement(tmp_path: Path) -> None:
    again = TOY_TEXT.replace('KIND = Kind(\n    "water_level"', 'KIND = Kind(\n    "zz_level"')
    assert refused(folder_of(tmp_path / "kinds", water_level=TOY_TEXT, zz_level=again)) == [
        "zz_level.py: the measurement 'water_level' belongs to 'water_level' already",
        "zz_level.py: the measurement 'lock_pass' belongs to 'water_level' already",
    ]


def test_a_kind_that_exists_already(tmp_path: Path) -> None:
    own = (OWN_KINDS / "gateway.py").read_text(encoding="utf-8")
    assert refused(folder_of(tmp_path / "kinds", gateway=own)) == [
        "gateway.py: the kind 'gateway' stands in another file too"
    ]


def test_all_broken_files_are_told_at_once(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "kinds", a="KIND = 1", b="raise OSError('gone')", water_level=TOY_TEXT, _c="1 / 0")
    missing = tmp_path / "nowhere"
    assert refused(folder, missing) == [
        "a.py: expected a table KIND = Kind(…), found int",
        "b.py: OSError: gone",
        f"{missing}: expected a folder of kind files, found none",
    ]


@pytest.mark.parametrize(
    ("typed", "hint"),
    [("gas_alarn", "; did you mean 'gas_alarm'?"), ("drones", "; did you mean 'drone'?"), ("xyz", ""), ("", "")],
)
def test_a_mistyped_kind_gets_a_hint(typed: str, hint: str) -> None:
    assert load_catalog().suggestion(typed) == hint


def test_a_kind_is_added_by_one_file_in_a_folder_that_the_site_names(tmp_path: Path) -> None:
    folder_of(tmp_path / "kinds", water_level=TOY_TEXT)
    site_file = tmp_path / "site.toml"
    named = SITE_FILE.read_text(encoding="utf-8").replace("[site]\n", '[site]\nkinds = "kinds"\n')
    gauge = '[[devices]]\nid = "wl-1"\nkind = "water_level"\nstreet = "s01"\n'
    site_file.write_text(f"{named}\n{gauge}[limits.water_level.level_m]\nlevels = [3, 4]\n", encoding="utf-8")
    site = load_site(site_file)

    def told(topic: str, payload: bytes) -> Decoded:
        return decode(topic, payload, NOW_MS, 1, site)

    kind = site.catalog.kinds["water_level"]
    (limit,) = kind.field("level_m").limits
    assert [level.value for level in limit.levels] == [3, 4]
    assert site.devices["wl-1"].kind == "water_level"
    example = kind.examples[0]
    (reading,) = readings(told(example.topic, example.payload))
    assert (reading.measurement, reading.values) == ("water_level", {"level_m": 4.0, "gate": 1.0})
    assert reading.tags == {"river": "Toy"}
    passage = b'{"ts":1767225600123,"data":{"pass_id":"ship-1","width_m":9}}'
    (reading,) = readings(told("city/v1/demo/water_level/wl-1/event", passage))
    assert (reading.measurement, reading.values) == ("lock_pass", {"pass_id": "ship-1", "width_m": 9.0})
    assert told("city/v1/demo/water_level/wl-1/status", b"offline").status is False


def test_a_catalog_of_one_site_does_not_leak_into_another() -> None:
    assert "water_level" in load_catalog([TOYS]).kinds
    assert "water_level" not in load_catalog().kinds
