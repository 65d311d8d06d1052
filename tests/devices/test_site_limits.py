"""A site's own thresholds: stricter is welcome, looser than a cap is not, and every mistake has its place."""

from pathlib import Path

import pytest

from devices.catalog import load_catalog
from devices.errors import SiteFault
from devices.kind import Limit
from devices.site_file import load_site
from tests.devices.small_city import SITE_FILE

GAS = "limits.gas_alarm.conc_pct_lel"
LEAK = "limits.light_pole.leak_ma"
CO = "limits.gas_alarm.conc_ppm.co"
KNOWN = "known are days, deadband, grade, holidays, hours, levels, off_s, on_s, priorities, source, unit"


def site_with(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(f"{SITE_FILE.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")
    return file


def limit_of(path: Path, kind: str, field: str, key: str) -> Limit:
    (limit,) = (limit for limit in load_site(path).catalog.kinds[kind].field(field).limits if limit.key == key)
    return limit


# what the site file says → every fault
MISTAKES: dict[str, tuple[str, tuple[str, ...]]] = {
    "unknown kind": (
        "[limits.gas_alarn.conc_pct_lel]\nlevels = [10, 20]",
        ("limits.gas_alarn: 'gas_alarn' is not a kind; did you mean 'gas_alarm'?",),
    ),
    "kind no table": ("[limits]\ngas_alarm = 5", ("limits.gas_alarm: expected a table of fields, found 5",)),
    "unknown field": (
        "[limits.gas_alarm.conc_lel]\nlevels = [10, 20]",
        ("limits.gas_alarm.conc_lel: 'conc_lel' has no limits; did you mean 'conc_pct_lel'?",),
    ),
    "field without limits": (
        "[limits.gas_alarm.batt_v]\nlevels = [1]",
        ("limits.gas_alarm.batt_v: 'batt_v' has no limits; fields with limits are conc_pct_lel, conc_ppm, state",),
    ),
    "field no table": (
        "[limits.gas_alarm]\nconc_pct_lel = 20",
        (f"{GAS}: expected a table, found 20",),
    ),
    "which of two limits": (
        "[limits.light_pole.supply_v]\nlevels = [200]",
        ("limits.light_pole.supply_v.levels: expected one of the limits low, high",),
    ),
    "unknown limit": (
        "[limits.light_pole.supply_v.lo]\nlevels = [200]",
        ("limits.light_pole.supply_v.lo: expected one of the limits low, high",),
    ),
    "unknown setting": (f"[{GAS}]\nlevel = 20", (f"{GAS}.high.level: is not a setting of a limit; {KNOWN}",)),
    "latch cannot be taken away": (
        f"[{GAS}]\nlatch = false",
        (f"{GAS}.high.latch: is not a setting of a limit; {KNOWN}",),
    ),
    "one number of two": (f"[{GAS}]\nlevels = [20]", (f"{GAS}.high.levels: expected 2 numbers, found [20]",)),
    "levels no list": (f"[{GAS}]\nlevels = 20", (f"{GAS}.high.levels: expected 2 numbers, found 20",)),
    "level no number": (
        f'[{GAS}]\nlevels = [10, "20"]',
        (f"{GAS}.high.levels: expected 2 numbers, found [10, '20']",),
    ),
    "level nan": (f"[{GAS}]\nlevels = [nan, 50]", (f"{GAS}.high.levels: expected 2 numbers, found [nan, 50]",)),
    "level infinite": (f"[{GAS}]\nlevels = [10, inf]", (f"{GAS}.high.levels: expected 2 numbers, found [10, inf]",)),
    "deadband nan": (f"[{GAS}]\ndeadband = nan", (f"{GAS}.high.deadband: expected a number, found nan",)),
    "delay no number": (f'[{GAS}]\non_s = "1"', (f"{GAS}.high.on_s: expected a number, found '1'",)),
    "negative deadband": (f"[{GAS}]\ndeadband = -1", (f"{GAS}.high: deadband and delays must not be negative",)),
    "levels in the wrong order": (
        f"[{GAS}]\nlevels = [20, 10]",
        (f"{GAS}.high: level 2: 10 must be worse than the level before it",),
    ),
    "delay as long as staleness": (
        "[limits.refuse_truck.load_pct]\non_s = 120",
        ("limits.refuse_truck.load_pct.full: on_s 120 must be shorter than stale_after_s 120, else it never fires",),
    ),
    "another unit": (
        '[limits.gas_alarm.conc_pct_lel]\nunit = "ppm"',
        (f"{GAS}.high.unit: expected '%LEL', the unit of the limit, found 'ppm'",),
    ),
    "another unit than that of a group": (
        '[limits.light_pole.feeder_leakage]\nunit = "A"',
        ("limits.light_pole.feeder_leakage.unit: expected 'mA', the unit of the limit, found 'A'",),
    ),
    "hours that are none": (
        '[limits.drone.wind_mps]\nhours = "22-6"',
        ("limits.drone.wind_mps.high.hours: expected such as \"22:00-06:00\", found '22-6'",),
    ),
    "days that are none": (
        '[limits.drone.wind_mps]\ndays = "mon-freitag"',
        ('limits.drone.wind_mps.high.days: expected such as "mon-fri" or "sat sun", found \'mon-freitag\'',),
    ),
    "holidays neither": (
        '[limits.drone.wind_mps]\nholidays = "no"',
        ("limits.drone.wind_mps.high.holidays: expected true or false, found 'no'",),
    ),
    "part-time of what protects people": (
        f'[{LEAK}]\nhours = "22:00-06:00"',
        (f"{LEAK}.leakage: a capped limit is always armed",),
    ),
    "for nobody": (
        '[[limits_for]]\ndevice = "gas-9999"\nkind = "gas_alarm"\nfield = "conc_pct_lel"\nlevels = [10, 20]',
        ("limits_for[0].device: 'gas-9999' holds no gas_alarm; the limit would be for nobody",),
    ),
    "for a street without such devices": (
        '[[limits_for]]\nstreet = "s02"\nkind = "gas_alarm"\nfield = "conc_pct_lel"\nlevels = [10, 20]',
        ("limits_for[0].street: 's02' holds no gas_alarm; the limit would be for nobody",),
    ),
    "for two scopes at once": (
        '[[limits_for]]\ndevice = "gas-0042"\nstreet = "s01"\nkind = "gas_alarm"\nfield = "conc_pct_lel"',
        ("limits_for[0]: expected one of device, circuit, street, found device and street",),
    ),
    "for no scope": (
        '[[limits_for]]\nkind = "gas_alarm"\nfield = "conc_pct_lel"',
        ("limits_for[0]: expected one of device, circuit, street, found none",),
    ),
    "a rule on a street for one device": (
        '[[limits_for]]\ndevice = "pole-0007"\nkind = "light_pole"\nfield = "lit_rate_main"\nlevels = [90]',
        ("limits_for[0].device: 'lit_rate_main' looks at a whole street; expected a street",),
    ),
    "a field without limits for one device": (
        '[[limits_for]]\ndevice = "gas-0042"\nkind = "gas_alarm"\nfield = "conc_pct_vol"',
        ("limits_for[0].field: 'conc_pct_vol' has no limits; did you mean 'conc_pct_lel'?",),
    ),
    "which limit of one device": (
        '[[limits_for]]\ndevice = "pole-0007"\nkind = "light_pole"\nfield = "supply_v"\nlevels = [200]',
        ("limits_for[0].limit: expected one of the limits low, high, found None",),
    ),
    "looser than the cap for one device": (
        '[[limits_for]]\ndevice = "gas-0042"\nkind = "gas_alarm"\nfield = "conc_pct_lel"\nlevels = [30, 50]',
        ("limits_for[0]: level 1: 30 is looser than the cap of 25",),
    ),
    "the same twice": (
        2 * '[[limits_for]]\ndevice = "gas-0042"\nkind = "gas_alarm"\nfield = "conc_pct_lel"\nlevels = [10, 20]\n',
        ("limits_for[1]: device 'gas-0042' has this limit in another table already",),
    ),
    "empty source": (f'[{GAS}]\nsource = ""', (f"{GAS}.high: expected a source",)),
    "a state alarm made milder": (
        '[limits.gas_alarm.state.state]\npriorities = ["P4", "health"]',
        (
            "limits.gas_alarm.state.state: level 1: P4 is milder than the P2 of a capped limit",
            "limits.gas_alarm.state.state: level 2: health is milder than the P1 of a capped limit",
        ),
    ),
    "another state than the detector's": (
        "[limits.gas_alarm.state.state]\nlevels = [1, 5]",
        ("limits.gas_alarm.state.state: level 2: state 5 in place of the 2 of a capped limit",),
    ),
    "looser carbon monoxide": (
        "[limits.gas_alarm.conc_ppm.co]\nlevels = [30, 161]",
        (
            f"{CO}: level 1: 30 is looser than the cap of 24",
            f"{CO}: level 2: 161 is looser than the 160 of a capped limit",
        ),
    ),
    "looser carbon monoxide in public": (
        "[limits.gas_alarm.conc_ppm.co_public]\nlevels = [24, 160]",
        (f"{CO}_public: level 2: 160 is looser than the 48 of a capped limit",),
    ),
    "which carbon monoxide": (
        "[limits.gas_alarm.conc_ppm]\nlevels = [20, 100]",
        ("limits.gas_alarm.conc_ppm.levels: expected one of the limits co, co_public",),
    ),
    "which carbon monoxide of one device": (
        '[[limits_for]]\ndevice = "gas-0042"\nkind = "gas_alarm"\nfield = "conc_ppm"\nlevels = [20, 100]',
        ("limits_for[0].limit: expected one of the limits co, co_public, found None",),
    ),
    "slower rise": (
        f"[{GAS}.rate]\nlevels = [50]",
        (f"{GAS}.rate: level 1: 50 is looser than the cap of 5",),
    ),
    "looser leakage of a circuit": (
        "[limits.light_pole.feeder_leakage]\nlevels = [100, 400, 5000]",
        (
            "limits.light_pole.feeder_leakage: level 2: 400 is looser than the 300 of a capped limit",
            "limits.light_pole.feeder_leakage: level 3: 5000 is looser than the 500 of a capped limit",
        ),
    ),
    "looser leakage of one circuit": (
        '[[devices]]\nid = "pole-0008"\nkind = "light_pole"\nstreet = "s02"\ncircuit = "F-012"\n'
        '[[limits_for]]\ncircuit = "F-012"\nkind = "light_pole"\nfield = "feeder_leakage"\nlevels = [101, 300, 500]',
        ("limits_for[0]: level 1: 101 is looser than the cap of 100",),
    ),
    "no circuit's lamps": (
        "[limits.light_pole.circuit_fault]\nlevels = [0]",
        ("limits.light_pole.circuit_fault: level 1: 0 is too few; expected 2 or more",),
    ),
    "no satellites": (
        "[limits.drone.gnss_sats]\nlevels = [0]",
        ("limits.drone.gnss_sats.few: level 1: 0 is too few; expected 1 or more",),
    ),
    "wider and sooner left than a cap allows": (
        f"[{GAS}]\ndeadband = 6\noff_s = 59",
        (
            f"{GAS}.high: deadband 6 is larger than the 5 of a capped limit",
            f"{GAS}.high: off_s 59 is shorter than the 60 of a capped limit",
        ),
    ),
    "never left": (
        "[limits.drone.wind_mps]\ndeadband = 8",
        ("limits.drone.wind_mps.high: deadband 8: level 1 of 8 is never left, for no value lies beyond 0",),
    ),
    "never left at the top": (
        "[limits.drone.batt_pct]\ndeadband = 70",
        ("limits.drone.batt_pct.low: deadband 70: level 1 of 30 is never left, for no value lies beyond 100",),
    ),
    "a rise never left": (
        f"[{GAS}.rate]\nlevels = [2]",
        (f"{GAS}.rate: deadband 2: level 1 of 2 is never left, for no value lies beyond 0",),
    ),
    "a kind without limits": (
        "[limits.gateway.rssi_dbm]\nlevels = [1]",
        ("limits.gateway.rssi_dbm: 'rssi_dbm' has no limits; no field of gateway has any",),
    ),
    "a kind without limits for one device": (
        '[[limits_for]]\ndevice = "gw-s01"\nkind = "gateway"\nfield = "uptime_s"\nlevels = [1]',
        ("limits_for[0].field: 'uptime_s' has no limits; no field of gateway has any",),
    ),
    "no field for one device": (
        '[[limits_for]]\ndevice = "gas-0042"\nkind = "gas_alarm"\nlevels = [10, 20]',
        ("limits_for[0].field: expected a field, found none; fields with limits are conc_pct_lel, conc_ppm, state",),
    ),
    "everything at once": (
        '[[limits_for]]\ndevice = "pole-0007"\nkind = "light_pole"\nfield = "supply_v"\nlimit = "low"\n'
        'levels = [190, 1]\nhours = "25:00-06:00"\ndays = "mon-xyz"\nunit = "mV"\non_s = -1\noff_s = "x"',
        (
            "limits_for[0].unit: expected 'V', the unit of the limit, found 'mV'",
            "limits_for[0].levels: expected 1 numbers, found [190, 1]",
            "limits_for[0].off_s: expected a number, found 'x'",
            "limits_for[0].hours: expected such as \"22:00-06:00\", found '25:00-06:00'",
            'limits_for[0].days: expected such as "mon-fri" or "sat sun", found \'mon-xyz\'',
            "limits_for[0]: deadband and delays must not be negative",
        ),
    ),
    "state that is no code": (
        "[limits.gas_alarm.state.fault]\nlevels = [3, 9]",
        ("limits.gas_alarm.state.fault: state 9 is not among the codes",),
    ),
    "looser than the cap": (
        f"[{GAS}]\nlevels = [26, 50]",
        (f"{GAS}.high: level 1: 26 is looser than the cap of 25",),
    ),
    "looser second level of a cap": (
        f"[{GAS}]\nlevels = [25, 60]",
        (f"{GAS}.high: level 2: 60 is looser than the 50 of a capped limit",),
    ),
    "later than a cap allows": (
        f"[{LEAK}]\non_s = 60",
        (f"{LEAK}.leakage: on_s 60 is longer than the 0 of a capped limit",),
    ),
    "looser leakage": (
        f"[{LEAK}]\nlevels = [100]",
        (f"{LEAK}.leakage: level 1: 100 is looser than the cap of 30",),
    ),
    "two fields at once": (
        f"[{GAS}]\nlevels = [30, 60]\n[{LEAK}]\nlevels = [31]",
        (
            f"{GAS}.high: level 1: 30 is looser than the cap of 25",
            f"{GAS}.high: level 2: 60 is looser than the 50 of a capped limit",
            f"{LEAK}.leakage: level 1: 31 is looser than the cap of 30",
        ),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    text, expected = MISTAKES[name]
    with pytest.raises(SiteFault) as refused:
        load_site(site_with(tmp_path, text))
    assert [str(fault) for fault in refused.value.faults] == list(expected)


# what the site file says, then kind, field, limit, and level values, deadband, on_s, off_s, source as they must be
CHANGES: dict[str, tuple[str, str, str, str, tuple[object, ...]]] = {
    "stricter levels": (
        f'[{GAS}]\nlevels = [10, 20]\nsource = "city order 7"',
        *("gas_alarm", "conc_pct_lel", "high"),
        ([10, 20], 5, 0, 60, "city order 7"),
    ),
    "the cap itself": (
        f"[{GAS}]\nlevels = [25, 50]",
        *("gas_alarm", "conc_pct_lel", "high"),
        ([25, 50], 5, 0, 60, "site file"),
    ),
    "delays alone": (
        "[limits.refuse_truck.load_pct]\non_s = 10\noff_s = 5\ndeadband = 2",
        *("refuse_truck", "load_pct", "full"),
        ([100], 2, 10, 5, "site file"),
    ),
    "looser without a cap": (
        "[limits.drone.wind_mps]\nlevels = [10, 14]",
        *("drone", "wind_mps", "high"),
        ([10, 14], 1, 5, 30, "site file"),
    ),
    "one of two for a place": (
        "[limits.gas_alarm.conc_ppm.co]\nlevels = [20, 100]",
        *("gas_alarm", "conc_ppm", "co"),
        ([20, 100], 4, 0, 60, "site file"),
    ),
    "the unit said again": (
        '[limits.drone.wind_mps]\nlevels = [7, 10]\nunit = "m/s"',
        *("drone", "wind_mps", "high"),
        ([7, 10], 1, 5, 30, "site file"),
    ),
    "one of two by its key": (
        "[limits.light_pole.supply_v.low]\nlevels = [200]",
        *("light_pole", "supply_v", "low"),
        ([200], 2, 60, 60, "site file"),
    ),
    "the only one by its key": (
        f"[{GAS}.high]\nlevels = [6, 10]",
        *("gas_alarm", "conc_pct_lel", "high"),
        ([6, 10], 5, 0, 60, "site file"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_in_the_catalog_of_the_site(name: str, tmp_path: Path) -> None:
    text, kind, field, key, expected = CHANGES[name]
    limit = limit_of(site_with(tmp_path, text), kind, field, key)
    levels = [level.value for level in limit.levels]
    assert (levels, limit.deadband, limit.on_s, limit.off_s, limit.source) == expected
    (own,) = (own for own in load_catalog().kinds[kind].field(field).limits if own.key == key)
    assert (limit.latch, limit.cap, limit.sense) == (own.latch, own.cap, own.sense)
    assert [level.priority for level in limit.levels] == [level.priority for level in own.levels]


def test_a_change_leaves_every_other_limit_alone(tmp_path: Path) -> None:
    site = load_site(site_with(tmp_path, "[limits.light_pole.supply_v.low]\nlevels = [200]"))
    own = load_catalog()
    for kind in own.kinds.values():
        for measurement in kind.measurements:
            for field in measurement.fields:
                for limit in field.limits:
                    if (field.key, limit.key) != ("supply_v", "low"):
                        assert limit in site.catalog.kinds[kind.key].field(field.key).limits
    assert [level.value for level in own.kinds["light_pole"].field("supply_v").limits[0].levels] == [198]
