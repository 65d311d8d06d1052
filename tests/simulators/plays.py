"""Playing scenarios through the real decoder and engine, offline and in simulated time, on the devices they concern."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from devices.site import Site
from ingest.alarms import offences, offenders
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.engine import Engine
from ingest.alarms.outbox import announcement
from ingest.alarms.tables import occurrence
from ingest.decoding import Decoder, Unregistered
from ingest.records import TICK, Record
from simulators.fault_words import read_faults
from simulators.feed import Feed
from simulators.scenario import Scenario
from simulators.scenario_file import load_scenario, scenario_names
from simulators.targets import resolve
from tests.simulators.city import at_ms, clock, demo_site

DAY_H, NIGHT_H = 14, 21
SCENARIOS = {name: load_scenario(name) for name in scenario_names()}
_RAISES = ("raise", "change", "passage", "late")


@dataclass(frozen=True)
class Played:
    """What came of a play: every (rule, level, device) that was reached, and the fates of the messages."""

    raised: frozenset[tuple[str, int, str]]
    fates: Counter[str]

    @property
    def alarms(self) -> int:
        """How many alarms there are, each level of one counted once."""
        return len({(rule, device) for rule, _, device in self.raised})


class Plays:
    """Plays each scenario once, by day or by night, with and without faults over it."""

    def __init__(self, folder: Path) -> None:
        self._database = AlarmDatabase(f"sqlite:///{folder / 'alarms.db'}")
        self._database.migrate()
        self._known: dict[tuple[str, str, tuple[str, ...]], Played] = {}

    def played(self, name: str, light: str = "", *faults: str) -> Played:
        """Return what came of a scenario."""
        key = name, light, faults
        if key not in self._known:
            begin_ms = at_ms(NIGHT_H if light == "night" else DAY_H)
            self._known[key] = self._play(SCENARIOS[name], begin_ms, faults, f"play {len(self._known)}")
        return self._known[key]

    def _play(self, scenario: Scenario, begin_ms: int, faults: tuple[str, ...], shard: str) -> Played:
        site = scene(scenario, *(word.split(":")[1] for word in faults))
        city = Feed(site, 1, clock(), begin_ms, incidents=False)
        city.start(scenario, begin_ms)
        if faults:
            city.start(read_faults(faults, site), begin_ms)
        # A minute more, for what is late.
        end_ms = begin_ms + round(scenario.lasts_s * 1000) + (60_000 if faults else 0)
        heard = [(m.at_ms, m.topic, m.payload) for m in city.due(begin_ms, end_ms)]
        heard += [(ms, TICK, b"") for ms in range(begin_ms, end_ms, 1000)]
        decoder, engine = Decoder(site, Unregistered()), Engine(site)
        outcomes = [decoder.outcome(Record(n, *each)) for n, each in enumerate(sorted(heard), 1)]
        told = engine.feed(outcomes)
        with self._database.write() as connection:
            for table in (occurrence, announcement, offences.offence):
                connection.execute(table.delete())
            offences.keep(connection, shard, told, b"secret")
        offenders.look(self._database, end_ms)
        with self._database.read() as connection:
            rows = connection.execute(sa.select(occurrence.c.rule, occurrence.c.level_peak, occurrence.c.device)).all()
        raised = {(t.rule, t.level, t.device) for t in told if t.what in _RAISES} | {tuple(row) for row in rows}
        return Played(frozenset(raised), Counter(outcome.fate for outcome in outcomes))


def scene(scenario: Scenario, *others: str) -> Site:
    """Return the demo site with the devices of a scenario, what they hang on, and all of their circuits and streets."""
    site = demo_site()
    wanted = {device.id for found in resolve(scenario, site).values() for device in found}
    wanted |= {name for name in others if name in site.devices}
    for expect in scenario.expects:
        by, _, name = expect.device.rpartition(":")
        wanted |= {d.id for d in site.devices.values() if by and d.kind == "light_pole" and getattr(d, by) == name}
    wanted |= {site.devices[name].parent for name in wanted}
    devices = {key: device for key, device in site.devices.items() if key in wanted}
    by_foreign = {key: device for key, device in site.by_foreign.items() if device.id in devices}
    return replace(site, devices=devices, by_foreign=by_foreign, ways={})
