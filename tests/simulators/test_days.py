from itertools import pairwise

import numpy as np
import pytest

from simulators.days.bridges import BridgeDay
from simulators.days.drones import DockDay, DroneDay
from simulators.days.flights import Flights
from simulators.days.gas import GasDay
from simulators.days.poles import PoleDay
from simulators.days.traffic import GROUPS, HOUR_SHARES, traffic_day
from simulators.days.trucks import TruckDay
from simulators.moment import Window
from tests.simulators.city import at_ms, clock, demo_site, feed, readings, setting

DAY = clock().moment(at_ms(12)).day


def of_kind(kind):
    return setting().of_kind(kind)


@pytest.mark.parametrize(("hour", "least", "most"), [(12, 0, 1), (20, 99, 100), (2, 49, 51)])
def test_lamps_follow_the_sun(hour, least, most):
    poles = PoleDay(setting(incidents=False))
    moment = clock().moment(at_ms(hour))
    assert all(least <= poles.telemetry(d, moment)["dim_pct"] <= most for d in of_kind("light_pole")[:300])


def test_few_lamps_have_failed():
    poles, moment = PoleDay(setting()), clock().moment(at_ms(20))
    assert 0 <= sum(poles.telemetry(d, moment)["lamp_fail"] for d in of_kind("light_pole")) <= 12


def test_energy_only_grows():
    poles, pole = PoleDay(setting()), of_kind("light_pole")[0]
    values = [poles.telemetry(pole, clock().moment(at_ms(h, 18)))["energy_kwh"] for h in range(72)]
    assert values == sorted(values)
    assert 0.3 < values[-1] - values[0] < 8


def test_gas_is_quiet():
    gas = GasDay(setting())
    for hour in (3, 12, 19):
        for device in of_kind("gas_alarm"):
            data = gas.telemetry(device, clock().moment(at_ms(hour)))
            assert data["state"] == 0
            assert 0 <= data.get("conc_pct_lel", 0) <= 2
            assert 0 <= data.get("conc_ppm", 0) < 10


def days_of_traffic():
    return [traffic_day(1, f"wim-{n:02d}", DAY + n, 9000, None, 0.4) for n in range(1, 9)]


def test_traffic_has_rush_hours():
    hours = np.concatenate([day.at_s for day in days_of_traffic()]) // 3600
    shares = [float(np.mean(hours == hour)) for hour in range(24)]
    assert max(shares) == pytest.approx(0.079, abs=0.004)
    assert min(shares) == pytest.approx(0.005, abs=0.001)
    assert sum(HOUR_SHARES) == pytest.approx(1)


def test_traffic_is_distributed_as_at_the_real_site():
    gross = np.concatenate([day.gross_kg for day in days_of_traffic()]) / 1000
    speed = np.concatenate([day.speed_mps for day in days_of_traffic()])
    groups = np.concatenate([day.group for day in days_of_traffic()])
    warned = np.concatenate([day.warnings for day in days_of_traffic()])
    assert np.quantile(gross, [0.25, 0.5, 0.75]) == pytest.approx([11.7, 18.6, 29.8], rel=0.12)
    assert np.quantile(speed, [0.25, 0.5, 0.75]) == pytest.approx([16.8, 19.4, 22.0], abs=0.3)
    assert np.mean(groups == 0) == pytest.approx(0.51, abs=0.02)
    assert 0.24 < np.mean(warned > 0) < 0.34


def test_overloads_are_few_enough_to_bear():
    bridges = BridgeDay(setting())
    window = Window(at_ms(0), at_ms(24), clock())
    over = total = 0
    limits = {group.name: group.limit_kg for group in GROUPS}
    for report in bridges.due(window):
        if report.channel == "event":
            total += 1
            limit = report.data.get("limit_kg", limits[report.data["axle_groups"]])
            over += report.data["gvw_kg"] >= 1.1 * limit
            if report.device.posted_limit_kg is not None:
                assert report.data["gvw_kg"] < report.device.posted_limit_kg
    assert 40_000 < total < 110_000
    assert 2.5 < over / 24 < 5


def test_passes_today_counts_the_passages():
    bridges, station = BridgeDay(setting()), of_kind("bridge_wim")[0]
    events = [
        r for r in bridges.due(Window(at_ms(0), at_ms(8), clock())) if r.device is station and r.channel == "event"
    ]
    assert bridges.telemetry(station, clock().moment(at_ms(8)))["passes_today"] == len(events)


def test_trucks_fill_and_empty():
    trucks = TruckDay(setting())
    for truck in of_kind("refuse_truck")[:12]:
        loads = [trucks.telemetry(truck, clock().moment(at_ms(h / 12)))["load_pct"] for h in range(36 * 12)]
        assert max(loads) > 65
        assert min(loads) < 5
        assert max(loads) < 108


def test_some_trucks_are_always_on_the_move_and_most_at_rush():
    trucks = TruckDay(setting())
    moving = [
        sum(trucks.telemetry(t, clock().moment(at_ms(h)))["speed_kmh"] > 0 for t in of_kind("refuse_truck"))
        for h in range(24)
    ]
    assert min(moving) >= 1
    assert max(moving) > 20


def test_odometers_only_grow():
    trucks, truck = TruckDay(setting()), of_kind("refuse_truck")[3]
    values = [trucks.telemetry(truck, clock().moment(at_ms(h / 4, 18)))["odo_km"] for h in range(72 * 4)]
    assert values == sorted(values)


def test_lifts_add_up_to_the_load():
    trucks = TruckDay(setting())
    lifts = list(trucks.lifts(Window(at_ms(0), at_ms(24), clock())))
    assert 4_000 < len(lifts) < 40_000
    assert len({(r.device.id, r.passage) for r in lifts}) == len(lifts)
    assert all(0 < r.data["net_kg"] < 1500 for r in lifts)


def test_drones_are_in_the_air_at_any_hour():
    drones = DroneDay(setting(), Flights(setting()))
    for step in range(24 * 12):
        moment = clock().moment(at_ms(step / 12))
        aloft = sum(drones.telemetry(d, moment)["mode"] in (4, 5, 9, 10) for d in of_kind("drone"))
        hour = step / 12
        assert (1 <= aloft <= 4) if hour > 22.6 or hour < 5.9 else 1 <= aloft <= 13, hour
        if 7.5 < hour < 21.5:
            assert aloft >= 5


def test_battery_sinks_in_flight_and_stays_above_the_alarm():
    drones, drone = DroneDay(setting(), Flights(setting())), of_kind("drone")[5]
    flown = 0
    samples = [drones.telemetry(drone, clock().moment(at_ms(9) + 2_000 * n)) for n in range(5400)]
    for before, after in pairwise(samples):
        if before["mode"] >= 3 and after["mode"] >= 3:
            assert after["batt_pct"] <= before["batt_pct"]
            flown += 1
        assert after["batt_pct"] > 33
    assert flown > 600


def test_a_drone_does_not_jump():
    from simulators.tracks import ground_distance

    drones, drone = DroneDay(setting(), Flights(setting())), of_kind("drone")[8]
    places = [drones.telemetry(drone, clock().moment(at_ms(10) + 1_000 * n)) for n in range(3600)]
    for a, b in pairwise(places):
        assert ground_distance((a["lon"], a["lat"]), (b["lon"], b["lat"])) < 20


def test_dock_knows_where_its_drone_is():
    flights = Flights(setting())
    drones, docks = DroneDay(setting(), flights), DockDay(setting(), flights)
    for step in range(200):
        moment = clock().moment(at_ms(10) + 20_000 * step)
        for drone in of_kind("drone")[:4]:
            inside = docks.telemetry(demo_site().devices[drone.parent], moment)["drone_in_dock"]
            assert inside == (drones.telemetry(drone, moment)["mode"] < 3)


def test_no_device_is_quiet_for_as_long_as_counts_as_silence():
    """A report may come a little late, and a healthy city must not flicker."""
    site, minutes = demo_site(), 8
    began_ms = at_ms(6)
    talk = feed(began_ms, incidents=False)
    last_ms: dict[str, int] = {}
    longest_ms: dict[str, int] = {}
    for begin_ms in range(began_ms, began_ms + minutes * 60_000, 10_000):
        for message in talk.due(begin_ms, begin_ms + 10_000):
            for device, kind in {(reading.device, reading.kind) for reading in readings(message)}:
                quiet_ms = message.at_ms - last_ms.get(device, message.at_ms)
                last_ms[device] = message.at_ms
                longest_ms[kind] = max(longest_ms.get(kind, 0), quiet_ms)
    assert {"drone", "light_pole", "gateway"} <= set(longest_ms)
    for kind, quiet_ms in longest_ms.items():
        assert quiet_ms <= site.catalog.kinds[kind].stale_after_s * 1_000 * 0.9, kind
