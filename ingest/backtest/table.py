"""The result of a back-test for a terminal: alarms by priority and day, load on the officer, what vanishes, appears."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from devices.kind import PRIORITIES

Document = dict[str, Any]

_SIDES = ("before", "after")
_NAMED = 20
# What one position can bear and where it is too much, after ISA-18.2 (docs/indicators.md).
_LOAD = (
    ("per_10_min", "alarms in 10 minutes", "about 1, at most 2", 2.0, False),
    ("per_10_min_most", "  in the busiest 10 minutes", "at most 10", 10.0, False),
    ("per_hour", "alarms an hour", "about 6, at most 12", 12.0, False),
    ("flood_share", "10 minutes with a flood", "below 1 %", 0.01, True),
    ("busiest_share", "from the 10 busiest points", "below 5 %", 0.05, True),
)
_LISTS = (("vanish", "would vanish"), ("appear", "would appear"), ("moved", "would have another priority"))


def lines(found: Document, span: tuple[int, int], shown: Callable[[int | None], str]) -> Iterator[str]:
    """Yield a result line by line; ``shown`` tells an instant by the site's clock."""
    what = "values judged of history" if found["source"] == "history" else "records judged"
    yield f"{shown(span[0])} to {shown(span[1])}: {found['records']:,} {what}, rules {', '.join(found['rules'])}"
    if found["not_judged"]:
        yield f"not judged: {', '.join(found['not_judged'])} (history holds one field at a time; see --source journal)"
    yield ""
    yield f"{'':30}{'in force':>12}{'draft':>12}"
    for word, key in (("alarms", "activations"), ("alarms a day", "per_day")):
        yield f"{word:30}" + "".join(f"{_figure(found[side][key]):>12}" for side in _SIDES)
    for priority in PRIORITIES:
        yield f"  {priority:28}" + "".join(f"{found[side]['priorities'][priority]:>12,}" for side in _SIDES)
    yield ""
    yield from _days(found)
    yield f"{'load on the officer':30}{'in force':>12}{'draft':>12}  ISA-18.2"
    for key, word, target, most, share in _LOAD:
        cells = "".join(f"{_marked(found[side][key], most, share):>12}" for side in _SIDES)
        yield f"{word:30}{cells}  {target}"
    chattering = "".join(f"{_marked(len(found[side]['chattering']), 0, False):>12}" for side in _SIDES)
    yield f"{'chattering points':30}{chattering}  none"
    yield ""
    for key, word in _LISTS:
        yield from _list(found[key]["count"], found[key]["items"], word, shown)
    missed = found["verdicts"]
    yield from _list(missed["missed"], missed["missed_items"], "confirmed and would be missed", shown)
    yield sentence(missed)


def sentence(verdicts: Document) -> str:
    """Return what people's findings say of a change."""
    spared, false = verdicts["spared"], verdicts["false_alarms"]
    missed, confirmed = verdicts["missed"], verdicts["confirmed"]
    alarms = "alarm" if spared == 1 else "alarms"
    absent = verdicts.get("absent", 0)
    others = f"; {absent} more {'is' if absent == 1 else 'are'} not in this recording" if absent else ""
    return (
        f"this change would have spared {spared} nuisance {alarms} and missed {missed} confirmed "
        f"(of {false} found false and {confirmed} that became a case{others})"
    )


def _days(found: Document) -> Iterator[str]:
    if not found["by_day"]:
        return
    days = {each["day"]: each for each in found["by_day"]}
    first, last = (datetime.fromisoformat(day).date() for day in (min(days), max(days)))
    head = "".join(f"{priority:>8}" for priority in PRIORITIES)
    yield f"{'day':12}{'in force':>10}{head}{'draft':>10}{head}"
    for number in range((last - first).days + 1):
        day = (first + timedelta(days=number)).isoformat()
        cells = ""
        for side in _SIDES:
            counts = days.get(day, {}).get(side, {})
            cells += f"{sum(counts.values()):>10,}" + "".join(f"{counts.get(each, 0):>8,}" for each in PRIORITIES)
        yield f"{day:12}{cells}"
    yield ""


def _list(count: int, items: list[Document], word: str, shown: Callable[[int | None], str]) -> Iterator[str]:
    yield f"{word}: {count:,}"
    for item in items[:_NAMED]:
        value = "" if item["value"] is None else f"{item['value']:g} {item['unit']}"
        priority = f"{item['was']} → {item['priority']}" if "was" in item else item["priority"]
        yield f"  {shown(item['at'])}  {priority:8}{item['point']}  {value}".rstrip()
        readings = item.get("readings")
        if readings:
            yield (
                "    "
                + "  ".join(f"{shown(at)[11:]} {_value(read)}{'?' * quality}" for at, read, quality in readings)
                + _rest(item["readings_of"] - len(readings))
            )
    if count > min(_NAMED, len(items)):
        yield f"  and {count - min(_NAMED, len(items)):,} more"


def _rest(count: int) -> str:
    return f"  and {count:,} more" if count else ""


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}".removesuffix(".0")


def _marked(value: float | None, most: float, share: bool) -> str:
    text = "-" if value is None else f"{100 * value:.1f} %" if share else _figure(value)
    return f"▲ {text}" if value is not None and value > most else text


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
