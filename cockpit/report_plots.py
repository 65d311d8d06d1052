"""Plots for print: small SVG drawings without scripts, dark lines on white; shape and words beside grey."""

from collections.abc import Sequence
from html import escape

_HIGH, _LEFT, _FOOT, _HEAD = 170, 46, 24, 22
# The hours of a day are scrolled on a phone; a week fits on it.
_DAY_WIDE, _WEEK_WIDE = 640, 360
# Shades that stay apart on a printer without colours; the order is that of the priorities.
SHADES = {"P1": "#b3161b", "P2": "#d9700a", "P3": "#e3c13b", "P4": "#7fa8d4", "health": "#b8b8c4"}


def stacks(label: str, unit: str, names: Sequence[str], parts: Sequence[tuple[str, Sequence[int]]]) -> str:
    """Return one bar for each name, of parts (key of a shade, number for each name) on top of each other."""
    totals = [sum(numbers[place] for _, numbers in parts) for place in range(len(names))]
    top = _top(max(totals, default=0))
    drawn = _scale(top, unit, 0, _DAY_WIDE)
    for place, name in enumerate(names):
        x, width = _slot(place, len(names), _DAY_WIDE)
        floor = 0.0
        for key, numbers in parts:
            if number := numbers[place]:
                drawn.append(_bar(x, width, floor, floor + number, top, SHADES[key], f"{name} {key} {number}"))
                floor += number
        if totals[place]:
            drawn.append(_text(x + width / 2, _y(floor, top) - 3, str(totals[place]), "middle"))
        drawn.append(_text(x + width / 2, _HIGH - 8, name, "middle"))
    return _svg(label, drawn, "day", _DAY_WIDE)


def days(label: str, unit: str, values: Sequence[tuple[str, float | None]], digits: int, nothing: str) -> str:
    """Return one bar for each day; a day of which nothing is known has a dash."""
    known = [value for _, value in values if value is not None]
    top = _top(max(known, default=0.0))
    drawn = _scale(top, unit, 0 if top >= 4 else 1, _WEEK_WIDE)
    for place, (name, value) in enumerate(values):
        x, width = _slot(place, len(values), _WEEK_WIDE)
        if value is None:
            drawn.append(_text(x + width / 2, _HIGH - _FOOT - 4, nothing, "middle"))
        else:
            words = f"{value:,.{digits if value < 1_000 else 0}f}"
            drawn.append(_bar(x, width, 0, value, top, "#3d6f85", f"{name} {words}"))
            drawn.append(_text(x + width / 2, _y(value, top) - 3, words, "middle"))
        drawn.append(_text(x + width / 2, _HIGH - 8, name, "middle"))
    return _svg(label, drawn, "week", _WEEK_WIDE)


def _top(most: float) -> float:
    """Return the next of 1, 2, 4, 5, 10 times a power of ten."""
    if most <= 0:
        return 1.0
    power = 1.0
    while power * 10 < most:
        power *= 10
    while power > most:
        power /= 10
    return next(step * power for step in (1, 2, 4, 5, 10) if step * power >= most)


def _scale(top: float, unit: str, digits: int, wide: int) -> list[str]:
    drawn = [_text(0, 12, unit, "start")]
    for quarter in (0.0, 0.5, 1.0):
        y = _y(top * quarter, top)
        drawn.append(f'<line x1="{_LEFT}" x2="{wide}" y1="{y:.1f}" y2="{y:.1f}" stroke="#bbb"/>')
        drawn.append(_text(_LEFT - 5, y + 4, f"{top * quarter:,.{digits or (1 if top < 2 else 0)}f}", "end"))
    return drawn


def _slot(place: int, count: int, wide: int) -> tuple[float, float]:
    each = (wide - _LEFT) / max(1, count)
    return _LEFT + each * (place + 0.15), each * 0.7


def _y(value: float, top: float) -> float:
    return _HIGH - _FOOT - value / top * (_HIGH - _FOOT - _HEAD)


def _bar(x: float, width: float, low: float, high: float, top: float, shade: str, words: str) -> str:
    y, foot = _y(high, top), _y(low, top)
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(0.5, foot - y):.1f}" fill="{shade}">'
        f"<title>{escape(words)}</title></rect>"
    )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(label: str, drawn: Sequence[str], span: str, wide: int) -> str:
    return (
        f'<figure class={span}><figcaption>{escape(label)}</figcaption><svg viewBox="0 0 {wide} {_HIGH}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(drawn)}</svg></figure>'
    )
