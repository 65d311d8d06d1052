"""Rows of an alarm's evidence in words of one language: names, instants, values, acts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cockpit.problem_words import trouble_text
from cockpit.texts import Texts
from devices.groups import gathered
from devices.kind import Kind
from devices.site import Device, Site
from devices.units import UNITS
from ingest.alarms.rules import rule_label
from ingest.cases.records import CaseRules
from ingest.evidence.gathered import Row


class Words:
    """Says what stands in rows; what has no word in a language stands as it is written."""

    def __init__(self, site: Site, say: Texts) -> None:
        self._site = site
        self._say = say
        self._groups = gathered(site)
        self._classes = CaseRules(site).limits.classes

    def named(self, label: Any) -> str:
        """Return a label."""
        return str(getattr(label, self._say.language))

    def time(self, at_ms: int | None) -> str:
        """Return an instant to the second with its date, empty for none."""
        if at_ms is None:
            return ""
        return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self._site.timezone):%Y-%m-%d %H:%M:%S}"

    def stamp(self, at_ms: int) -> str:
        """Return an instant to the millisecond."""
        return f"{self.time(at_ms)}.{at_ms % 1000:03d}"

    def timed(self, key: str, value: Any) -> Any:
        """Return an instant and a sentence in words of the language, anything else as it is."""
        if key == "detail":
            return trouble_text(value, self._say)
        return self.time(value) if key == "at" else value

    def seconds(self, value: float) -> str:
        """Return a length of time."""
        say = self._say
        if value < 120:
            return say("kpi.seconds", s=f"{value:.0f}")
        return say("kpi.minutes", m=f"{value / 60:.1f}") if value < 7200 else say("kpi.hours", h=f"{value / 3600:.1f}")

    def rule(self, rule: str) -> str:
        """Return the name of a rule."""
        return self.named(rule_label(rule, self._site.catalog))

    def priority(self, key: str) -> str:
        """Return a priority with its name."""
        word = self._say(f"priority.{key}")
        return word if key == "health" else f"{key} {word}"

    def device(self, name: str) -> str:
        """Return a device with its name."""
        found = self._found(name)
        if found is None:
            return name
        label = found.label or self._site.catalog.kinds[found.kind]
        return f"{self.named(label)} · {name}"

    def place(self, name: str) -> str:
        """Return where a device stands, empty where that is not known."""
        found = self._found(name)
        if found is None:
            return ""
        street = self._site.streets.get(found.street)
        where = f"{found.lat:.6f}, {found.lon:.6f}" if found.lat is not None and found.lon is not None else ""
        return " · ".join(filter(None, (self.named(street.label) if street else found.street, found.grid, where)))

    def state(self, state: str) -> str:
        """Return a state of an alarm."""
        return self._known(f"state.{state}", state)

    def case_state(self, state: str) -> str:
        """Return a state of a case."""
        return self._known(f"cases.state_{state}", state)

    def sub_class(self, key: str) -> str:
        """Return the name of a class of cases."""
        found = self._classes.get(key)
        return self.named(found.label) if found is not None else key

    def suppression(self, key: str) -> str:
        """Return why an alarm is hidden."""
        return self._known(f"duty.view_{key}", key)

    def choice(self, key: str | None) -> str:
        """Return a decision or verdict, empty for none."""
        return self._known(f"duty.decided_{key}", key) if key else ""

    def act(self, action: str) -> str:
        """Return an act on an alarm, also one that was refused."""
        word = self._known(f"act.{action}", "") or self._known(f"cases.act_{action}", "")
        if word or not action.endswith("_refused"):
            return word or action
        return self._say("act.refused", act=self.act(action.removesuffix("_refused")))

    def case_act(self, action: str) -> str:
        """Return an act on a case, also one that was refused."""
        word = self._known(f"cases.act_{action}", "")
        return word or self.act(action)

    def person(self, actor: str, role: str) -> str:
        """Return who acted, and as what."""
        return self._say("act.system") if actor == "system" else f"{actor} ({role})"

    def act_of(self, row: Row) -> str:
        """Return the act of a row of the audit."""
        return self.case_act(row["action"]) if row["occurrence"] is None else self.act(row["action"])

    def change(self, row: Row) -> str:
        """Return what an act changed, empty when it left the state as it was."""
        before, after = row["state_before"].replace("NORM", ""), row["state_after"]
        if before == after:
            return ""
        word = self.case_state if row["occurrence"] is None else self.state
        return f"{word(before)} → {word(after)}" if before else word(after)

    def unit(self, key: str) -> str:
        """Return a unit."""
        found = UNITS.get(key)
        return self.named(found) if found is not None else key

    def value(self, value: float | str | None, unit: str) -> str:
        """Return a value with its unit, empty for none."""
        if value is None:
            return ""
        number = f"{value:,.3f}".rstrip("0").rstrip(".") if isinstance(value, float | int) else value
        return f"{number} {self.unit(unit)}".rstrip()

    def reading(self, kind: Kind | None, key: str, row: Mapping[str, Any]) -> str:
        """Return the ``value`` of a row with its unit, that of a state with its name."""
        told = self.value(row["value"], row["unit"])
        fields = [f for m in kind.measurements for f in m.fields if f.key == key] if kind is not None else []
        if not fields or not fields[0].codes or not isinstance(row["value"], float | int):
            return told
        code = fields[0].codes.get(int(row["value"]))
        return f"{told} {self.named(code)}" if code is not None else told

    def level(self, level: Mapping[str, Any], numbers: Mapping[str, Any]) -> str:
        """Return a level of a rule, such as ``P1 ≥ 50 %LEL``."""
        sign = {"above": "≥", "silence": "≥", "below": "≤"}.get(numbers["sense"], "=")
        priority = level["priority"]
        word = self._say("priority.health") if priority == "health" else priority
        return f"{word} {sign} {self.value(level['value'], numbers['unit'])}"

    def _found(self, name: str) -> Device | None:
        return self._site.devices.get(name) or self._groups.get(name)

    def _known(self, key: str, otherwise: str) -> str:
        return self._say(key) if key in self._say.words else otherwise
