"""Site files with mistakes: each kind of mistake once, with the place and the sentence; and several at once."""

import re
from pathlib import Path

import pytest

from devices.errors import Fault, SiteFault
from devices.site_file import load_site
from tests.devices.small_city import SITE, SITE_FILE

TEXT = SITE_FILE.read_text(encoding="utf-8")
GAS_ROW = 'id = "gas-0042"\nkind = "gas_alarm"\n'
IDS = "expected 1 to 64 of A–Z a–z 0–9 . _ -"
BROKER = "broker.url: expected embedded, mqtt://host:port or mqtts://host:port, found "
STORE = "store.url: expected embedded or http://host:8086?org=…&bucket=…, found "
RETENTION = 'store.retention: expected a time such as "90d" or "2y", up to "100y", found '
PATTERN = "# stands alone in the last level, and not as the whole pattern"
UNIT_LOST = "devices[1].responsible: 'unit-gas-1' is not a unit; expected a key of [[units]]"
TOMORROW = "expected a date such as 2030-03-01"

# One change in the small city's file, and every fault it must give.
MISTAKES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "unknown table": ("[broker]", "[borker]", ("borker: is not a setting; did you mean 'broker'?",)),
    "far-fetched table": (
        "[broker]",
        "[xyz]",
        (
            "xyz: is not a setting; known are alarms, areas, broker, cameras, devices, devices_file, districts, "
            "grid_officers, journal, limits, limits_for, notify, shards, simulation, site, store, units",
        ),
    ),
    "unknown setting": (
        "timezone =",
        "time_zone =",
        ("site.time_zone: is not a setting; did you mean 'timezone'?",),
    ),
    "name in one language": (
        '{zh = "小城", en = "Small City"}',
        '{zh = "小城"}',
        ("site.name: expected {zh = \"…\", en = \"…\"}, found {'zh': '小城'}",),
    ),
    "no such time zone": (
        "Asia/Shanghai",
        "Asia/Shanghia",
        ("site.timezone: 'Asia/Shanghia' is not a time zone; expected a name such as Asia/Shanghai",),
    ),
    "a continent as time zone": (
        "Asia/Shanghai",
        "Asia",
        ("site.timezone: 'Asia' is not a time zone; expected a name such as Asia/Shanghai",),
    ),
    "simulated no truth": (
        "[site]\n",
        '[site]\nsimulated = "yes"\n',
        ("site.simulated: expected true or false, found 'yes'",),
    ),
    "database of another make": (
        "[site]\n",
        '[alarms]\ndatabase = "mysql://u:secret@h/x"\n[site]\n',
        ("alarms.database: expected embedded, postgresql+psycopg://… or sqlite:///…, found 'mysql'",),
    ),
    "foreign number of an unknown scheme": (
        GAS_ROW,
        f'{GAS_ROW}foreign = "DIJ:1581F5BKD"\n',
        ("devices[1].foreign: 'DIJ:1581F5BKD': expected DJI:number or HJ212:number",),
    ),
    "no such file": ("[site]\n", '[site]\nbasemap = "gone.geojson"\n', ("site.basemap: no such file: gone.geojson",)),
    "broker of another scheme": ("mqtt://127", "http://127", (f"{BROKER}'http://127.0.0.1:1883'",)),
    "broker without a host": ("mqtt://127.0.0.1:1883", "mqtt://", (f"{BROKER}'mqtt://'",)),
    "broker with a broken host": ("mqtt://127.0.0.1:1883", "mqtt://[::1", (f"{BROKER}'mqtt://[::1'",)),
    "broker with a broken port": ("127.0.0.1:1883", "127.0.0.1:99999", (f"{BROKER}'mqtt://127.0.0.1:99999'",)),
    "broker no text": ('"mqtt://127.0.0.1:1883"', "1883", ("broker.url: expected a text, found 1883",)),
    "password in the file": (
        "mqtt://127",
        "mqtt://city:s3cret@127",
        ("broker.url: user and password belong into CITYDECK_MQTT_USER and CITYDECK_MQTT_PASSWORD",),
    ),
    "pattern of everything": ('"city/v1/#"', '"#"', (f"broker.subscriptions: '#': {PATTERN}",)),
    "pattern with # inside": (
        '"city/v1/#"',
        '"city/#/gas"',
        (f"broker.subscriptions: 'city/#/gas': {PATTERN}",),
    ),
    "no patterns": (
        '["city/v1/#", "thing/product/#", "hj212/#"]',
        "[]",
        ("broker.subscriptions: expected a list of topic patterns, found []",),
    ),
    "store without a bucket": (
        "?org=city&bucket=city",
        "?org=city",
        (f"{STORE}'http://127.0.0.1:8086?org=city'",),
    ),
    "store of another scheme": ("http://", "ftp://", (f"{STORE}'ftp://127.0.0.1:8086?org=city&bucket=city'",)),
    "token in the file": (
        "?org=city",
        "?token=s3cret&org=city",
        ("store.url: the token belongs into CITYDECK_INFLUX_TOKEN",),
    ),
    "retention in weeks": ('"30d"', '"4w"', (f"{RETENTION}'4w'",)),
    "retention of no days": ('"30d"', '"0d"', (f"{RETENTION}'0d'",)),
    "retention of odd digits": ('"30d"', '"²d"', (f"{RETENTION}'²d'",)),
    "alarm database no text": (
        "[store]",
        "[alarms]\ndatabase = 1\n[store]",
        ("alarms.database: expected a text, found 1",),
    ),
    "simulation maybe": ("run = false", "run = 0", ("simulation.run: expected true or false, found 0",)),
    "speed of nothing": (
        "speed = 2",
        "speed = 0",
        ("simulation.speed: expected a number above 0 and up to 1000, found 0",),
    ),
    "speed nan": (
        "speed = 2",
        "speed = nan",
        ("simulation.speed: expected a number above 0 and up to 1000, found nan",),
    ),
    "seed no number": ("seed = 7", 'seed = "7"', ("simulation.seed: expected a whole number, found '7'",)),
    "table where tables belong": (
        "[[units]]",
        "[units]",
        ("units: expected tables [[units]], found {'key': ", UNIT_LOST),
    ),
    "tables where a table belongs": ("[store]", "[[store]]", ("store: expected a table [store], found [{'url': ",)),
    "unit without a key": ('key = "unit-gas-1"\n', "", ("units[0].key: expected a text, found None", UNIT_LOST)),
    "unknown setting of a unit": (
        'key = "unit-gas-1"',
        'key = "unit-gas-1"\nfone = "1"',
        ("units[0].fone: is not a setting; did you mean 'phone'?",),
    ),
    "unknown setting of a district": (
        'key = "demo"',
        'key = "demo"\nstreet = []',
        ("districts[0].street: is not a setting; did you mean 'streets'?",),
    ),
    "street no table": (
        "streets = [\n",
        "streets = [\n  5,\n",
        ("districts[0].streets[0]: expected a table, found 5",),
    ),
    "unknown setting of a street": (
        'grids = ["s01-01"]',
        'grid = ["s01-01"]',
        ("districts[0].streets[0].grid: is not a setting; did you mean 'grids'?",),
    ),
    "grids no list": (
        'grids = ["s01-01"]',
        "grids = 5",
        ("districts[0].streets[0].grids: expected a list of texts, found 5",),
    ),
    "polygon no corners": (
        "[[120.1, 30.3], [120.2, 30.3]]",
        "[120.1, 30.3]",
        ("districts[0].streets[0].polygon: expected [[lon, lat], …], found [120.1, 30.3]",),
    ),
    "polygon as lat, lon": (
        "[[120.1, 30.3],",
        "[[30.3, 120.1],",
        ("districts[0].streets[0].polygon: a corner lies outside −180…180, −90…90; expected [lon, lat] in degrees",),
    ),
    "unknown column": (
        GAS_ROW,
        f"{GAS_ROW}latt = 3\n",
        ("devices[1].latt: is not a column of a device; did you mean 'lat'?",),
    ),
    "device without an id": (
        GAS_ROW,
        'kind = "gas_alarm"\n',
        (f"devices[1].id: '': {IDS}",),
    ),
    "id with a space": (GAS_ROW, GAS_ROW.replace("gas-0042", "gas 42"), (f"devices[1].id: 'gas 42': {IDS}",)),
    "id twice": (
        GAS_ROW,
        GAS_ROW.replace("gas-0042", "gw-s01"),
        ("devices[1]: the id 'gw-s01' stands at devices[0] already",),
    ),
    "unknown kind": (
        GAS_ROW,
        GAS_ROW.replace("gas_alarm", "gas_alarn"),
        ("devices[1].kind: 'gas_alarn' is not a kind; did you mean 'gas_alarm'?",),
    ),
    "unknown street": (
        f'{GAS_ROW}street = "s01"',
        f'{GAS_ROW}street = "s-01"',
        ("devices[1].street: 's-01' is not a street of a district; did you mean 's01'?",),
    ),
    "unknown unit": (
        'responsible = "unit-gas-1"',
        'responsible = "unit-gas-9"',
        ("devices[1].responsible: 'unit-gas-9' is not a unit; expected a key of [[units]]",),
    ),
    "latitude off the globe": (
        "lat = 30.31",
        "lat = 130.31",
        ("devices[1].lat: 130.31: expected a number from -90 to 90",),
    ),
    "longitude no number": (
        "lon = 120.11",
        "lon = nan",
        ("devices[1].lon: nan: expected a number from -180 to 180",),
    ),
    "load below nothing": (
        "rated_kg = 6800",
        "rated_kg = -1",
        ("devices[4].rated_kg: -1: expected a number from 0 to 1e+06",),
    ),
    "date of no day": (
        'expires = "2030-03-01"',
        'expires = "2030-13-01"',
        (f"devices[1].expires: '2030-13-01': {TOMORROW}",),
    ),
    "fitted with what the kind has not": (
        'fitted = "pole_env"',
        'fitted = "pole_air"',
        ("devices[2].fitted: 'pole_air': expected some of light_pole, pole_env",),
    ),
    "foreign number twice": (
        "DJI:1581F5BKD2310ABCDEFG",
        "DJI:4TADKAQ000002J",
        ("devices[6].foreign: 'DJI:4TADKAQ000002J' belongs to 'dock-01' already",),
    ),
    "unknown parent": (
        'parent = "gw-s01"',
        'parent = "gw-s02"',
        ("devices[1].parent: 'gw-s02' is not a device of this site",),
    ),
    "parent of itself": (
        'parent = "gw-s01"',
        'parent = "gas-0042"',
        ("devices[1].parent: a circle of parents: gas-0042 → … → gas-0042",),
    ),
    "circle of parents": (
        'kind = "gateway"\n',
        'kind = "gateway"\nparent = "gas-0042"\n',
        (
            "devices[0].parent: a circle of parents: gw-s01 → … → gw-s01",
            "devices[1].parent: a circle of parents: gas-0042 → … → gas-0042",
        ),
    ),
    "shard without patterns": (
        "[store]",
        "[shards.north]\nfilters = []\n[store]",
        (
            "shards.north.filters: is not a setting; known are foreign, subscriptions",
            "shards.north.subscriptions: expected a list of topic patterns, found None",
            "shards: gw-s01 and 7 more: expected in one shard, found in none",
        ),
    ),
    "parent in another shard": (
        "[store]",
        '[shards.gas]\nsubscriptions = ["city/v1/demo/gas_alarm/#"]\n'
        '[shards.rest]\nsubscriptions = ["city/v1/#"]\n[store]',
        (
            "shards: gas-0042: expected in one shard, found in 'gas' and 'rest'",
            "devices[1].parent: gw-s01 is in shard 'rest', its child in 'gas'",
        ),
    ),
    "parent in no shard": (
        "[store]",
        '[shards.gas]\nsubscriptions = ["city/v1/demo/gas_alarm/#"]\n[store]',
        (
            "shards: gw-s01 and 6 more: expected in one shard, found in none",
            "devices[1].parent: gw-s01 is in shard None, its child in 'gas'",
        ),
    ),
    "device file gone": ("[site]", 'devices_file = "gone.csv"\n[site]', ("devices_file: gone.csv cannot be read: ",)),
    "device file no text": ("[site]", "devices_file = 5\n[site]", ("devices_file: expected a text, found 5",)),
    "kinds folder gone": ("[site]\n", '[site]\nkinds = "gone"\n', ("site.kinds: ",)),
    "a faulty parent is told once": (
        'kind = "gateway"\n',
        'kind = "gatway"\n',
        ("devices[0].kind: 'gatway' is not a kind; did you mean 'gateway'?",),
    ),
}


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
