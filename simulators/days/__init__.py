"""One module per kind: its plausible day. A kind that stands not in :func:`make_days` lives by its table."""

from simulators.days.any_kind import AnyKindDay
from simulators.days.bridges import BridgeDay
from simulators.days.drones import DockDay, DroneDay
from simulators.days.flights import Flights
from simulators.days.gas import GasDay
from simulators.days.gateways import GatewayDay
from simulators.days.poles import PoleDay
from simulators.days.trucks import TruckDay
from simulators.setting import Day, Setting


def make_days(setting: Setting, flights: Flights) -> dict[str, Day]:
    """Return the day of every kind that has devices in the site."""
    days: dict[str, Day] = {
        "drone": DroneDay(setting, flights),
        "drone_dock": DockDay(setting, flights),
        "refuse_truck": TruckDay(setting),
        "bridge_wim": BridgeDay(setting),
        "light_pole": PoleDay(setting),
        "gas_alarm": GasDay(setting),
        "gateway": GatewayDay(setting),
    }
    present = {device.kind for device in setting.site.devices.values()}
    for kind in sorted(present - days.keys()):
        days[kind] = AnyKindDay(setting, setting.site.catalog.kinds[kind])
    return {kind: day for kind, day in days.items() if kind in present}
