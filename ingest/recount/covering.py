"""Which rules a recount may judge, and which it must not: it never says 0 of what it did not look at."""

from collections import Counter
from collections.abc import Iterable

from devices.site import Site
from ingest.alarms.dates import DATES_VERSION
from ingest.alarms.own_kind import COLLECTOR
from ingest.alarms.rules import CLOCK, CLOCK_VERSION, EXPIRES, VERIFY_DUE, GroupRule, Rule, SilenceRule, rule_book
from ingest.recount.levels import at_rest
from ingest.recount.record import Written
from ingest.recount.state import Gathered, Heard, Memory


class Cover:
    """The rules in force, as far as the record was made by them."""

    def __init__(self, site: Site, forgotten: set[str], written: Iterable[Written]) -> None:
        """Find out what cannot be judged.

        Args:
            site: with the rules in force now.
            forgotten: rules of which too little is known at the beginning.
            written: the record; a rule that bore an occurrence under other numbers is not judged.
        """
        self._book = rule_book(site)
        kinds = [*site.catalog.kinds, COLLECTOR.key]
        self._fixed = {f"{kind}.{key}": CLOCK_VERSION for kind in kinds for key in (CLOCK,)}
        self._fixed |= {f"{kind}.{key}": DATES_VERSION for kind in kinds for key in (EXPIRES, VERIFY_DUE)}
        self._forgotten = forgotten
        self._changed: dict[str, str] = {}
        self._unknown: Counter[str] = Counter()
        for each in written:
            if each.rule not in self._book.by_id and each.rule not in self._fixed:
                self._unknown[each.rule] += 1
            elif each.version and each.version != self._version(each.device, each.rule):
                self._changed.setdefault(each.rule, each.version)

    def covers(self, rule: str) -> bool:
        """Tell whether a rule is judged."""
        return rule not in self._unknown and rule not in self._changed and rule not in self._forgotten

    def sentences(self) -> list[str]:
        """Return what is not judged, and why."""
        return [
            *(f"{rule}: not in force now, {count} lines on record" for rule, count in sorted(self._unknown.items())),
            *(
                f"{rule}: the record was made by version {old}, which is not the one in force"
                for rule, old in sorted(self._changed.items())
            ),
            *(f"{rule}: remembers for longer than the journal reaches back" for rule in sorted(self._forgotten)),
        ]

    def _version(self, device: str, rule: str) -> str:
        fixed = self._fixed.get(rule)
        if fixed is not None:
            return fixed
        own = (self._book.own or {}).get(device, {}).get(rule) or self._book.own_groups.get((rule, device))
        return (own or self._book.by_id[rule]).version

    @staticmethod
    def seed(site: Site, memory: Memory, device: str, rule: str, level: int) -> None:
        """Let a rule be on from the beginning, because the record says so."""
        book = rule_book(site)
        found = (book.own or {}).get(device, {}).get(rule) or book.by_id.get(rule)
        kind, _, key = rule.partition(".")
        if isinstance(found, GroupRule):
            gathered = memory.groups.setdefault(device, Gathered())
            gathered.standing.append(rule)
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
        elif key in (EXPIRES, VERIFY_DUE):
            heard.dates[key] = level
