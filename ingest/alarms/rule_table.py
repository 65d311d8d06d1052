"""``python -m ingest.alarms.rule_table``: every shipped rule in one table, with source and grade; see docs/rules.md."""

from collections.abc import Iterator

from devices.catalog import Catalog, load_catalog
from devices.kind import Field, GroupLimit, Kind, Limit, NoData, in_both
from devices.signals import (
    Arming,
    Daylight,
    Deviation,
    Drop,
    Learned,
    Mean,
    Night,
    Outside,
    Rate,
    Registered,
    Share,
    Signal,
    Tagged,
    Together,
    Total,
    Weekly,
    While,
)
from ingest.alarms.offenders import REPEATED
from ingest.alarms.own_kind import COLLECTOR
from ingest.alarms.rules import BAD_DATA, CLOCK, EXPIRES, REPEAT_OFFENDER, VERIFY_DUE

_HEAD = (
    "| rule | 名称 | name | judged | levels | leaves | after | armed | source | grade |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
_PROPOSAL = "CityDeck proposal"
# Of every kind: rule, names, what is judged, levels, when it ends, source, grade.
_EVERYWHERE = (
    (CLOCK, "设备时钟超前", "clock ahead", "a message's own time", "> 5 min ahead health", "a right time", "C"),
    (BAD_DATA, "数据异常", "readings of bad quality", "what a device says of its readings", "bad health",
     "good again", "C"),
    (EXPIRES, "使用期限将到或已过", "end of life near or past", "the date in the site file",
     "30 d before health, past health", "another date", "C"),
    (VERIFY_DUE, "检定期限将到或已过", "verification due or overdue", "the date in the site file",
     "30 d before health, past health", "another date", "C"),
)  # fmt: skip


def table(catalog: Catalog) -> str:
    """Return the rules of a catalog as a table in Markdown, in the order of kinds and fields."""
    return "\n".join([*_HEAD, *_rows(catalog)])


def _rows(catalog: Catalog) -> Iterator[str]:
    for kind in (*catalog.kinds.values(), COLLECTOR):
        for measurement in kind.measurements:
            for field in measurement.fields:
                for limit in field.limits:
                    yield _row(f"{kind.key}.{field.key}.{limit.key}", limit, field.unit, _judged(field, limit), field)
        for group in kind.groups:
            yield _row(f"{kind.key}.{group.limit.key}", group.limit, group.unit, _gathered(group), None)
        if kind.no_data is not None:
            yield _silence(kind, kind.no_data)
    yield _row(REPEAT_OFFENDER, REPEATED, "passes", "overloads of one vehicle within 7 d", None)
    for rule, zh, en, judged, levels, leaves, grade in _EVERYWHERE:
        yield f"| `*.{rule}` | {zh} | {en} | {judged} | {levels} | {leaves} | 0 s | always | {_PROPOSAL} | {grade} |"


def _row(rule: str, limit: Limit, unit: str, judged: str, field: Field | None) -> str:
    cells = (
        f"`{rule}`",
        limit.zh,
        limit.en,
        judged,
        _levels(limit, limit.unit or unit, field),
        _leaves(limit),
        f"{limit.on_s:g} s",
        " and ".join(_armed(each) for each in limit.armed) or "always",
        in_both(limit.source).en,
        limit.grade,
    )
    return f"| {' | '.join(cells)} |"


def _silence(kind: Kind, rule: NoData) -> str:
    armed = f"{rule.while_field} says so" if rule.while_field else "always"
    level = f"{rule.after_s:g} s {rule.priority}"
    cells = (f"`{kind.key}.no_data`", "数据中断", "no data", "silence", level, "heard again", "0 s", armed)
    return f"| {' | '.join((*cells, in_both(rule.source).en, rule.grade))} |"


def _levels(limit: Limit, unit: str, field: Field | None) -> str:
    if limit.sense == "state":
        codes = field.codes if field is not None else {}
        named = [(codes[int(each.value)].en if int(each.value) in codes else "", each) for each in limit.levels]
        return ", ".join(f"{each.value:g} {name} {each.priority}".replace("  ", " ") for name, each in named)
    sign = "≥" if limit.sense == "above" else "≤"
    shown = "" if unit in ("1", "count") else f" {unit}"
    return ", ".join(f"{sign} {each.value:g}{shown} {each.priority}" for each in limit.levels)


def _leaves(limit: Limit) -> str:
    if limit.passage:
        return "happens once"
    words = "another state" if limit.sense == "state" else f"deadband {limit.deadband:g}"
    if limit.clears is not None:
        words = f"state {', '.join(f'{state:g}' for state in limit.clears)}"
    return f"{words} for {limit.off_s:g} s{', latched' if limit.latch else ''}"


def _judged(field: Field, limit: Limit) -> str:
    return f"{field.key}{_of_signal(limit.signal)}"


def _of_signal(signal: Signal | None) -> str:
    match signal:
        case None:
            return ""
        case Deviation():
            return f", difference from {signal.other}"
        case Rate():
            return f", slope over {signal.window_s:g} s"
        case Mean():
            over = "" if signal.over is None else f" above what {signal.over.attribute} permits"
            twice = f", {signal.in_a_row} windows in a row" if signal.in_a_row > 1 else ""
            return f", mean of {signal.window_s:g} s{twice}{over}"
        case Learned():
            return f", % of what is usual at this {signal.by}"
        case Drop():
            return f", fall within {signal.window_s:g} s outside of areas for {signal.elsewhere_than}"
        case Outside():
            return f" and lon, outside of areas for {signal.of} or inside of {signal.inside}"


def _gathered(group: GroupLimit) -> str:
    where = f" with {group.where[0]} = {group.where[1]}" if group.where else ""
    match group.of:
        case Share():
            among, of = (" and ".join(_armed(each) for each in some) for some in (group.of.among, group.of.of))
            return f"% of the {group.by}'s devices{where} with {among} that have {of}; {group.of.least} at least"
        case Total():
            return f"sum of {group.of.field} over a {group.by}"
        case Together():
            return f"devices of a {group.by} under {group.of.rule} within {group.of.within_s:g} s"


def _armed(arming: Arming) -> str:
    match arming:
        case While():
            if arming.values:
                return f"{arming.field} says so"
            low = "" if arming.low is None else f"{arming.low:g} ≤ "
            high = "" if arming.high is None else f" ≤ {arming.high:g}"
            return f"{low}{arming.field}{high}"
        case Registered():
            return f"{arming.attribute} {'none' if arming.but else 'one'} of {', '.join(arming.values)}"
        case Tagged():
            return f"{arming.tag} {'not ' if arming.but else ''}{arming.said}"
        case Night():
            return f"{arming.after_min:g} min past sunset to {arming.before_min:g} min before sunrise"
        case Daylight():
            return f"{arming.after_min:g} min past sunrise to {arming.before_min:g} min before sunset"
        case Weekly():
            return "in a weekly window"


if __name__ == "__main__":
    print(table(load_catalog()))
