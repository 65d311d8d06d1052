"""What a rule says, as documents of the API: its numbers, its units and codes, its texts in each language."""

from typing import Any

from devices.kind import Field, Kind, Label, Limit, in_both
from devices.units import UNITS
from ingest.alarms.rules import GroupRule, Rule, SilenceRule

Document = dict[str, Any]


def codes_of(field: Field | None) -> Document:
    """Return the names of what a number of a field may stand for, empty for a quantity."""
    codes = {} if field is None else field.codes
    return {str(code): {"zh": label.zh, "en": label.en} for code, label in codes.items()}


def numbers_of(rule: Rule | SilenceRule | GroupRule, kind: Kind) -> Document:
    """Return what a rule says: levels, delays, unit, source and grade."""
    if isinstance(rule, SilenceRule):
        silence = rule.no_data
        return {
            "field": None, "limit": "no_data", "sense": "silence", "unit": "s", "unit_name": unit_name("s"),
            "levels": [{"level": 1, "value": silence.after_s, "priority": silence.priority}], "deadband": 0.0,
            "on_s": 0.0, "off_s": 0.0, "latch": False, "capped": False, "codes": None,
            "source": in_each(silence.source), "grade": silence.grade,
        }  # fmt: skip
    limit: Limit = rule.limit if isinstance(rule, Rule) else rule.group.limit
    unit = rule.unit if isinstance(rule, Rule) else rule.group.unit
    codes = codes_of(kind.field(rule.field) if isinstance(rule, Rule) and limit.sense == "state" else None)
    return {
        "field": rule.field if isinstance(rule, Rule) else limit.key,
        "limit": limit.key if isinstance(rule, Rule) else None,
        "sense": limit.sense,
        "unit": unit,
        "unit_name": unit_name(unit),
        "levels": [{"level": each.level, "value": each.value, "priority": each.priority} for each in limit.levels],
        "codes": codes or None,
        "deadband": limit.deadband,
        "on_s": limit.on_s,
        "off_s": limit.off_s,
        "latch": limit.latch,
        "capped": limit.cap is not None,
        "source": in_each(limit.source),
        "grade": limit.grade,
    }


def in_each(source: str | Label) -> Document:
    """Return a text in each language, as the API tells it."""
    found = in_both(source)
    return {"zh": found.zh, "en": found.en}


def unit_name(key: str) -> Document:
    """Return the name of a unit in each language."""
    unit = UNITS[key]
    return {"zh": unit.zh, "en": unit.en}
