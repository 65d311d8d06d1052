"""A crowd of devices that say anything: every kind, every field, near its thresholds, late, twice, ahead, in pieces."""

import random
from collections.abc import Mapping, Sequence

from devices.kind import Field, Kind
from devices.site import Site
from ingest.records import AWAY, Record, tick_payload
from tests.ingest.alarms.feeding import message, records, status, tick

Message = tuple[float, str, bytes]


def crowd(site: Site, seed: int, seconds: int, most: int = 3) -> list[Record]:
    """Return the journal of some devices of each kind, and of the collector itself, over a while."""
    chance = random.Random(seed)
    found = [tick(second, _tick(chance)) for second in range(seconds) if chance.random() > 0.002]
    if seed % 2:
        # The collector was down for a while.
        found = [each for each in found if not seconds / 4 < each[0] < seconds / 3]
    for kind, devices in _chosen(site, chance, most).items():
        for device in devices:
            found += _speech(chance, site.catalog.kinds[kind], device, seconds)
    found += chance.sample(found, len(found) // 30)
    return records(found)


STREET = "\n".join(
    f'[[devices]]\nid = "lamp-{n}"\nkind = "light_pole"\nstreet = "s01"\ncircuit = "c{n % 3}"\nroad = "branch"\n'
    f'noise_class = "{n % 4}"\nlat = 30.3\nlon = 120.1' for n in range(30)
) + """
[[devices]]
id = "gas-old"
kind = "gas_alarm"
street = "s02"
expires = 2026-01-02
[[areas]]
key = "airport"
name = {zh = "机场", en = "Airport"}
use = "no_fly"
lat = 30.3
lon = 120.1
radius_m = 2000
"""  # fmt: skip


def evening(seed: int, from_s: int, seconds: int) -> list[Record]:
    """Return the journal of a street of thirty lamps (``STREET``) and a drone on an evening, whatever befalls them."""
    chance = random.Random(seed)
    found = [tick(second) for second in range(from_s, from_s + seconds, 4)]
    dark = from_s + seconds // 2
    for n in range(30):
        at_s = from_s + chance.uniform(0, 30)
        usual_a, level_db = 0.5 + n / 50, chance.choice([50, 58, 66, 74])
        while at_s < from_s + seconds:
            trouble = dark < at_s < dark + 900
            # One circuit fails, single lamps elsewhere are dark, worn or draw too much.
            fails, is_dark, worn, hungry = n % 3 == 0, n % 10 == 1, n % 10 == 4, n == 7
            current = usual_a * (0.05 if trouble and worn else 1.4 if trouble and hungry else 1.0)
            data = {
                "cmd_pct": 80, "dim_pct": 0 if trouble and (is_dark or (fails and n > 12)) else 80,
                "lamp_fail": trouble and fails and chance.random() < 0.9, "supply_a": round(current, 3),
                "leak_ma": chance.choice([0, 5, 9, 12]), "noise_dba": level_db + chance.randint(-4, 4),
            }  # fmt: skip
            found.append(message(at_s, "light_pole", f"lamp-{n}", data))
            at_s += chance.uniform(25, 35)
    for second in range(from_s, from_s + seconds, 45):
        place = {"mode": 5, "lat": 30.3 + chance.choice([0.0, 0.01, 0.03]), "lon": 120.1}
        found.append(message(second + 0.5, "drone", "drone-1", place))
    return records(found)


def _tick(chance: random.Random) -> bytes:
    if chance.random() < 0.003:
        return AWAY
    if chance.random() < 0.5:
        return b""
    own = {"disk_pct": chance.choice([50.0, 79, 80, 96, 78.5, 77]), "store_lag_s": chance.choice([0.0, 61, 20])}
    return tick_payload(True, own)


def _chosen(site: Site, chance: random.Random, most: int) -> Mapping[str, Sequence[str]]:
    kinds: dict[str, list[str]] = {}
    for device in site.devices.values():
        kinds.setdefault(device.kind, []).append(device.id)
    chosen = {kind: chance.sample(devices, min(len(devices), most)) for kind, devices in kinds.items()}
    # Of one circuit, that what is said of circuits has something to be said of.
    circuit = site.devices[chosen["light_pole"][0]].circuit
    chosen["light_pole"] = [each for each in kinds["light_pole"] if site.devices[each].circuit == circuit][:12]
    return chosen


def _speech(chance: random.Random, kind: Kind, device: str, seconds: int) -> list[Message]:
    found: list[Message] = []
    at_s = 0.0
    # A steady talker fills windows of hours, a hasty one those of seconds.
    pause_s = chance.choice([3, 20, 60])
    while at_s < seconds:
        at_s += chance.expovariate(1 / pause_s)
        if chance.random() < 0.01:
            at_s += chance.choice([60, 200, 700])
        measurement = chance.choice(kind.measurements)
        data = {field.key: _value(chance, field) for field in measurement.fields if not field.tag}
        data = {key: value for key, value in data.items() if chance.random() < 0.6}
        if not data:
            continue
        said = {"channel": "telemetry" if "telemetry" in measurement.channels else "event", **_oddity(chance, at_s)}
        if said["channel"] == "event" or chance.random() < 0.3:
            said["id"] = chance.randrange(10**9)
        found.append(message(at_s, kind.key, device, data, **said))
        if chance.random() < 0.01:
            found.append(status(at_s + 1, kind.key, device, chance.choice(["online", "offline"])))
    return found


def _value(chance: random.Random, field: Field) -> object:
    if field.type == "text":
        return f"x{chance.randrange(9)}"
    if field.type == "flag":
        return chance.random() < 0.3
    if field.type == "code":
        return chance.choice(list(field.codes))
    thresholds = [level.value for limit in field.limits for level in limit.levels]
    if thresholds and chance.random() < 0.6:
        return round(chance.choice(thresholds) + chance.choice([-6, -5, -1, 0, 1, 0.5]), 2)
    low = field.low or 0.0
    return round(chance.uniform(low, low + 300 if field.high is None else min(field.high, low + 300)), 2)


def _oddity(chance: random.Random, at_s: float) -> dict[str, object]:
    roll = chance.random()
    if roll < 0.08:
        return {"ts_s": at_s - chance.choice([1, 5, 30, 200])}
    if roll < 0.09:
        return {"ts_s": at_s + 400}
    return {"q": chance.choice(["bad", "uncertain"])} if roll < 0.12 else {}
