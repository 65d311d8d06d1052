"""A recount told to people and to programs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from devices.site import Site
from ingest.recount.recounting import Difference, Recount

_SIGN = {"missing": "漏", "phantom": "多", "changed": "改"}


def lines(recounts: Sequence[Recount], site: Site) -> Iterator[str]:
    """Yield the lines that tell recounts; the last one is the verdict."""
    for each in recounts:
        span = f"{_shown(each.from_ms, site)} to {_shown(each.to_ms, site)}"
        yield f"{each.shard} {span}: {each.records} records judged again, {each.expected} lines must be on record"
        yield f"  {each.how}"
        for found in each.differences:
            yield f"{_SIGN[found.verdict]} {_line(found, site)}"
        for altered in each.altered:
            yield f"{_SIGN[altered.verdict]} {altered.sentence}"
        for sentence in each.uncovered:
            yield f"not covered: {sentence}"
    yield verdict(recounts)


def verdict(recounts: Sequence[Recount]) -> str:
    """Return the sum in one line; it says so where something was not judged."""
    missing, phantom, changed = (sum(each.count(what) for each in recounts) for what in _SIGN)
    uncovered = sum(len(each.uncovered) for each in recounts)
    sums = f"漏 {missing} / 多 {phantom}" + (f" / 改 {changed}" if changed else "")
    return sums + (f" (not covered: {uncovered}, see above)" if uncovered else "")


def document(each: Recount, site: Site) -> dict[str, object]:
    """Return a recount as a document."""
    return {
        "shard": each.shard,
        "from": _shown(each.from_ms, site),
        "to": _shown(each.to_ms, site),
        "how": each.how,
        "records": each.records,
        "expected": each.expected,
        "missing": each.count("missing"),
        "phantom": each.count("phantom"),
        "changed": each.count("changed"),
        "differences": [
            {
                "verdict": found.verdict,
                "at": _shown(found.entry.now_ms, site),
                "position": found.entry.position,
                "device": found.device,
                "rule": found.rule,
                "point": found.entry.point,
                "what": found.entry.what,
                "level": found.entry.level,
            }
            for found in each.differences
        ],
        "altered": [asdict(found) for found in each.altered],
        "not_covered": each.uncovered,
    }


def _line(found: Difference, site: Site) -> str:
    entry = found.entry
    cause = f", cause at {_shown(entry.raised_at, site)}" if entry.raised_at is not None else ""
    return (
        f"{_shown(entry.now_ms, site)} position {entry.position} device {found.device} rule {found.rule}: "
        f"{entry.what} to level {entry.level} of {entry.point}{cause}"
    )


def _shown(at_ms: int, site: Site) -> str:
    return datetime.fromtimestamp(at_ms / 1000, site.timezone).isoformat(timespec="milliseconds")
