"""One gas alarm from its first trace to its reset, kept by the collector's own parts, offline and in recorded time."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cockpit.desk import Desk
from cockpit.evidence import make_pack
from devices.site import Site
from ingest.alarms import occurrences
from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.remark import Remark, remark
from ingest.alarms.commands.resetting import Reset, reset
from ingest.alarms.database import AlarmDatabase, open_alarms
from ingest.alarms.engine import Engine
from ingest.alarms.tables import occurrence
from ingest.cases.records import CaseRules
from ingest.decoding import Decoder, Unregistered
from ingest.journal import Journal
from ingest.places import Places
from ingest.records import TICK, Record
from ingest.store import open_store
from tests.ingest.messages import T_MS, Message, gas, native
from tests.sites import small_site

RULE = "gas_alarm.conc_pct_lel.high"
MINUTE_MS = 60_000
AROUND = (10 * MINUTE_MS, 10 * MINUTE_MS)
# Another gas alarm within sight of the first one, and a circuit of two poles.
NEAR = """
[[devices]]
id = "gas-3"
kind = "gas_alarm"
street = "s01"
lat = 30.3204
lon = 120.1401
[[devices]]
id = "pole-7"
kind = "light_pole"
street = "s01"
circuit = "F-1"
[[devices]]
id = "pole-8"
kind = "light_pole"
street = "s01"
circuit = "F-1"
"""
OFFICER = Person("officer", ("officer",), "10.0.0.7")


class Scene:
    """A data folder with journal, store and alarm database, as a collector leaves it."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(folder / "var")
        self.site: Site = small_site(folder, tail=NEAR)
        self.database: AlarmDatabase = open_alarms(self.site, self.places)
        self.database.migrate()
        self._journal = Journal(self.places.journal)
        self._store = open_store(self.site, self.places)
        self._decoder, self._engine = Decoder(self.site, Unregistered()), Engine(self.site)
        self.now_ms = T_MS
        self._keys = 0

    def hear(self, at_s: float, *messages: Message) -> None:
        """Journal messages and the tick of their second, and do with them what a collector does."""
        self.now_ms = T_MS + round(at_s * 1000)
        written = [*messages, (TICK, b"")]
        positions = self._journal.append(written, self.now_ms)
        records = [Record(n, self.now_ms, *each) for n, each in zip(positions, written, strict=True)]
        outcomes = [self._decoder.outcome(record) for record in records]
        told = self._engine.feed(outcomes)
        occurrences.apply(self.database, "main", told, positions[-1], self.now_ms)
        self._store.write([reading for outcome in outcomes for reading in outcome.readings], positions[-1])

    def leak(self) -> str:
        """Let gas rise to 34 %LEL and go again; an officer acknowledges, opens a case, comments and resets."""
        for n in range(20):
            value = min(1.0 + 3 * n, 34.0)
            stamp = T_MS + n * 10_000
            self.hear(
                n * 10,
                gas("gas-1", value, ts=stamp, seq=n + 1),
                gas("gas-3", 0.5 + n / 10, ts=stamp, seq=n + 1),
                native("light_pole", "pole-1", {"supply_v": 221.0}, ts=stamp, seq=n + 1),
            )
        self.hear(201, ("city/v1/demo/gas_alarm/gas-1/telemetry", b"\xff\xfe no text"))
        self.alarm = str(self.row()["id"])
        wish = Acknowledgement(self.alarm, 1, self._key(), "case", comment="<script>alert(1)</script> 现场核实")
        acknowledge(self.database, wish, OFFICER, self.now_ms + 500, Desk(CaseRules(self.site)))
        remark(self.database, Remark(self.alarm, "阀门已关", self._key()), OFFICER, self.now_ms + 900)
        for n in range(10):
            self.hear(210 + n * 10, gas("gas-1", 1.0, ts=T_MS + 210_000 + n * 10_000, seq=100 + n))
        reset(self.database, Reset(self.alarm, "浓度归零", self._key()), OFFICER, self.now_ms + 1_000)
        return self.alarm

    def row(self, rule: str = RULE) -> dict[str, Any]:
        """Return the newest alarm of a rule."""
        query = sa.select(occurrence).where(occurrence.c.rule == rule).order_by(occurrence.c.raised_at.desc()).limit(1)
        with self.database.read() as connection:
            return dict(connection.execute(query).mappings().one())

    def pack(self, alarm: str | None = None, now_ms: int | None = None) -> bytes:
        """Return the pack of the alarm."""
        made_ms = self.now_ms + MINUTE_MS if now_ms is None else now_ms
        return make_pack(self.site, self.places, self.database, alarm or self.alarm, AROUND, made_ms)

    def close(self) -> None:
        """Let go of everything."""
        self._journal.close()
        self._store.close()
        self.database.close()

    def _key(self) -> str:
        self._keys += 1
        return f"scene-{self._keys}"
