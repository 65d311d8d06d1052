"""Curves for print: values over time with limits and instants, small SVG drawings without scripts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from cockpit.report_plots import SHADES

_WIDE, _HIGH, _LEFT, _RIGHT, _FOOT, _HEAD = 720, 210, 52, 96, 24, 34
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600)
# Told apart by their dashes too, on a printer without colours.
_LINES = (
    ("#16202a", ""),
    ("#b3581a", "6 3"),
    ("#1a6fb3", "2 2"),
    ("#4d8a3a", "8 3 2 3"),
    ("#8a4d9e", "1 3"),
    ("#777", "4 4"),
)
_MOST_DOTS = 150

Point = tuple[int, float | str | None, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; ``steps`` for what keeps its value until it is told anew, as a state does."""

    name: str
    points: Sequence[Point]
    steps: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """A line across, with the words beside it."""

    value: float
    priority: str
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant with a word."""

    at_ms: int
    word: str


def plot(
    label: str,
    unit: str,
    lines: Sequence[Line],
    levels: Sequence[Level],
    marks: Sequence[Mark],
    span: tuple[int, int],
    zone: ZoneInfo,
) -> str:
    """Return curves over a span as a figure; empty when there is no number among them."""
    values = [value for line in lines for _, value, _ in line.points if isinstance(value, float | int)]
    if not values:
        return ""
    low, high = _range([*values, *(level.value for level in levels)])
    across = _Across(span, low, high)
    drawn = [*_scale(across, unit), *_times(across, span, zone)]
    for level in levels:
        y = across.y(level.value)
        drawn.append(f'<line x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_shade(level)}" '
                     'stroke-width="1.5" stroke-dasharray="5 3"/>')  # fmt: skip
        drawn.append(_text(_WIDE - _RIGHT + 4, y + 4, level.words, "start"))
    drawn += _marks(across, marks, span)
    for place, line in enumerate(lines):
        drawn += _curve(across, line, *_LINES[place % len(_LINES)])
    legend = ""
    if len(lines) > 1:
        legend = "".join(
            f'<li><svg viewBox="0 0 24 10" aria-hidden="true"><line x1="0" x2="24" y1="5" y2="5" stroke-width="2" '
            f'stroke="{shade}" stroke-dasharray="{dash}"/></svg>{escape(line.name)}</li>'
            for line, (shade, dash) in zip(lines, (_LINES[n % len(_LINES)] for n in range(len(lines))), strict=True)
        )
        legend = f'<ul class="legend wide">{legend}</ul>'
    return (
        f'<figure><figcaption>{escape(label)}</figcaption><svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(drawn)}</svg>{legend}</figure>'
    )


class _Across:
    def __init__(self, span: tuple[int, int], low: float, high: float) -> None:
        self._span, self.low, self.high = span, low, high

    def x(self, at_ms: float) -> float:
        begin, end = self._span
        return _LEFT + (at_ms - begin) / max(1, end - begin) * (_WIDE - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _HIGH - _FOOT - (value - self.low) / (self.high - self.low) * (_HIGH - _FOOT - _HEAD)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        return low - 1, high + 1
    # A scale that almost begins at nothing begins there.
    if 0 <= low < 0.4 * high:
        low = 0.0
    return low, high + 0.06 * (high - low)


def _scale(across: _Across, unit: str) -> Iterator[str]:
    yield _text(0, 12, unit, "start")
    spread = across.high - across.low
    digits = 0 if spread >= 20 else 1 if spread >= 2 else 3
    for quarter in (0.0, 0.5, 1.0):
        value = across.low + quarter * spread
        y = across.y(value)
        yield f'<line x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ccc"/>'
        yield _text(_LEFT - 5, y + 4, f"{value:,.{digits}f}", "end")


def _times(across: _Across, span: tuple[int, int], zone: ZoneInfo) -> Iterator[str]:
    length_s = (span[1] - span[0]) / 1000
    step_s = next((step for step in _STEPS_S if length_s / step <= 8), _STEPS_S[-1])
    offset = datetime.fromtimestamp(span[0] / 1000, zone).utcoffset()
    shift_s = int(offset.total_seconds()) if offset is not None else 0
    at_s = -(-(span[0] // 1000 + shift_s) // step_s) * step_s - shift_s
    while at_s * 1000 < span[1]:
        x = across.x(at_s * 1000)
        words = datetime.fromtimestamp(at_s, zone).strftime("%H:%M:%S" if step_s < 60 else "%H:%M")
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_HIGH - _FOOT}" y2="{_HIGH - _FOOT + 4}" stroke="#777"/>'
        yield _text(x, _HIGH - 7, words, "middle")
        at_s += step_s


def _marks(across: _Across, marks: Sequence[Mark], span: tuple[int, int]) -> Iterator[str]:
    """Draw instants; words that would lie upon each other stand in two rows, those that still would are left out."""
    ends = [-1.0, -1.0]
    for mark in sorted(marks, key=lambda each: each.at_ms):
        if not span[0] <= mark.at_ms <= span[1]:
            continue
        x = across.x(mark.at_ms)
        foot = _HIGH - _FOOT
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD - 4}" y2="{foot}" stroke="#555" stroke-dasharray="1 2"/>'
        wide = sum(11 if ord(sign) > 0x2E7F else 6 for sign in mark.word)
        row = next((n for n, end in enumerate(ends) if x - wide / 2 > end), None)
        if row is not None:
            ends[row] = x + wide / 2 + 4
            yield _text(x, _HEAD - 8 - 12 * row, mark.word, "middle")


def _curve(across: _Across, line: Line, shade: str, dash: str) -> Iterator[str]:
    path, pen = [], "M"
    for at_ms, value, _ in line.points:
        if not isinstance(value, float | int):
            pen = "M"
            continue
        x, y = across.x(at_ms), across.y(value)
        path.append(f"H{x:.1f}V{y:.1f}" if line.steps and pen == "L" else f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    yield f'<path d="{"".join(path)}" fill="none" stroke="{shade}" stroke-width="1.6" stroke-dasharray="{dash}"/>'
    numbers = [point for point in line.points if isinstance(point[1], float | int)]
    if len(numbers) <= _MOST_DOTS:
        for at_ms, value, quality in numbers:
            # What is doubtful is hollow.
            fill = "#fff" if quality else shade
            yield (
                f'<circle cx="{across.x(at_ms):.1f}" cy="{across.y(float(value or 0)):.1f}" r="2.2" '
                f'fill="{fill}" stroke="{shade}"/>'
            )


def _shade(level: Level) -> str:
    return SHADES.get(level.priority, "#777")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
