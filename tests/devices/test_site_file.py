"""Site files with mistakes: each kind of mistake once, with the place and the sentence; and several at once."""

import re
from pathlib import Path

import pytest

from devices.errors import Fault, SiteFault
from devices.site_file import load_site
from tests.devices.site_mistakes import MISTAKES
from tests.devices.small_city import SITE, SITE_FILE

TEXT = SITE_FILE.read_text(encoding="utf-8")


def faults(tmp_path: Path, text: str) -> tuple[Fault, ...]:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SiteFault) as refused:
        load_site(file)
    return refused.value.faults


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_what_was_expected(name: str, tmp_path: Path) -> None:
    old, new, expected = MISTAKES[name]
    assert old in TEXT
    found = [str(fault) for fault in faults(tmp_path, TEXT.replace(old, new, 1))]
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        # A sentence that ends in what was found may go on; one that is whole must be found whole.
        assert line == start or (line.startswith(start) and re.search(r"(found .*|read: |kinds: )$", start)), line
    assert not any("s3cret" in line for line in found)


def test_five_mistakes_are_told_at_once_each_with_a_hint(tmp_path: Path) -> None:
    text = TEXT
    for old, new in (
        ("timezone =", "timezon ="),
        ('url = "mqtt', 'ulr = "mqtt'),
        ('kind = "gas_alarm"', 'kind = "gas_alarms"'),
        ('street = "s02"', 'street = "s2"'),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    found = faults(tmp_path, text + "[limits.gas_alarm.conc_pct_lell]\nlevels = [10, 20]\n")
    assert [str(fault) for fault in found] == [
        "site.timezon: is not a setting; did you mean 'timezone'?",
        "broker.ulr: is not a setting; did you mean 'url'?",
        "devices[1].kind: 'gas_alarms' is not a kind; did you mean 'gas_alarm'?",
        "devices[2].street: 's2' is not a street of a district; did you mean 's02'?",
        "limits.gas_alarm.conc_pct_lell: 'conc_pct_lell' has no limits; did you mean 'conc_pct_lel'?",
    ]


def test_the_exception_lists_every_fault_for_a_person() -> None:
    fault = SiteFault("site.toml", [Fault("a.b", "is wrong"), Fault("c", "too")])
    assert str(fault) == "site.toml: 2 faults\n  a.b: is wrong\n  c: too"
    assert str(SiteFault("site.toml", [Fault("a", "is wrong")])) == "site.toml: 1 fault\n  a: is wrong"


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (None, "file: cannot be read: No such file or directory"),
        (b"[site\n", "file: is not TOML: "),
        (b'name = "\xff"', "file: is not TOML: "),
    ],
    ids=["gone", "no TOML", "no UTF-8"],
)
def test_a_file_that_cannot_be_read_is_one_fault(content: bytes | None, start: str, tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SiteFault) as refused:
        load_site(file)
    (fault,) = refused.value.faults
    assert str(fault).startswith(start)


def test_an_empty_file_says_what_is_missing(tmp_path: Path) -> None:
    assert [fault.path for fault in faults(tmp_path, "")] == ["site.name", "districts"]


def test_a_kind_folder_tells_each_of_its_faults(tmp_path: Path) -> None:
    (tmp_path / "kinds").mkdir()
    for name in ("one", "two"):
        (tmp_path / "kinds" / f"{name}.py").write_text("KIND = 5")
    found = faults(tmp_path, TEXT.replace("[site]\n", '[site]\nkinds = "kinds"\n', 1))
    sentence = "expected a table KIND = Kind(…), found int"
    assert [str(fault) for fault in found] == [f"site.kinds: {name}.py: {sentence}" for name in ("one", "two")]


def test_a_device_file_has_the_same_columns_and_names_its_lines(tmp_path: Path) -> None:
    rows = (
        "\ufeffid,kind,street,lat,parent,installed\n"
        "gas-1,gas_alarm,s01,30.3,,\n"
        "\n"
        "gas-2,gas_alarm,s09,91,gas-1,2025-02-30\n"
        "gas-1,gas_alarm,s01,,,,surplus\n"
    )
    (tmp_path / "more.csv").write_text(rows, encoding="utf-8")
    found = faults(tmp_path, f'devices_file = "more.csv"\n{TEXT}')
    assert [fault.path for fault in found] == [
        "more.csv line 4.street",
        "more.csv line 4.lat",
        "more.csv line 4.installed",
        "more.csv line 5.None",
    ]


def test_a_sound_file_is_read_whole() -> None:
    gas = SITE.devices["gas-0042"]
    assert (gas.kind, gas.district, gas.street, gas.grid, gas.parent) == (
        "gas_alarm",
        "demo",
        "s01",
        "s01-01",
        "gw-s01",
    )
    assert (gas.lat, gas.lon, gas.responsible) == (30.31, 120.11, "unit-gas-1")
    assert [str(day) for day in (gas.installed, gas.expires)] == ["2025-03-01", "2030-03-01"]
    assert SITE.devices["pole-0007"].fitted == ("pole_env",)
    assert (SITE.label.zh, SITE.label.en, str(SITE.timezone)) == ("小城", "Small City", "Asia/Shanghai")
    assert (SITE.store.raw_days, SITE.store.embedded, SITE.broker.embedded) == (30, False, False)
    assert (SITE.simulation.run, SITE.simulation.speed, SITE.simulation.seed) == (False, 2.0, 7)
    assert (SITE.simulated, SITE.alarm_database, SITE.district) == (False, "embedded", "demo")
    assert SITE.streets["s01"].polygon == ((120.1, 30.3), (120.2, 30.3))
    found = SITE.device_of("DJI", "4TADKAQ000002J")
    assert found is SITE.devices["dock-01"]
    assert SITE.device_of("HJ212", "4TADKAQ000002J") is None


def test_what_is_left_out_is_embedded() -> None:
    demo = load_site()
    assert (demo.broker.embedded, demo.store.embedded, demo.alarm_database) == (True, True, "embedded")


def test_the_demo_city_is_as_large_as_promised() -> None:
    demo = load_site()
    found = {key: sum(1 for d in demo.devices.values() if d.kind == key) for key in demo.catalog.kinds}
    assert {key: found[key] for key in ("drone", "refuse_truck", "bridge_wim", "light_pole", "gas_alarm")} == {
        "drone": 20,
        "refuse_truck": 127,
        "bridge_wim": 12,
        "light_pole": 2000,
        "gas_alarm": 3000,
    }
    assert sum(1 for device in demo.devices.values() if "pole_env" in device.fitted) == 200
    assert len(demo.streets) == 18
    assert demo.simulated
    assert all(device.lat is not None for device in demo.devices.values() if not demo.catalog.kinds[device.kind].moving)
    poles_and_alarms = (device for device in demo.devices.values() if device.kind in ("light_pole", "gas_alarm"))
    assert all(demo.devices[device.parent].kind == "gateway" for device in poles_and_alarms if device.parent)
