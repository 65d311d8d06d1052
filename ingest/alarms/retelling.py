"""An occurrence told again by its audit rows: which facts of its own row must follow from them (ALARMS §1.10).

The instants of the devices (``raised_at``, ``returned_at``) are not in the audit; the recount of the journal knows.
Nor is the priority, nor whether an alarm latches that has not waited for a reset yet: the rules know that.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from devices.kind import worst_priority
from ingest.alarms.states import row_state

_ACTIVE = frozenset({"UNACK", "ACKED"})
_SEEN = frozenset({"ACKED", "LATCHED", "CLOSED"})
_HIDDEN_OTHERWISE = frozenset({"shelved", "out_of_service"})


class AuditRow(NamedTuple):
    """The columns of an audit row that tell of an occurrence."""

    occurrence: str
    seq: int
    at: int
    actor: str
    action: str
    point: str
    case: str | None
    version_before: int | None
    version_after: int
    state_before: str
    state_after: str
    level: int
    value: float | None
    unit: str
    rule: str
    rule_version: str
    reason: str


class Rank(NamedTuple):
    """What a version of a rule gives its alarms: the priority of each level, and whether they latch."""

    priorities: tuple[str, ...]
    latch: bool


Ranks = Mapping[tuple[str, str], Rank]
"""By rule and version."""


class Told:
    """The facts of one occurrence, as its audit rows are taken in one by one."""

    def __init__(self, born: AuditRow) -> None:
        """Begin with the first row there is."""
        self.last = born
        self.rows = 0
        self._torn: str | None = None
        self._noticed_at: int | None = None
        self._rule_born = born.rule_version
        self._activations = self._level_acked = self._peak = 0
        self._peak_above: int | None = None
        # Of this activation, since the worst of them gives the priority; no level: the peak's.
        self._ranked: list[tuple[str, int | None]] = [(born.rule_version, born.level)]
        self._acked: tuple[int, str] | None = None
        self._reset: tuple[int, str] | None = None
        self._closed_at: int | None = None
        self._latched: bool | None = None
        self._verdicts: set[tuple[int, str]] = set()
        self._judged = False
        self._folded: bool | None = False

    def take(self, row: AuditRow) -> None:
        """Take in the next row."""
        if self.rows == 0 and row.version_before is None:
            self._noticed_at, self._activations, self._peak = row.at, 1, row.level
        elif self.rows == 0:
            self._torn = f"its audit rows begin with row {row.seq} at version {row.version_before}, not with its birth"
        elif (row.version_before, row.state_before) != (self.last.version_after, self.last.state_after):
            self._torn = self._torn or (
                f"audit row {row.seq} goes on from version {row.version_before} {row.state_before}, "
                f"the one before it ends at {self.last.version_after} {self.last.state_after}"
            )
        else:
            self._moved(row)
        self._answered(row)
        self._hidden(row)
        self.rows += 1
        self.last = row

    def _moved(self, row: AuditRow) -> None:
        was_active = row.state_before in _ACTIVE
        if row.action in ("raise", "change"):
            self._peak = max(self._peak, row.level)
            if not was_active:
                self._activations, self._level_acked, self._ranked = self._activations + 1, 0, []
            self._ranked.append((row.rule_version, row.level))
        elif row.action == "late":
            # How bad it had been is on no audit row: worse than anything before, and of that priority.
            self._peak_above, self._ranked = self._peak, [(row.rule_version, None)]

    def _answered(self, row: AuditRow) -> None:
        if row.state_after in _SEEN and row.state_before not in _SEEN:
            self._acked = self._acked or (row.at, row.actor)
            if row.version_before is not None:
                self._level_acked = max(row.level, self._level_acked)
        if row.state_after == "LATCHED":
            self._latched = True
        if row.state_after == "CLOSED" and row.state_before != "CLOSED":
            self._closed_at, self._latched = row.at, row.action == "reset"
            if row.action == "reset":
                self._reset = (row.at, row.actor)
        if row.action == "verdict" or (row.action in ("ack", "decide") and row.reason == "false_alarm"):
            self._verdicts.add((row.at, row.actor))
            self._judged = self._judged or row.action == "verdict"

    def _hidden(self, row: AuditRow) -> None:
        if row.action in ("fold", "unfold"):
            self._folded = row.reason != ""
        elif row.action not in ("raise", "change", "passage", "late"):
            return
        elif row.reason == "by_design":
            self._folded = True
        elif row.reason in _HIDDEN_OTHERWISE:
            self._folded = None

    def differences(self, row: Mapping[str, Any], ranks: Ranks) -> Iterator[str]:
        """Yield what stands in the occurrence's own row and what the record says, where they are not the same."""
        if self._torn is not None:
            yield self._torn
        elif row_state(row) != self.last.state_after:
            yield f"it stands as {row_state(row)}, the record says {self.last.state_after}"
        for column, told in self._columns(row, ranks):
            if row[column] != told:
                yield f"{column} is {_shown(row[column])}, the record says {_shown(told)}"
        if self._torn is not None:
            return
        if self._peak_above is not None and row["level_peak"] <= self._peak_above:
            yield f"level_peak is {row['level_peak']}, the record says more than {self._peak_above}"
        if (row["returned_at"] is None) != (self.last.state_after in _ACTIVE):
            yield f"returned_at is {_shown(row['returned_at'])}, the record says {self.last.state_after}"
        if not row["point"].startswith(f"{row['device']}/"):
            yield f"device is {row['device']}, the record says {self.last.point}"
        verdict = (row["verdict_at"], row["verdict_by"])
        if (verdict not in self._verdicts) if row["verdict"] is not None else self._judged:
            yield f"verdict is {_shown(row['verdict'])}, the record says {'one' if self._judged else 'none'} was given"
        if self._folded is not None and (row["cause"] is not None) != self._folded:
            yield f"cause is {_shown(row['cause'])}, the record says it is {'' if self._folded else 'not '}folded"

    def ranked(self, ranks: Ranks) -> bool:
        """Tell whether the rules that gave its priority are known."""
        return all((self.last.rule, version) in ranks for version, _ in self._ranked)

    def _columns(self, row: Mapping[str, Any], ranks: Ranks) -> Iterator[tuple[str, Any]]:
        last = self.last
        for column in ("point", "rule", "rule_version", "unit", "value", "case"):
            yield column, getattr(last, column)
        if "." in last.rule:
            yield "kind", last.rule.partition(".")[0]
        yield "version", last.version_after
        yield "level_now", last.level
        yield "active", last.state_after in _ACTIVE
        yield "acked", last.state_after in _SEEN
        if self._torn is not None:
            return
        yield "closed_at", self._closed_at
        yield "noticed_at", self._noticed_at
        yield "activations", self._activations
        yield "level_acked", self._level_acked
        yield from zip(("acked_at", "acked_by"), self._acked or (None, None), strict=True)
        yield from zip(("reset_at", "reset_by"), self._reset or (None, None), strict=True)
        if self._peak_above is None:
            yield "level_peak", self._peak
        latched, born = self._latched, ranks.get((last.rule, self._rule_born))
        if latched is None and born is not None:
            latched = born.latch
        if latched is not None:
            yield "latched", latched
        if self.ranked(ranks):
            yield from self._priority(row, ranks)

    def _priority(self, row: Mapping[str, Any], ranks: Ranks) -> Iterator[tuple[str, str]]:
        found = []
        for version, level in self._ranked:
            priorities = ranks[self.last.rule, version].priorities
            worst = row["level_peak"] if level is None else level
            if not 0 < worst <= len(priorities):
                return
            found.append(priorities[worst - 1])
        yield "priority", worst_priority(found)


def _shown(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
