"""Where a recount begins: from nothing, from where an earlier one ended, or from the word of the record.

- The journal still has its first record: nothing stood before it. Exact.
- An earlier recount kept what it remembered at its end (the nightly one does, for each day). As exact as that was.
- Neither: from the oldest record that is kept. What stood open then is taken from the record, windows and delays are
  given ``WARM_UP_MS`` to fill before anything is compared, and the rules that remember for longer are not covered, nor
  is the silence of a device before it was heard.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from devices.signals import Learned, Together
from devices.site import Site
from ingest.alarms.rules import GroupRule, Rule, SilenceRule, rule_book
from ingest.places import Places
from ingest.recount.expected import Standing
from ingest.recount.state import Memory

WARM_UP_MS = 3 * 3_600_000
_FORMAT = 1
_KEPT = 9


class Kept(msgspec.Struct):
    """What a recount remembers at its end; up to the line ``seq`` of the audit everything is taken in."""

    format: int
    memory: Memory
    standing: dict[str, Standing]
    seq: int


@dataclass
class Beginning:
    """A recount's beginning: ``how`` for people; nothing received before ``from_ms`` is compared."""

    kept: Kept
    how: str
    from_ms: int = 0
    on_trust: bool = False


def folder(places: Places) -> Path:
    """Return where a collector's recounts are kept."""
    return places.data / "recount"


def keep(places: Places, kept: Kept) -> None:
    """Keep what is remembered at the end of a recount, and forget the oldest of those kept."""
    where = folder(places)
    where.mkdir(parents=True, exist_ok=True)
    path = where / f"{kept.memory.position:016d}.state"
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(msgspec.msgpack.encode(kept))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    for old in sorted(where.glob("*.state"))[:-_KEPT]:
        old.unlink(missing_ok=True)


def beginning(places: Places, first: int, first_ms: int, position: int) -> Beginning:
    """Return where to begin in order to know everything behind a position.

    Args:
        places: of the collector.
        first: the oldest position its journal still has.
        first_ms: when that was received.
        position: behind which the span begins.
    """
    for path in sorted(folder(places).glob("*.state"), reverse=True):
        if first - 1 <= int(path.stem) <= position:
            try:
                kept = msgspec.msgpack.decode(path.read_bytes(), type=Kept)
            except (OSError, msgspec.DecodeError, UnicodeDecodeError):
                continue
            if kept.format == _FORMAT:
                return Beginning(kept, f"goes on from the recount that ended at position {kept.memory.position}")
    fresh = Kept(_FORMAT, Memory(first - 1), {}, 0)
    if first <= 1:
        return Beginning(fresh, "begins with the journal")
    sentence = f"begins at position {first}, the oldest kept: what stood open then is taken from the record"
    return Beginning(fresh, sentence, first_ms + WARM_UP_MS, on_trust=True)


def forgetful(site: Site) -> set[str]:
    """Return the rules that remember for longer than a recount on trust has to warm up."""
    return {rule.id for rule in rule_book(site).by_id.values() if _remembers_long(rule)}


def _remembers_long(rule: Rule | SilenceRule | GroupRule) -> bool:
    if isinstance(rule, GroupRule):
        return isinstance(rule.group.of, Together)
    return isinstance(rule, Rule) and isinstance(rule.limit.signal, Learned)
