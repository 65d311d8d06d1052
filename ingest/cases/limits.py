"""The table of sub-classes: what a case may be about and how long its handling may take."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.kind import Label
from ingest.errors import AlarmError

SHIPPED = Path(__file__).parent / "limits.toml"
BIG_CLASSES: Mapping[str, Mapping[str, Label]] = {
    "component": {
        "01": Label("公用设施", "Public facilities"),
        "02": Label("道路交通", "Road traffic"),
        "03": Label("市容环境", "City environment"),
        "04": Label("园林绿化", "Parks and green"),
        "05": Label("其他部件", "Other components"),
    },
    "event": {
        "01": Label("市容环境", "City environment"),
        "02": Label("宣传广告", "Advertising"),
        "03": Label("施工管理", "Building sites"),
        "04": Label("突发事件", "Emergencies"),
        "05": Label("街面秩序", "Street order"),
        "06": Label("其他事件", "Other events"),
    },
}
_HOUR_MS = 3_600_000
_NEEDED = {"key", "name", "category", "big", "hours", "version", "source", "grade"}
_KNOWN = _NEEDED | {"small", "severe_hours", "rules", "findings"}


@dataclass(frozen=True, slots=True)
class SubClass:
    """One row: hours from registering to the deadline, and what leads to it."""

    key: str
    label: Label
    category: str
    big: str
    small: str
    hours: float
    severe_hours: float | None
    version: str
    source: str | Label
    grade: str
    rules: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """Return the city-management code, such as ``E-01-02``; without a small class it ends at the big one."""
        return "-".join(part for part in (self.category[0].upper(), self.big, self.small) if part)

    def limit_ms(self, severe: bool) -> int:
        """Return how long handling may take."""
        hours = self.severe_hours if severe and self.severe_hours is not None else self.hours
        return round(hours * _HOUR_MS)


@dataclass(frozen=True, slots=True)
class Limits:
    """All sub-classes of an installation, in the order of the table."""

    classes: Mapping[str, SubClass]
    default: str
    default_device: str

    def of_rule(self, rule: str) -> SubClass:
        """Return the sub-class for an alarm's rule; the most exact entry wins, any other rule is a device's fault."""
        if rule.endswith(".no_data"):
            return self.classes[self.default_device]
        best = max(
            ((_fit(entry, rule), row.key) for row in self.classes.values() for entry in row.rules), default=(0, "")
        )
        return self.classes[best[1] if best[0] else self.default_device]

    def of_finding(self, name: str) -> SubClass:
        """Return the sub-class for what a drone recognised."""
        found = next((row for row in self.classes.values() if name in row.findings or name == row.key), None)
        return found or self.classes[self.default]


def load_limits(path: Path = SHIPPED) -> Limits:
    """Read a table of sub-classes.

    Raises:
        AlarmError: it cannot be read or contradicts itself; all faults at once.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise AlarmError(f"{path}: the table of sub-classes cannot be read: {error}") from error
    tables = document.get("classes", [])
    faults = [fault for index, table in enumerate(tables, 1) for fault in _faults(index, table)]
    keys = [table.get("key") for table in tables]
    faults += [
        f"classes: the key {key!r} stands twice" for key in sorted({k for k in keys if keys.count(k) > 1}, key=str)
    ]
    for name in ("default", "default_device"):
        if document.get(name) not in keys:
            faults.append(f"{name}: found {document.get(name)!r}, expected the key of one of the classes")
    if faults:
        raise AlarmError(f"{path}: " + "; ".join(faults))
    rows = [_row(table) for table in tables]
    return Limits({row.key: row for row in rows}, document["default"], document["default_device"])


def _fit(entry: str, rule: str) -> int:
    if entry.endswith(".*"):
        return len(entry) if rule.startswith(entry[:-1]) else 0
    return len(entry) + 2 if entry == rule else 0


def _faults(index: int, table: dict[str, Any]) -> list[str]:
    where = f"classes[{index}] {table.get('key', '')}".strip()
    missing, unknown = _NEEDED - table.keys(), table.keys() - _KNOWN
    found = [f"{where}: {name} is missing" for name in sorted(missing)]
    found += [f"{where}: unknown entry {name}" for name in sorted(unknown)]
    if missing:
        return found
    if table["big"] not in BIG_CLASSES.get(table["category"], {}):
        found.append(f"{where}: {table['category']!r} {table['big']!r} is no big class of GB/T 30428.2")
    hours = table["hours"]
    severe = table.get("severe_hours", hours)
    if not (_is_hours(hours) and _is_hours(severe) and severe <= hours):
        found.append(
            f"{where}: hours {hours!r}, severe {severe!r}; expected numbers above 0, severe not the longer one"
        )
    if table["grade"] not in ("A", "B", "C"):
        found.append(f"{where}: grade {table['grade']!r}, expected A, B or C")
    if not _is_label(table["name"]):
        found.append(f"{where}: name needs zh and en")
    if not (isinstance(table["source"], str) or _is_label(table["source"])):
        found.append(f"{where}: source {table['source']!r}, expected a text, or one in zh and one in en")
    if not (isinstance(table["version"], str) and 0 < len(table["version"]) <= 16):
        found.append(f"{where}: version {table['version']!r}, expected a text of up to 16 characters")
    return found


def _is_label(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), str) and value[key] for key in ("zh", "en"))


def _source(given: Any) -> str | Label:
    return given if isinstance(given, str) else Label(given["zh"], given["en"])


def _is_hours(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 8760


def _row(table: dict[str, Any]) -> SubClass:
    severe = table.get("severe_hours")
    return SubClass(
        key=table["key"],
        label=Label(table["name"]["zh"], table["name"]["en"]),
        category=table["category"],
        big=table["big"],
        small=table.get("small", ""),
        hours=float(table["hours"]),
        severe_hours=None if severe is None else float(severe),
        version=table["version"],
        source=_source(table["source"]),
        grade=table["grade"],
        rules=tuple(table.get("rules", ())),
        findings=tuple(table.get("findings", ())),
    )
