"""All kinds known to a site, found by looking into folders: one file, one kind, no registration."""

import importlib.util
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path

from devices.envelope import Envelope
from devices.errors import KindFault
from devices.kind import Kind, Measurement
from devices.kind_check import contradictions
from devices.plan import Plan, plan_of

OWN_KINDS = Path(__file__).parent / "kinds"
_LONGEST_MISTYPED = 64


@dataclass(frozen=True)
class Catalog:
    """The kinds by key, and their measurements by name."""

    kinds: Mapping[str, Kind]
    _plans: dict[tuple[str, str], Plan] = field(default_factory=dict, compare=False, repr=False)
    _envelopes: dict[tuple[str, str], Envelope] = field(default_factory=dict, compare=False, repr=False)

    def plan(self, kind: str, channel: str) -> Plan:
        """Return the compiled channel of a kind, made at its first use."""
        plan = self._plans.get((kind, channel))
        if plan is None:
            plan = self._plans[kind, channel] = plan_of(self.kinds[kind], channel)
        return plan

    def envelope(self, kind: str, channel: str) -> Envelope:
        """Return the quick way into a channel, made at its first use."""
        envelope = self._envelopes.get((kind, channel))
        if envelope is None:
            envelope = self._envelopes[kind, channel] = Envelope(self.plan(kind, channel))
        return envelope

    @property
    def measurements(self) -> Mapping[str, tuple[Kind, Measurement]]:
        """Return every measurement with the kind it belongs to."""
        return {m.key: (kind, m) for kind in self.kinds.values() for m in kind.measurements}

    def suggestion(self, key: str) -> str:
        """Return ``; did you mean …?`` for a mistyped kind, or an empty text."""
        return _suggestion(key, tuple(self.kinds)) if len(key) <= _LONGEST_MISTYPED else ""


@lru_cache(maxsize=1_000)
def _suggestion(key: str, known: tuple[str, ...]) -> str:
    # Looking for likeness costs more than all the rest of a message, and a mistyped kind is sent again and again.
    close = get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def load_catalog(extra: Iterable[Path] = ()) -> Catalog:
    """Load the project's own kinds and those of further folders.

    Raises:
        KindFault: a file holds no ``KIND``, does not run, contradicts itself, or repeats a key or a measurement.
    """
    return _load((OWN_KINDS, *extra))


@cache
def _load(folders: tuple[Path, ...]) -> Catalog:
    kinds: dict[str, Kind] = {}
    owner: dict[str, str] = {}
    faults: list[str] = []
    for folder in folders:
        if not folder.is_dir():
            faults.append(f"{folder}: expected a folder of kind files, found none")
            continue
        for path in sorted(folder.glob("[!_]*.py")):
            try:
                kind = _read(path)
            except KindFault as fault:
                faults.append(str(fault))
                continue
            try:
                found = contradictions(kind)
            except (TypeError, ValueError, AttributeError) as error:
                faults.append(f"{path.name}: a value has the wrong type: {error}")
                continue
            if kind.key in kinds:
                found.append(f"the kind {kind.key!r} stands in another file too")
            for measurement in kind.measurements:
                if owner.setdefault(measurement.key, kind.key) != kind.key:
                    found.append(f"the measurement {measurement.key!r} belongs to {owner[measurement.key]!r} already")
            faults.extend(f"{path.name}: {sentence}" for sentence in found)
            kinds[kind.key] = kind
    if faults:
        raise KindFault("\n".join(faults))
    return Catalog(kinds)


def _read(path: Path) -> Kind:
    name = f"devices.kinds.{path.stem}" if path.parent == OWN_KINDS else f"citydeck_site_kinds.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise KindFault(f"{path.name}: cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a kind file is somebody's code: whatever it raises becomes one sentence
        raise KindFault(f"{path.name}: {type(error).__name__}: {error}") from error
    kind = getattr(module, "KIND", None)
    if not isinstance(kind, Kind):
        raise KindFault(f"{path.name}: expected a table KIND = Kind(…), found {type(kind).__name__}")
    if kind.key != path.stem:
        raise KindFault(f"{path.name}: key {kind.key!r} must equal the file's name")
    return kind
