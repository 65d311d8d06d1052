"""Reading ``scenarios/*.toml``; a file with mistakes is refused with all of them."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from devices.errors import shown
from devices.kind import Label
from devices.topics import CHANNELS
from simulators.errors import ScenarioFault
from simulators.scenario import FAULTS, Expect, NamedFault, Never, Ramp, Scenario, Selector, Step

OWN_SCENARIOS = Path(__file__).parent / "scenarios"
_TOP = ("name", "description", "lasts_s", "incidents", "targets", "steps", "expect", "never", "at_least")
_STEP = ("target", "at_s", "for_s", "set", "ramp_s", "every_s", "channel", "fault", "direct", "fly", "status")
_SELECTOR = ("id", "ids", "kind", "street", "parent", "circuit", "nearest", "count")
_FAULT = ("name", "fields", "amount", "share")
_EXPECT = ("rule", "level", "device", "light")
_NEVER = ("rule", "device")


def scenario_names(folder: Path = OWN_SCENARIOS) -> list[str]:
    """Return the names of all scenarios."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_scenario(name: str, folder: Path = OWN_SCENARIOS) -> Scenario:
    """Read a scenario by name, or any file that ends in ``.toml``.

    Raises:
        ScenarioFault: there is none of this name, or the file has mistakes.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        close = get_close_matches(name, scenario_names(folder), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(scenario_names(folder))}"
        raise ScenarioFault(f"no scenario {name!r}; {hint}")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioFault(f"{path.name}: is not TOML: {error}") from error
    return _Reader(path, document).scenario()


class _Reader:
    def __init__(self, path: Path, document: dict[str, Any]) -> None:
        self.path = path
        self.document = document
        self.faults: list[str] = []

    def scenario(self) -> Scenario:
        document = self.document
        self._known(document, _TOP, "")
        lasts_s = self._number(document, "lasts_s", "", 60.0)
        targets = {
            key: self._selector(table, f"targets.{key}.") for key, table in self._mapping(document, "targets").items()
        }
        steps = tuple(
            self._step(table, f"steps[{n}].", targets, lasts_s) for n, table in enumerate(self._list(document, "steps"))
        )
        expects = tuple(self._expect(table, f"expect[{n}].") for n, table in enumerate(self._list(document, "expect")))
        nevers = tuple(
            self._never(table, f"never[{n}].", expects) for n, table in enumerate(self._list(document, "never"))
        )
        scenario = Scenario(
            self.path.stem,
            self._label(document, "name"),
            self._label(document, "description"),
            lasts_s,
            targets,
            steps,
            expects,
            document.get("incidents", True) is not False,
            nevers,
            int(self._number(document, "at_least", "", 0)),
        )
        if self.faults:
            raise ScenarioFault("\n".join(f"{self.path.name}: {fault}" for fault in self.faults))
        return scenario

    def _step(self, table: Mapping[str, Any], path: str, targets: Mapping[str, Selector], lasts_s: float) -> Step:
        self._known(table, _STEP, path)
        target = str(table.get("target", ""))
        if target not in targets:
            self.faults.append(f"{path}target: {shown(target)} is not among the targets {', '.join(targets)}")
        at_s = self._number(table, "at_s", path, 0.0)
        for_s = self._number(table, "for_s", path, max(lasts_s - at_s, 0.0))
        if at_s < 0 or for_s <= 0:
            self.faults.append(f"{path}at_s, for_s: expected at least 0 and above 0, found {at_s:g} and {for_s:g}")
        every_s = self._number(table, "every_s", path, 0.0)
        channel = str(table.get("channel", "telemetry"))
        if channel not in CHANNELS or every_s < 0:
            self.faults.append(f"{path}channel, every_s: {shown(channel)}, {every_s:g} are not possible")
        status = str(table.get("status", ""))
        if status not in ("", "offline"):
            self.faults.append(f"{path}status: expected offline, found {shown(status)}")
        ramp_s = self._number(table, "ramp_s", path, for_s)
        sets = {
            key: self._value(found, ramp_s, f"{path}set.{key}") for key, found in self._mapping(table, "set").items()
        }
        fault = self._fault(table["fault"], f"{path}fault.") if "fault" in table else None
        return Step(
            target, at_s, for_s, sets, every_s or None, channel, fault,
            table.get("direct") is True, table.get("fly") is True, status,
        )  # fmt: skip

    def _value(self, found: object, ramp_s: float, path: str) -> Ramp | float | str | bool:
        if isinstance(found, bool | str):
            return found
        if isinstance(found, int | float):
            return float(found)
        if isinstance(found, list) and len(found) == 2 and all(isinstance(n, int | float) for n in found):
            return Ramp(float(found[0]), float(found[1]), ramp_s)
        self.faults.append(f"{path}: expected a value or [from, to], found {shown(found)}")
        return 0.0

    def _fault(self, found: object, path: str) -> NamedFault | None:
        table = {"name": found} if isinstance(found, str) else found
        if not isinstance(table, dict) or table.get("name") not in FAULTS:
            self.faults.append(f"{path}name: expected one of {', '.join(FAULTS)}, found {shown(found)}")
            return None
        self._known(table, _FAULT, path)
        fields = tuple(str(field) for field in table.get("fields", []))
        amount, share = self._number(table, "amount", path, 0.0), self._number(table, "share", path, 1.0)
        if FAULTS[table["name"]].amount and "amount" not in table:
            self.faults.append(f"{path}amount: {table['name']} needs one, {FAULTS[table['name']].amount}")
        return NamedFault(table["name"], fields, amount, share)

    def _selector(self, table: object, path: str) -> Selector:
        if not isinstance(table, dict):
            self.faults.append(f"{path}: expected a table such as {{id = …}}, found {shown(table)}")
            return Selector()
        self._known(table, _SELECTOR, path)
        ids = tuple(str(identifier) for identifier in table.get("ids", [])) + (
            (str(table["id"]),) if "id" in table else ()
        )
        words = {key: str(table.get(key, "")) for key in ("kind", "street", "parent", "circuit", "nearest")}
        if not ids and not any(words.values()):
            self.faults.append(f"{path}: expected id, ids, kind, street, parent, circuit or nearest")
        return Selector(ids, **words, count=int(self._number(table, "count", path, 0)))

    def _expect(self, table: Mapping[str, Any], path: str) -> Expect:
        self._known(table, _EXPECT, path)
        rule, device, level = table.get("rule"), table.get("device"), table.get("level", 1)
        if not isinstance(rule, str) or not isinstance(device, str) or not isinstance(level, int):
            self.faults.append(f"{path}rule, level, device: expected a text, a whole number and a text")
        light = table.get("light", "")
        if light not in ("", "day", "night"):
            self.faults.append(f"{path}light: expected day or night, found {shown(light)}")
        return Expect(str(rule), level if isinstance(level, int) else 1, str(device), str(light))

    def _never(self, table: Mapping[str, Any], path: str, expects: tuple[Expect, ...]) -> Never:
        self._known(table, _NEVER, path)
        rule, device = table.get("rule"), table.get("device", "*")
        if not isinstance(rule, str) or not isinstance(device, str):
            self.faults.append(f"{path}rule, device: expected texts, in which * stands for anything")
        never = Never(str(rule), str(device))
        for expect in expects:
            if never.means(expect.rule, expect.device):
                self.faults.append(f"{path}rule: forbids {expect.rule} of {expect.device}, which expect demands")
        return never

    def _known(self, table: Mapping[str, Any], known: tuple[str, ...], path: str) -> None:
        for key in table:
            if key not in known:
                close = get_close_matches(key, known, n=1)
                self.faults.append(f"{path}{key}: is not known" + (f"; did you mean {close[0]!r}?" if close else ""))

    def _number(self, table: Mapping[str, Any], key: str, path: str, default: float) -> float:
        found = table.get(key, default)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return float(found)
        self.faults.append(f"{path}{key}: expected a number, found {shown(found)}")
        return default

    def _label(self, table: Mapping[str, Any], key: str) -> Label:
        found = table.get(key)
        if isinstance(found, dict) and isinstance(found.get("zh"), str) and isinstance(found.get("en"), str):
            return Label(found["zh"], found["en"])
        self.faults.append(f'{key}: expected {{zh = "…", en = "…"}}, found {shown(found)}')
        return Label("", "")

    def _mapping(self, table: Mapping[str, Any], key: str) -> dict[str, Any]:
        found = table.get(key, {})
        if isinstance(found, dict):
            return found
        self.faults.append(f"{key}: expected a table, found {shown(found)}")
        return {}

    def _list(self, table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        found = table.get(key, [])
        if isinstance(found, list) and all(isinstance(entry, dict) for entry in found):
            return found
        self.faults.append(f"{key}: expected tables [[{key}]], found {shown(found)}")
        return []
