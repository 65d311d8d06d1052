"""What one process of a site does for all, by the steward's lease: timers, escalation, notices, the watchdog's absence.

Collectors and cockpits all offer themselves, so that the last of them still calls somebody.
"""

import secrets
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from devices.site import Site
from ingest.alarms import device_health, offenders
from ingest.alarms import timers as alarm_timers
from ingest.alarms.absence import Absence
from ingest.alarms.audit import SYSTEM, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.cases import timers as case_timers
from ingest.cases.opening import register_from_alarm
from ingest.cases.records import CaseRules
from ingest.notices import courier, deliveries
from ingest.notices.escalating import escalate
from ingest.steward import Duty, Steward

_SECOND_MS = 1_000
_HOUR_MS = 3_600_000


class Stewardship:
    """The steward with its duties, and the couriers, who send only while it holds the lease."""

    # GB/T 45839 §5.10.4: a P1 is out by two kinds of channel within 15 s.
    NOTICES_EVERY_MS = 1_000

    def __init__(self, site: Site, database: AlarmDatabase, name: str, clock_ms: Callable[[], int]) -> None:
        """Prepare; ``site`` is the whole one, whatever shard this process collects."""
        rules = CaseRules(site)
        absence = Absence(database, tuple(site.shards) or ("main",), clock_ms())

        def open_case(connection: sa.Connection, chain: AuditWriter, alarm: dict[str, Any], now_ms: int) -> str:
            return register_from_alarm(connection, chain, rules, alarm, SYSTEM, now_ms)

        duties = [
            Duty("alarm timers", _SECOND_MS, lambda now_ms: alarm_timers.due(database, now_ms)),
            Duty("case timers", _SECOND_MS, lambda now_ms: case_timers.due(database, now_ms)),
            Duty("repeat offenders", _SECOND_MS, lambda now_ms: offenders.look(database, now_ms)),
            Duty("watchdog", 5 * _SECOND_MS, absence.judge),
            # The announcement before the escalation that follows it.
            Duty("notices", self.NOTICES_EVERY_MS, lambda now_ms: deliveries.take_out(database, site, now_ms)),
            Duty("escalation", _SECOND_MS, lambda now_ms: escalate(database, now_ms, open_case)),
            Duty("dead letters", 60 * _SECOND_MS, lambda now_ms: deliveries.give_up(database, now_ms)),
            Duty("old device health", _HOUR_MS, lambda now_ms: device_health.forget(database, now_ms)),
            Duty("old notices", _HOUR_MS, lambda now_ms: deliveries.forget(database, now_ms)),
        ]
        self.steward = Steward(database, f"{name}-{secrets.token_hex(4)}", clock_ms, duties)
        self._couriers = courier.couriers(site.channels, database, clock_ms, lambda: self.steward.holds)

    def start(self) -> None:
        """Begin in threads of their own."""
        self.steward.start()
        for each in self._couriers:
            each.start()

    def stop(self) -> None:
        """End; another process takes over at once."""
        courier.stop(self._couriers)
        self.steward.stop()
