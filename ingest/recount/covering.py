"""Which rules a recount may judge, and which it must not: it never says 0 of what it did not look at."""

from collections import Counter
from collections.abc import Iterable, Mapping

from devices.site import Site
from ingest.alarms.dates import DATES_VERSION
from ingest.alarms.own_kind import COLLECTOR
from ingest.alarms.rules import (
    BAD_DATA,
    BAD_DATA_VERSION,
    CLOCK,
    CLOCK_VERSION,
    EXPIRES,
    VERIFY_DUE,
    GroupRule,
    Rule,
    SilenceRule,
)
from ingest.recount.in_force import InForce, rule_for
from ingest.recount.levels import at_rest
from ingest.recount.record import Written
from ingest.recount.state import Gathered, Heard, Memory


class Cover:
    """The rules in force, as far as the record was made by them."""

    def __init__(
        self,
        site: Site,
        in_force: InForce,
        forgotten: set[str],
        written: Iterable[Written],
        heard: Mapping[str, int] | None = None,
    ) -> None:
        """Find out what cannot be judged.

        Args:
            site: of the recount.
            in_force: the rules by which it was made.
            forgotten: rules of which too little was known at the beginning.
            written: the record; a rule that bore an occurrence under numbers nobody knows is not judged.
            heard: where each device was heard first, when it is not known what was before.
        """
        self._heard = heard
        self._silences = {rule.id for rule in in_force.book.silence.values()}
        kinds = [*site.catalog.kinds, COLLECTOR.key]
        fixed = {f"{kind}.{CLOCK}": CLOCK_VERSION for kind in kinds}
        fixed |= {f"{kind}.{BAD_DATA}": BAD_DATA_VERSION for kind in kinds}
        fixed |= {f"{kind}.{key}": DATES_VERSION for kind in kinds for key in (EXPIRES, VERIFY_DUE)}
        self._forgotten = forgotten
        self._changed: dict[str, str] = {}
        self._unknown: Counter[str] = Counter()
        for each in written:
            known = {fixed[each.rule]} if each.rule in fixed else in_force.versions(each.device, each.rule)
            if not known:
                self._unknown[each.rule] += 1
            elif each.version and each.version not in known:
                self._changed.setdefault(each.rule, each.version)

    def covers(self, rule: str, device: str, position: int) -> bool:
        """Tell whether a line is judged."""
        if self._heard is not None and rule in self._silences and position <= self._heard.get(device, position):
            return False
        return rule not in self._unknown and rule not in self._changed and rule not in self._forgotten

    def sentences(self) -> list[str]:
        """Return what is not judged, and why."""
        return [
            *(f"{rule}: not in force now, {count} lines on record" for rule, count in sorted(self._unknown.items())),
            *(
                f"{rule}: the record was made by version {old}, which neither the site file nor a revision holds now"
                for rule, old in sorted(self._changed.items())
            ),
            *(f"{rule}: remembers for longer than the journal reaches back" for rule in sorted(self._forgotten)),
            *(["silence of devices that were not heard since the beginning"] if self._heard is not None else []),
        ]


def seed(in_force: InForce, memory: Memory, device: str, rule: str, level: int) -> None:
    """Let a rule be on from the beginning, because the record says so."""
    found = rule_for(in_force.book, device, rule)
    kind, _, key = rule.partition(".")
    if isinstance(found, GroupRule):
        gathered = memory.groups.setdefault(device, Gathered())
        flip = gathered.flips[rule] = at_rest(found.group.limit)
        flip.on[:level] = [True] * level
        return
    heard = memory.devices.setdefault(device, Heard(kind, memory.now_ms))
    if isinstance(found, Rule):
        flip = heard.flips[rule] = at_rest(found.limit)
        flip.on[:level] = [True] * level
    elif isinstance(found, SilenceRule):
        heard.silent = True
    elif key == CLOCK:
        heard.ahead = True
    elif key == BAD_DATA:
        # Of what, nobody knows any more: the next reading tells.
        heard.bad = {"?"}
    elif key in (EXPIRES, VERIFY_DUE):
        heard.dates[key] = level
