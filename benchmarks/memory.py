"""How much memory the collector takes when a whole city has reported."""

from typing import Final

from benchmarks.contestants import CityDeck
from benchmarks.report import Column, Report
from benchmarks.rig import Rig
from benchmarks.settings import Settings
from benchmarks.usage import memory_mb
from ingest.live import ASK
from tests.ingest.publisher import Listener, Publisher
from tests.servers.waiting import wait_until

COLUMNS: Final = (
    Column("started_mb", "registered, MB"),
    Column("once_mb", "each reported once, MB"),
    Column("often_mb", "each reported five times, MB"),
    Column("asked_mb", "after a snapshot, MB"),
    Column("peak_mb", "peak, MB"),
)
_DEVICES = 60_000
_ROUNDS = 5
_WAIT_S = 300.0


def run(settings: Settings) -> Report:
    """Measure it, as often as asked."""
    devices = 400 if settings.quick else _DEVICES
    report = Report(
        "memory", "Resident memory of the collector", f"{devices:,} light poles, as fast as they come", COLUMNS
    )
    for number in range(settings.runs):
        settings.say(f"memory, run {number + 1} of {settings.runs}")
        report.row(f"CityDeck, {devices:,} devices").add(_measured(settings, devices))
    return report


def _measured(settings: Settings, devices: int) -> dict[str, float]:
    with Rig(devices) as rig:
        collector = CityDeck(rig, settings)
        collector.ready()
        found = {"started_mb": memory_mb(collector.pid)}
        publisher = rig.publisher()
        for rounds, key in ((1, "once_mb"), (_ROUNDS, "often_mb")):
            total = devices * rounds
            publisher.publish(total)
            publisher.wait(lambda total=total: rig.written() >= total or not collector.running, _WAIT_S)  # type: ignore[misc]
            if not collector.running:
                raise RuntimeError(f"the collector ended:\n{collector.log[-2000:]}")
            found[key] = memory_mb(collector.pid)
            settings.say(f"  {total:,} stored, {found[key]:.0f} MB")
        publisher.stop()
        _snapshot(rig)
        return {**found, "asked_mb": memory_mb(collector.pid), "peak_mb": memory_mb(collector.pid, "VmHWM")}


def _snapshot(rig: Rig) -> None:
    """Have everything known told, as when a cockpit starts."""
    listener = Listener(rig.broker.port, "citydeck/v1/live/#")
    asking = Publisher(rig.broker.port)
    try:
        asking.publish((ASK, b""))
        wait_until(lambda: any(name.endswith("snapshot_end") for name, _ in listener.heard), 60)
    finally:
        asking.close()
        listener.close()
