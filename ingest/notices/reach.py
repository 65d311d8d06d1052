"""Whom the channels of a site reach: what is missing for an urgent alarm to be heard (GB/T 45839 §5.10.4)."""

from devices.site import Site
from ingest.notices.ladder import LADDERS, rung

# By so many kinds of channel a P1 goes out at once: two of one kind fail together.
KINDS_NEEDED = 2


def gaps(site: Site) -> list[str]:
    """Return a sentence for each gap: a P1 by fewer than two kinds of channel, a step that reaches nobody."""
    first = rung("P1", 0)
    assert first is not None
    kinds = sorted({each.kind for each in site.channels if "P1" in each.priorities and first.role in each.roles})
    found = []
    if len(kinds) < KINDS_NEEDED:
        by = f"by {len(kinds)} kind{'' if len(kinds) == 1 else 's'} of channel ({', '.join(kinds) or 'none'})"
        found.append(f"notify: a P1 goes out {by}; at least {KINDS_NEEDED} are expected")
    for priority, ladder in LADDERS.items():
        reached = {role for each in site.channels if priority in each.priorities for role in each.roles}
        missing = sorted({step.role for step in ladder} - reached)
        if reached and missing:
            found.append(f"notify: no channel carries {priority} to {' and '.join(missing)}, whom its escalation calls")
    return found
