"""Rules in force beside a draft, over the store's history: only what the draft changes is read and judged.

First the store itself is asked for the highest (or lowest) value of each device: where it reaches no level under
either rule there is nothing to judge, and nothing is read. The others' values come in columns, about a million at a
time, and are judged at once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from devices.kind import worst_priority
from devices.site import Site
from ingest.alarms.revisions.episodes import Episode, Episodes
from ingest.alarms.revisions.recordings import WARM_MS
from ingest.alarms.rules import Rule
from ingest.backtest.arming import armed
from ingest.backtest.columns import Samples, changes, loud
from ingest.backtest.figures import figures, judged_by_figures, within
from ingest.backtest.plan import FieldPlan, Plan
from ingest.errors import Refused
from ingest.store import Store
from ingest.store.history import Sought, Source

Tell = Callable[[int, int], None]

_BATCH = 1_000_000
# Each alarm is kept by itself: so many of both sides stay well below a gigabyte.
MOST_ALARMS = 1_000_000
# Looking for the extremes is the smaller part of the work, in hundredths of it.
_LOOK, _WHOLE = 30, 100


@dataclass(slots=True)
class Judged:
    """What a plan gives over a span: alarms under both, and how much there was.

    ``heard`` counts the devices that have values, ``devices`` and ``values`` those that had to be judged.
    """

    plan: Plan
    before: Episodes = field(default_factory=Episodes)
    after: Episodes = field(default_factory=Episodes)
    heard: int = 0
    devices: int = 0
    values: int = 0
    alarms: int = 0

    @property
    def rules(self) -> frozenset[str]:
        """Return the rules that were judged."""
        return self.plan.rules

    def touches(self, rule: str, device: str) -> bool:
        """Tell whether a rule was judged for a device."""
        return self.plan.touches(rule, device)


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples of several devices, ready to be judged; devices and tags by their numbers."""

    samples: Samples
    devices: tuple[str, ...]
    tags: tuple[str, ...]


def judged(store: Store, site: Site, found: Plan, from_ms: int, to_ms: int, tell: Tell = lambda _a, _b: None) -> Judged:
    """Judge [from, to) and the hour before by a plan; ``tell`` is told how far it is.

    Raises:
        StoreError: the store is away.
        Refused: ``unfit``, there are more alarms than can be listed.
    """
    result = Judged(found)
    parts = max(1, len(found.fields))
    for place, each in enumerate(found.fields):

        def told(done: float, begun: int = place) -> None:
            tell(round((begun + done) * _WHOLE), parts * _WHOLE)

        _field(store, site, each, (from_ms - WARM_MS, to_ms), result, told)
    tell(parts * _WHOLE, parts * _WHOLE)
    return result


def _field(
    store: Store, site: Site, each: FieldPlan, span: tuple[int, int], result: Judged, told: Callable[[float], None]
) -> None:
    sought = Sought(each.measurement, each.key, *span, each.tag)
    sources, heard = look(store, each, sought, lambda done, of: told(_LOOK / _WHOLE * done / max(1, of)))
    result.heard += heard
    done_devices = 0
    for batch in batches(store, sought, sources):
        judge(each, batch, site, result)
        done_devices += len(batch.devices)
        told((_LOOK + (_WHOLE - _LOOK) * done_devices / len(sources)) / _WHOLE)


def look(
    store: Store, each: FieldPlan, sought: Sought, tell: Tell = lambda _a, _b: None
) -> tuple[dict[str, list[Source]], int]:
    """Return the devices with a value that reaches a level of a rule that counts for them, and how many have values."""
    if not each.usual and not each.tag:
        # Only single devices are concerned, and they are known by name.
        named = {device: [Source(device)] for device in sorted(each.own) if each.of(device)}
        return named, sum(len(store.column(sought, some[0]).values) > 0 for some in named.values())
    senses = sorted({rule.limit.sense != "below" for rule in each.rules})
    sources: dict[str, list[Source]] = {}
    found: set[str] = set()
    for turn, highest in enumerate(senses):

        def told(done: int, of: int, turn: int = turn) -> None:
            tell(turn * of + done, len(senses) * of)

        extremes = store.extremes(sought, highest, told)
        for source, extreme in extremes.items():
            if turn == 0:
                sources.setdefault(source.device, []).append(source)
            if any(
                _may(rule, extreme, highest) for pair in each.of(source.device) for rule in (pair.before, pair.after)
            ):
                found.add(source.device)
    return {device: sources[device] for device in sorted(found)}, len(sources)


def _may(rule: Rule, extreme: float, highest: bool) -> bool:
    if (rule.limit.sense != "below") != highest:
        return False
    if judged_by_figures(rule):
        extreme = within(rule, extreme)
    if rule.limit.sense == "state":
        return extreme >= min(level.value for level in rule.limit.levels)
    return bool(loud(rule.limit, np.array([extreme])).any())


def batches(store: Store, sought: Sought, sources: dict[str, list[Source]]) -> Iterator[Batch]:
    """Yield the values of devices, about a million at a time, without those of bad quality.

    Raises:
        StoreError: the store is away, or a device has more values than are read at a time.
    """
    tags = tuple(dict.fromkeys(source.tag for some in sources.values() for source in some))
    names: list[str] = []
    parts: list[Samples] = []
    size = 0
    for device, some in sources.items():
        part = _device(store, sought, some, tags, len(names))
        names.append(device)
        parts.append(part)
        size += len(part.values)
        if size >= _BATCH:
            yield Batch(_together(parts), tuple(names), tags)
            names, parts, size = [], [], 0
    if names:
        yield Batch(_together(parts), tuple(names), tags)


def _device(store: Store, sought: Sought, sources: Sequence[Source], tags: Sequence[str], number: int) -> Samples:
    columns = [store.column(sought, source) for source in sources]
    tag = np.repeat(np.array([tags.index(source.tag) for source in sources], np.int16), [len(c.t_ms) for c in columns])
    t_ms, values, doubts_ms = columns[0]
    if len(columns) > 1:
        t_ms, values, doubts_ms = (np.concatenate(some) for some in zip(*columns, strict=True))
        order = np.argsort(t_ms, kind="stable")
        t_ms, values, tag = t_ms[order], values[order], tag[order]
    doubted = np.zeros(len(t_ms), np.bool_)
    behind = np.searchsorted(t_ms, doubts_ms)
    doubted[behind[behind < len(t_ms)]] = True
    return Samples(np.full(len(t_ms), number, np.int32), t_ms, values, tag, doubted)


def _together(parts: Sequence[Samples]) -> Samples:
    if len(parts) == 1:
        return parts[0]
    names = ("device", "t_ms", "values", "tag", "doubted")
    return Samples(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def judge(each: FieldPlan, batch: Batch, site: Site, result: Judged) -> None:
    """Judge a batch by all the rules that count for its devices.

    Raises:
        Refused: ``unfit``, there are more alarms than can be listed.
    """
    result.devices += len(batch.devices)
    result.values += len(batch.samples.values)
    turns: dict[tuple[str, str, bool], tuple[Rule, list[int]]] = {}
    for number, device in enumerate(batch.devices):
        for pair in each.of(device):
            for rule, is_draft in ((pair.before, False), (pair.after, True)):
                turns.setdefault((rule.id, rule.version, is_draft), (rule, []))[1].append(number)
    # Most drafts change a number: both sides judge the same figures.
    alike: dict[str, list[Rule]] = {}
    for rule, numbers in turns.values():
        if judged_by_figures(rule):
            alike.setdefault(_judged_alike(rule, numbers), []).append(rule)
    reduced: dict[str, Batch] = {}
    for (_, _, is_draft), (rule, numbers) in turns.items():
        side = result.after if is_draft else result.before
        judged_on = batch
        if judged_by_figures(rule):
            key = _judged_alike(rule, numbers)
            if key not in reduced:
                own = batch.samples.of(np.isin(batch.samples.device, numbers))
                reduced[key] = replace(batch, samples=figures(alike[key], own, batch.devices, site))
            judged_on = reduced[key]
        for episode in _episodes(rule, judged_on, numbers, site):
            result.alarms += 1
            if result.alarms > MOST_ALARMS:
                raise Refused(
                    "unfit",
                    f"There would be more than {MOST_ALARMS:,} alarms in the span; expected fewer: take a shorter one, "
                    f"or another value for {rule.id}.",
                    code="too_many_alarms",
                    values={"most": MOST_ALARMS, "rule": rule.id},
                )
            side.by_point.setdefault(episode.point, []).append(episode)


def _judged_alike(rule: Rule, numbers: Sequence[int]) -> str:
    return repr((rule.limit.signal, numbers))


def _episodes(rule: Rule, batch: Batch, numbers: Sequence[int], site: Site) -> Iterable[Episode]:
    """Yield the alarms of some devices under one rule, device by device and oldest first."""
    wanted = np.zeros(len(batch.devices), np.bool_)
    wanted[numbers] = True
    whole = batch.samples
    some = whole if len(numbers) == len(batch.devices) else whole.of(wanted[whole.device])
    reaching = np.zeros(len(batch.devices), np.bool_)
    reaching[some.device[loud(rule.limit, some.values)]] = True
    if not reaching.any():
        return
    if not reaching[numbers].all():
        some = some.of(reaching[some.device])
    test = armed(rule.limit.armed, some, batch.devices, batch.tags, site) if rule.limit.armed else None
    found = changes(rule.limit, rule.stale_after_ms, some, test)
    columns = (some.device[found.at], some.t_ms[found.at], some.values[found.at], found.level)
    open_one: Episode | None = None
    last = -1
    for number, at_ms, value, level in zip(*(column.tolist() for column in columns), strict=True):
        if number != last and open_one is not None:
            yield open_one
            open_one = None
        last = number
        if open_one is None:
            device = batch.devices[number]
            point = f"{device}/{rule.field}.{rule.limit.key}"
            priority = rule.priority(level)
            open_one = Episode(
                point, rule.id, device, rule.kind, at_ms, at_ms, None, level, priority, value, rule.unit, False
            )
        elif level == 0:
            open_one.end_ms = at_ms
            yield open_one
            open_one = None
        else:
            open_one.level = max(open_one.level, level)
            open_one.priority = worst_priority((open_one.priority, rule.priority(level)))
    if open_one is not None:
        yield open_one
