"""Mistakes in a site file: what is changed in the small city's file, and every fault it must give."""

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
    "pattern with # behind letters": ('"city/v1/#"', '"city/v1#"', (f"broker.subscriptions: 'city/v1#': {PATTERN}",)),
    "pattern with + beside letters": (
        '"city/v1/#"',
        '"city/v+/#"',
        ("broker.subscriptions: 'city/v+/#': + stands alone in its level",),
    ),
    "pattern that covers what collectors say": (
        '"city/v1/#"',
        '"+/v1/#"',
        ("broker.subscriptions: '+/v1/#': covers topics on which CityDeck itself speaks",),
    ),
    "pattern of a collector's own notes": (
        '"city/v1/#"',
        '"$rules"',
        ("broker.subscriptions: '$rules': covers topics on which CityDeck itself speaks",),
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
    "shard in a folder of another": (
        "[store]",
        '[shards."north/gas"]\nsubscriptions = ["city/v1/#"]\n[store]',
        ("shards: expected names of 1 to 64 letters, digits and . _ -, found 'north/gas'",),
    ),
    "shard above its folder": (
        "[store]",
        '[shards.".."]\nsubscriptions = ["city/v1/#"]\n[store]',
        ("shards: expected names of 1 to 64 letters, digits and . _ -, found '..'",),
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
