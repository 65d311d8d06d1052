"""How long a site keeps what: the times it says, the ones it leaves out, and those that cannot be promised."""

from pathlib import Path

import pytest

from devices.errors import SiteFault
from devices.site import Keep, Site
from devices.site_file import load_site
from tests.sites import small_site_text

TIME = 'expected a time such as "90d" or "2y", up to "100y", found '


def site_with(folder: Path, tail: str) -> Site:
    text = small_site_text()
    assert 'retention = "100y"\n' in text
    (folder / "site.toml").write_text(text.replace('retention = "100y"\n', f"{tail}\n"), encoding="utf-8")
    return load_site(folder / "site.toml")


def faults_of(folder: Path, tail: str) -> list[str]:
    with pytest.raises(SiteFault) as fault:
        site_with(folder, tail)
    return [str(found) for found in fault.value.faults]


def test_what_is_left_out_is_the_usual(tmp_path: Path) -> None:
    site = site_with(tmp_path, "")
    assert site.store.kept("gas_alarm", True) == Keep(90, 730)
    assert site.store.kept("wim_pass", False) == Keep(730, 730)
    assert site.journal_days == 7


def test_a_site_says_its_own_times(tmp_path: Path) -> None:
    site = site_with(
        tmp_path,
        'retention = "30d"\nretention_1m = "1y"\n'
        '[store.keep.gas_alarm]\nraw = "1y"\nminute = "5y"\n'
        '[store.keep.light_pole]\nraw = "7d"\n'
        '[store.keep.gateway]\nraw = "3y"\n'
        '[store.keep.pole_env]\nminute = "40d"\n'
        '[store.keep.wim_pass]\nraw = "1y"\nminute = "5y"\n'
        '[store.keep.bin_lift]\nraw = "30d"\n'
        '[store.keep.device_status]\nraw = "10d"\n'
        '[journal]\nkeep = "2d"\n[alarms]\nkeep = "forever"\n',
    )
    kept = {key: site.store.kept(key, m.sampled) for key, (_, m) in site.catalog.measurements.items()}
    assert kept["drone"] == Keep(30, 365)
    assert kept["gas_alarm"] == Keep(365, 1825)
    assert kept["light_pole"] == Keep(7, 365)
    assert kept["gateway"] == Keep(1095, 1095), "minutes stay at least as long as what they sum up"
    assert kept["pole_env"] == Keep(30, 40)
    assert kept["wim_pass"] == Keep(1825, 1825), "a passage is a record: the longer of two times counts"
    assert kept["bin_lift"] == Keep(30, 30)
    assert site.store.kept("device_status", False) == Keep(10, 10)
    assert site.journal_days == 2


def test_a_long_time_for_raw_readings_lengthens_that_of_minutes(tmp_path: Path) -> None:
    assert site_with(tmp_path, 'retention = "5y"').store.kept("drone", True) == Keep(1825, 1825)


MISTAKES = {
    "no number": ('retention_1m = "long"', [f"store.retention_1m: {TIME}'long'"]),
    "a bare number": ("retention = 90", [f"store.retention: {TIME}90"]),
    "no days": ('[journal]\nkeep = "0d"', [f"journal.keep: {TIME}'0d'"]),
    "more than a century": ('retention_1m = "101y"', [f"store.retention_1m: {TIME}'101y'"]),
    "minutes shorter than raw": (
        'retention = "90d"\nretention_1m = "30d"',
        ["store.retention_1m: '30d' is shorter than store.retention"],
    ),
    "own minutes shorter than own raw": (
        '[store.keep.drone]\nraw = "1y"\nminute = "90d"',
        ["store.keep.drone.minute: '90d' is shorter than the raw readings are kept"],
    ),
    "own minutes shorter than usual raw": (
        '[store.keep.drone]\nminute = "30d"',
        ["store.keep.drone.minute: '30d' is shorter than the raw readings are kept"],
    ),
    "mistyped measurement": (
        '[store.keep.wim_pas]\nraw = "1y"',
        ["store.keep.wim_pas: is not a measurement; did you mean 'wim_pass'?"],
    ),
    "mistyped key": (
        '[store.keep.wim_pass]\nrow = "1y"',
        ["store.keep.wim_pass.row: is not a setting; known are minute, raw"],
    ),
    "no table": ('keep = "1y"', ["store.keep: expected tables [store.keep.MEASUREMENT], found '1y'"]),
    "no table of a measurement": (
        'keep.wim_pass = "1y"',
        ['store.keep.wim_pass: expected raw = "…" and minute = "…", found \'1y\''],
    ),
    "mistyped setting": (
        'retention_1min = "1y"',
        ["store.retention_1min: is not a setting; did you mean 'retention_1m'?"],
    ),
    "alarms shorter than the law": (
        '[alarms]\nkeep = "90d"',
        ["alarms.keep: '90d' is too short: 等级保护 asks for audit and alarm records of at least 180d"],
    ),
    "alarms that would be deleted": (
        '[alarms]\nkeep = "2y"',
        ["alarms.keep: alarms and audit are never deleted, so '2y' would not come true; expected \"forever\""],
    ),
    "alarms without a time": ("[alarms]\nkeep = 7", [f"alarms.keep: {TIME}7"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_what_cannot_be_promised_is_refused(name: str, tmp_path: Path) -> None:
    tail, expected = MISTAKES[name]
    assert faults_of(tmp_path, tail) == expected


def test_a_far_fetched_measurement_gets_the_list(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, '[store.keep.xyz]\nraw = "1y"')
    assert fault.startswith("store.keep.xyz: is not a measurement; known are bin_lift, device_status, drone, ")


def test_all_is_told_at_once(tmp_path: Path) -> None:
    tail = 'retention = "x"\n[store.keep.drone]\nraw = "y"\nminute = "z"\n[journal]\nkeep = 1\n[alarms]\nkeep = "1d"'
    assert [fault.partition(":")[0] for fault in faults_of(tmp_path, tail)] == [
        "store.retention", "store.keep.drone.raw", "store.keep.drone.minute", "journal.keep", "alarms.keep",
    ]  # fmt: skip
