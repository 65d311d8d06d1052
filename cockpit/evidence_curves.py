"""The readings of an evidence pack on its page: curves with limits and instants, and a few readings as they are."""

from collections.abc import Sequence
from html import escape

from cockpit.evidence_plots import Level, Line, Mark, plot
from cockpit.evidence_words import Words
from cockpit.texts import Texts
from devices.kind import Field
from devices.site import Site
from ingest.evidence.curves import MEMBER, NEIGHBOUR, OTHER, OWN
from ingest.evidence.gathered import Curve, Evidence

_OTHERS, _LINES, _ROWS = 6, 6, 30
_QUALITIES = ("good", "uncertain", "bad")


class Curves:
    """Draws the readings in one language."""

    def __init__(self, site: Site, say: Texts) -> None:
        self._site = site
        self._say = say
        self._words = Words(site, say)

    def section(self, evidence: Evidence) -> str:
        """Return the section, empty without readings."""
        say = self._say
        by = {of: [c for c in evidence.curves if c.of == of] for of in (OWN, MEMBER, NEIGHBOUR, OTHER)}
        parts = []
        for curve in by[OWN]:
            parts.append(self._plot(evidence, f"{say('pack.own')} · {self._title(curve)}", [curve]))
            parts.append(self._few(evidence, curve))
        if by[MEMBER]:
            title = f"{say('pack.members')} · {self._title(by[MEMBER][0], device=False)}"
            parts.append(self._plot(evidence, title, by[MEMBER][:_LINES]))
        if by[NEIGHBOUR]:
            near = say("pack.neighbours", m=300)
            parts.append(
                self._plot(evidence, f"{near} · {self._title(by[NEIGHBOUR][0], False)}", [*by[OWN], *by[NEIGHBOUR]])
            )
        drawn = [self._plot(evidence, self._title(curve, False), [curve]) for curve in by[OTHER]]
        shown = [each for each in drawn if each][:_OTHERS]
        if shown:
            parts.append(f"<h3>{escape(say('pack.others'))}</h3>{''.join(shown)}")
        body = "".join(parts)
        return f'<section id="readings"><h2>{escape(say("pack.readings"))}</h2>{body}</section>' if body else ""

    def _plot(self, evidence: Evidence, title: str, curves: Sequence[Curve]) -> str:
        field = self._field(curves[0])
        steps = field is not None and field.type in ("flag", "code")
        lines = [Line(self._name(curve), curve.series.points, steps) for curve in curves]
        shown = curves[0].device
        levels = [
            Level(line.value, line.priority, self._words.level({"priority": line.priority, "value": line.value},
                                                               {"sense": line.sense, "unit": "1"}))
            for line in evidence.limits
            if line.device == shown and line.field == curves[0].field
        ]  # fmt: skip
        marks = [
            Mark(evidence.alarm[f"{key}_at"], self._say(f"pack.mark_{key}"))
            for key in ("raised", "acked", "returned", "closed")
            if evidence.alarm[f"{key}_at"] is not None
        ]
        span = (evidence.span.from_ms, evidence.span.to_ms)
        unit = self._words.unit(curves[0].unit)
        return plot(title, unit, lines, levels, marks, span, self._site.timezone)

    def _few(self, evidence: Evidence, curve: Curve) -> str:
        say, words = self._say, self._words
        points = curve.series.points
        if not points:
            return ""
        step = say("pack.per_step", s=f"{curve.series.step_s:g}") if curve.series.step_s else say("pack.raw")
        told = say("pack.count", count=len(points), step=step)
        raised_ms = evidence.alarm["raised_at"]
        kind = self._site.catalog.kinds.get(evidence.alarm["kind"])
        near = sorted(sorted(points, key=lambda point: (abs(point[0] - raised_ms), point[0]))[:_ROWS])
        around = say("pack.around", shown=len(near), count=len(points))
        rows = ""
        for at_ms, value, quality in near:
            told_value = words.reading(kind, curve.field, {"value": value, "unit": curve.unit})
            sure = say(f"quality.{_QUALITIES[min(quality, 2)]}")
            cells = f'<td class="at">{words.stamp(at_ms)}</td><td>{escape(told_value)}</td><td>{escape(sure)}</td>'
            rows += f"<tr>{cells}</tr>"
        head = "".join(f"<th scope=col>{escape(say(f'pack.{key}'))}</th>" for key in ("at", "value", "quality"))
        return (
            f"<p class=quiet>{escape(told)}</p><details><summary>{escape(around)}</summary>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></details>"
        )

    def _title(self, curve: Curve, device: bool = True) -> str:
        field = self._field(curve)
        name = self._words.named(field) if field is not None else curve.field
        return f"{name} · {self._words.device(curve.device)}" if device else name

    def _name(self, curve: Curve) -> str:
        return curve.device if curve.away_m is None else f"{curve.device} ({curve.away_m:.0f} m)"

    def _field(self, curve: Curve) -> Field | None:
        _, measurement = self._site.catalog.measurements[curve.measurement]
        return next((field for field in measurement.fields if field.key == curve.field), None)
