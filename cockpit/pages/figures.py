"""Plotly figures of one field over time, with its limits, its gaps and its alarms, as plain dictionaries.

Colours are those of ``assets/10-tokens.css``: a figure cannot read CSS.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from cockpit.texts import Texts
from devices.kind import Field, Kind
from devices.units import UNITS

PRIORITY_COLOURS = {"P1": "#ff5a5f", "P2": "#ff9a3d", "P3": "#ffd84a", "P4": "#5aaeff", "health": "#b79bff"}
# Shape beside colour, the same shapes as the badges of the lists.
_PRIORITY_SYMBOLS = {"P1": "octagon", "P2": "triangle-up", "P3": "diamond", "P4": "circle", "health": "cross"}
_INK, _QUIET, _LINE, _DATA, _PANEL = "#e8eef4", "#a9b8c6", "#2a3947", "#63c7b8", "#121b25"
_QUALITIES = ("good", "uncertain", "bad")
_GAP_PERIODS = 3.0


@dataclass(frozen=True, slots=True)
class FigureStyle:
    """Words, time zone, and the root font size in pixels, so that a figure grows with the screen."""

    say: Texts
    zone: ZoneInfo
    rem: float


def series_figure(
    kind: Kind,
    name: str,
    series: Mapping[str, Any],
    alarms: Sequence[Mapping[str, Any]],
    style: FigureStyle,
    start_ms: int,
    stop_ms: int,
) -> dict[str, Any]:
    """Draw a Series of the API.

    Args:
        kind: the device's kind; says the unit and what counts as a gap.
        name: the field.
        series: as ``/api/v1/devices/{id}/series`` answers.
        alarms: those of the device; those raised in the window are marked on the time line.
        style: words, time zone and size.
        start_ms: left edge of the window.
        stop_ms: right edge of the window.
    """
    field = kind.field(name)
    points = [
        (int(t), value, _quality(quality)) for t, value, *quality in series.get("points", ()) if value is not None
    ]
    passing = any(m.passage and field in m.fields for m in kind.measurements)
    gap_ms = (
        math.inf
        if passing
        else max(kind.stale_after_s, kind.period_s * _GAP_PERIODS, 2.5 * float(series.get("step_s") or 0)) * 1000
    )
    gaps = _gaps([t for t, _, quality in points if quality != "bad"], gap_ms)
    traces = [_line(field, points, gaps, style), *_marked(points, style)]
    if passing:
        # What passes is one thing after another; a line between two lorries would say there was something in between.
        traces[0] |= {"mode": "markers", "marker": {"color": _DATA, "size": style.rem * 0.4}}
    shapes, notes = _limits(series.get("limits", ()), field, style, points)
    shapes += [_band(gap, style) for gap in gaps]
    lines, flags = _alarm_marks(alarms, name, style, start_ms, stop_ms)
    layout = _layout(field, style, start_ms, stop_ms, legend=any(quality != "good" for _, _, quality in points))
    layout["shapes"] = shapes + lines
    if series.get("limits_unread"):
        notes.append(_unread(style))
    layout["annotations"] = notes + ([] if points else [_nothing(style)])
    return {"data": [trace for trace in [*traces, flags] if trace], "layout": layout}


def _quality(found: Sequence[Any]) -> str:
    word = found[0] if found else "good"
    return _QUALITIES[word] if isinstance(word, int) and 0 <= word < len(_QUALITIES) else str(word)


def _local(at_ms: float, style: FigureStyle) -> str:
    # Plotly knows no time zones: it is given the wall clock of the site.
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(style.zone).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _gaps(times: Sequence[int], gap_ms: float) -> list[tuple[int, int]]:
    return [(a, b) for a, b in pairwise(times) if b - a > gap_ms]


def _line(
    field: Field, points: Sequence[tuple[int, Any, str]], gaps: Sequence[tuple[int, int]], style: FigureStyle
) -> dict[str, Any]:
    breaks = {start for start, _ in gaps}
    x: list[str | None] = []
    y: list[Any] = []
    for at, value, quality in points:
        if quality == "bad":
            continue
        x.append(_local(at, style))
        y.append(value)
        if at in breaks:
            x.append(_local(at + 1, style))
            y.append(None)
    unit = _unit(field, style)
    return {
        "type": "scatter",
        "mode": "lines" if len(points) > 1 else "markers",
        "x": x,
        "y": y,
        "connectgaps": False,
        "line": {"color": _DATA, "width": style.rem * 0.13, "shape": "linear" if field.type == "number" else "hv"},
        "hovertemplate": f"%{{x|%m-%d %H:%M:%S}}<br><b>%{{y}}</b> {unit}<extra></extra>",
        "showlegend": False,
    }


def _marked(points: Sequence[tuple[int, Any, str]], style: FigureStyle) -> list[dict[str, Any]]:
    found = []
    for quality, symbol in (("uncertain", "circle-open"), ("bad", "x-thin-open")):
        chosen = [(at, value) for at, value, own in points if own == quality]
        if chosen:
            word = style.say(f"quality.{quality}")
            found.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": style.say(f"device.{quality}"),
                    "x": [_local(at, style) for at, _ in chosen],
                    "y": [value for _, value in chosen],
                    "marker": {
                        "symbol": symbol,
                        "size": style.rem * 0.5,
                        "color": _QUIET,
                        "line": {"color": _QUIET, "width": 1.5},
                    },
                    "hovertemplate": f"%{{x|%m-%d %H:%M:%S}}<br>%{{y}} · {word}<extra></extra>",
                }
            )
    return found


def _limits(
    limits: Sequence[Any], field: Field, style: FigureStyle, points: Sequence[tuple[int, Any, str]]
) -> tuple[list[Any], list[Any]]:
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    highest = max((value for _, value, _ in points if isinstance(value, int | float)), default=None)
    mildest = min((step["value"] for step in limits if step["level"] == 1), default=0.0)
    for step in limits:
        value = step["value"]
        # A level far above everything measured would flatten the curve; the first one is always drawn.
        far = highest is not None and value > 4 * max(highest, mildest)
        if step["sense"] == "above" and step["level"] > 1 and far:
            continue
        colour = PRIORITY_COLOURS[step["priority"]]
        shapes.append(
            {
                "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value,
                "line": {"color": colour, "width": style.rem * 0.09, "dash": "dash"},
            }
        )  # fmt: skip
        # A state has a name, and no unit; its number is for machines.
        code = field.codes.get(value)
        told = getattr(code, style.say.language) if code else f"{value:,g} {_unit(field, style)}".rstrip()
        text = style.say("device.limit", name=step["name"][style.say.language], value=told)
        notes.append(
            {
                "xref": "paper", "x": 0.005, "xanchor": "left", "showarrow": False, "y": value, "yanchor": "bottom",
                "text": f"{_short(step['priority'], style)} {text}",
                "font": {"color": colour, "size": style.rem * 0.8},
            }
        )  # fmt: skip
    return shapes, notes


def _short(priority: str, style: FigureStyle) -> str:
    return style.say("priority.health") if priority == "health" else priority


def _band(gap: tuple[int, int], style: FigureStyle) -> dict[str, Any]:
    return {
        "type": "rect", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0},
        "x0": _local(gap[0], style), "x1": _local(gap[1], style), "fillcolor": _QUIET, "opacity": 0.14,
        "label": {
            "text": style.say("device.gap"), "textposition": "top center",
            "font": {"color": _QUIET, "size": style.rem * 0.75},
        },
    }  # fmt: skip


def _alarm_marks(
    alarms: Sequence[Mapping[str, Any]], name: str, style: FigureStyle, start_ms: int, stop_ms: int
) -> tuple[list[Any], dict[str, Any]]:
    found = []
    for alarm in alarms:
        at = datetime.fromisoformat(str(alarm["raised_at"])).timestamp() * 1000
        if start_ms <= at <= stop_ms:
            found.append((at, alarm))
    lines = [
        {
            "type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": _local(at, style), "x1": _local(at, style),
            "line": {"color": PRIORITY_COLOURS[str(alarm["priority"])], "width": style.rem * 0.06, "dash": "dot"},
        }
        for at, alarm in found
        if alarm.get("field") in (name, None)
    ]  # fmt: skip
    if not found:
        return lines, {}
    return lines, {
        "type": "scatter",
        "mode": "markers",
        "showlegend": False,
        "yaxis": "y2",
        "x": [_local(at, style) for at, _ in found],
        "y": [1] * len(found),
        "text": [_alarm_text(alarm, style) for _, alarm in found],
        "marker": {
            "symbol": [_PRIORITY_SYMBOLS[str(alarm["priority"])] for _, alarm in found],
            "color": [PRIORITY_COLOURS[str(alarm["priority"])] for _, alarm in found],
            "size": style.rem * 0.75,
        },
        "hovertemplate": "%{x|%m-%d %H:%M:%S}<br>%{text}<extra></extra>",
    }


def _alarm_text(alarm: Mapping[str, Any], style: FigureStyle) -> str:
    names = alarm.get("rule_name") or {}
    name = names.get(style.say.language) or str(alarm.get("rule"))
    priority = str(alarm["priority"])
    return f"{priority} {style.say(f'priority.{priority}')} · {name}"


def _unit(field: Field, style: FigureStyle) -> str:
    unit = UNITS.get(field.unit)
    return str(getattr(unit, style.say.language)) if unit else field.unit


def _unread(style: FigureStyle) -> dict[str, Any]:
    return {
        "xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right", "yanchor": "bottom", "showarrow": False,
        "text": style.say("device.limits_unread"), "font": {"color": _QUIET, "size": style.rem * 0.8},
    }  # fmt: skip


def _nothing(style: FigureStyle) -> dict[str, Any]:
    return {
        "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False,
        "text": style.say("device.no_readings"), "font": {"color": _QUIET, "size": style.rem},
    }  # fmt: skip


def _layout(field: Field, style: FigureStyle, start_ms: int, stop_ms: int, *, legend: bool) -> dict[str, Any]:
    rem = style.rem
    share = field.unit == "%" and (field.low, field.high) == (0, 100)
    unit = _unit(field, style)
    name = getattr(field, style.say.language)
    ticks = {
        "tickfont": {"size": rem * 0.8, "color": _QUIET},
        "gridcolor": _LINE,
        "zeroline": False,
        "linecolor": _LINE,
    }
    coded = (
        {
            "tickvals": list(field.codes),
            "ticktext": [getattr(label, style.say.language) for label in field.codes.values()],
        }
        if field.codes and len(field.codes) <= 9
        else {}
    )
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "'Noto Sans SC Variable', sans-serif", "size": rem * 0.85, "color": _INK},
        "margin": {
            "l": rem * (5.5 if coded else 3.6),
            "r": rem * 0.8,
            "t": rem * (2.0 if legend else 0.8),
            "b": rem * 2.4,
        },
        "xaxis": {
            "type": "date",
            "range": [_local(start_ms, style), _local(stop_ms, style)],
            "tickformat": "%H:%M\n%m-%d" if stop_ms - start_ms > 43_200_000 else "%H:%M",
            **ticks,
        },
        "yaxis": {
            "title": {
                "text": f"{name} ({unit})" if unit else name,
                "font": {"size": rem * 0.8, "color": _QUIET},
                "standoff": rem * 0.3,
            },
            **({"range": [0, 105]} if share else {"rangemode": "normal"}),
            # 100,000 and not 100k: thousands have no such sign in Chinese.
            "exponentformat": "none",
            "separatethousands": True,
            "automargin": True,
            **ticks,
            **coded,
        },
        "yaxis2": {"overlaying": "y", "range": [0, 1.04], "visible": False, "fixedrange": True},
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": _PANEL, "bordercolor": _LINE, "font": {"size": rem * 0.85, "color": _INK}},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": rem * 0.8, "color": _QUIET},
        },
        "uirevision": f"{field.key} {stop_ms - start_ms}",
        "separators": ".,",
    }
