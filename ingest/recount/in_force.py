"""The rules in force at a record, and those of before that open alarms stay with (ALARMS §2, "rule edited")."""

from devices.kind import Limit
from devices.site import Site
from ingest.alarms.revisions.revision import SITE_FILE, Revision
from ingest.alarms.rules import GroupRule, Rule, RuleBook, SilenceRule, rule_book
from ingest.recount.levels import Flip, at_rest, feed
from ingest.recount.state import Gathered, Heard, Judged, Memory, Stays

AnyRule = Rule | SilenceRule | GroupRule


def rule_for(book: RuleBook, name: str, rule_id: str) -> AnyRule | None:
    """Return a rule as it stands for a device or group."""
    own = (book.own or {}).get(name, {}).get(rule_id) or book.own_groups.get((rule_id, name))
    return own or book.by_id.get(rule_id)


class InForce:
    """The rule books by revision. ``site`` has the limits of the one in force."""

    def __init__(self, site: Site, memory: Memory) -> None:
        self._plain = site
        self._memory = memory
        self._books: dict[int, RuleBook] = {}
        self._take(memory.revision)

    def _take(self, number: int) -> None:
        self._memory.revision = number
        self.site = self._memory.revisions.get(number, SITE_FILE).over(self._plain)
        self.book = self._books[number] = rule_book(self.site)

    def adopt(self, revision: Revision) -> None:
        """Judge by a revision from now on; what is open stays with the rules it was raised by."""
        number = self._memory.revision
        before = self.book
        self._memory.revisions[revision.number] = revision
        self._take(revision.number)
        holders: list[tuple[str, Heard | Gathered]] = [*self._memory.devices.items(), *self._memory.groups.items()]
        for name, holder in holders:
            standing = [rule_id for rule_id, flip in holder.flips.items() if flip.level]
            if isinstance(holder, Gathered):
                standing += holder.standing
            for rule_id in standing:
                self._settle(name, holder, rule_id, before, number)

    def _settle(self, name: str, holder: Heard | Gathered, rule_id: str, before: RuleBook, number: int) -> None:
        stays = holder.stays.get(rule_id)
        now = rule_for(self.book, name, rule_id)
        was = rule_for(before if stays is None else self._of(stays.revision), name, rule_id)
        if now is None or was is None:
            return
        if now.version == was.version:
            holder.stays.pop(rule_id, None)
        elif stays is None:
            flip = holder.flips.get(rule_id)
            fresh = None if flip is None else at_rest(limit_of(now), flip.last_ms)
            holder.stays[rule_id] = Stays(number, fresh)

    def versions(self, name: str, rule_id: str) -> set[str]:
        """Return the versions a rule has had for a device or group, as far as revisions are known."""
        found = (rule_for(self._of(number), name, rule_id) for number in {0, *self._memory.revisions})
        return {rule.version for rule in found if rule is not None}

    def limit(self, stays: Stays, name: str, rule: Rule | GroupRule) -> Limit:
        """Return the limit that an open alarm stays with."""
        was = rule_for(self._of(stays.revision), name, rule.id)
        return limit_of(rule if was is None else was)

    def both(
        self,
        holder: Heard | Gathered,
        name: str,
        rule: Rule | GroupRule,
        figures: tuple[float | None, float | None],
        at_ms: int,
        stale_after_ms: int,
    ) -> Judged:
        """Judge an open alarm by the rule it stays with and by the changed one, which take a figure each.

        The changed one takes over where it says worse, or where the old one returns.
        """
        stays, flip = holder.stays[rule.id], holder.flips[rule.id]
        old, new = self.limit(stays, name, rule), limit_of(rule)
        if stays.flip is None:
            stays.flip = at_rest(new, flip.last_ms)
        before = flip.level
        late = max(
            feed(old, flip, figures[0], at_ms, stale_after_ms), feed(new, stays.flip, figures[1], at_ms, stale_after_ms)
        )
        taken_over = flip.level == 0 or stays.flip.level > flip.level
        if taken_over:
            flip = stays.flip
            del holder.stays[rule.id]
            _put(holder.flips, rule.id, flip)
        return Judged(before, flip.level, late if late > max(before, flip.level) else 0, taken_over)

    def _of(self, number: int) -> RuleBook:
        if number not in self._books:
            self._books[number] = rule_book(self._memory.revisions.get(number, SITE_FILE).over(self._plain))
        return self._books[number]


def limit_of(rule: AnyRule) -> Limit:
    """Return the limit of a rule that has one.

    Raises:
        TypeError: it is about silence.
    """
    if isinstance(rule, SilenceRule):
        raise TypeError(f"{rule.id} has no limit")
    return rule.limit if isinstance(rule, Rule) else rule.group.limit


def _put(flips: dict[str, Flip], rule_id: str, flip: Flip) -> None:
    if flip.at_rest:
        flips.pop(rule_id, None)
    else:
        flips[rule_id] = flip
