"""Messages read together: which of many hold no more than numbers and tags, each added to the sheet of its channel."""

from collections.abc import Sequence
from typing import Final

from devices.lanes import Lanes
from devices.points import MAX_BYTES
from devices.quick import UNREADABLE, way_of
from devices.shapes import Shapes, TagSet
from devices.site import Site, Way
from ingest.sheets import Sheet

# A device that once sent more than numbers and tags often does: a try in vain costs as much as reading the message.
_SPARED = 31
_NO_TAGS: Final = TagSet({}, Shapes(()))


def gathered(
    site: Site, topics: Sequence[str], payloads: Sequence[bytes], start: int, failed: dict[int, Exception]
) -> tuple[list[Sheet], dict[int, Way | None]]:
    """Read messages that are usual, as far as they themselves tell.

    Args:
        site: whose devices send them.
        topics: of each message.
        payloads: of each message.
        start: the place of the first among all that are read together.
        failed: gets, by its place, what went wrong with a message by a fault of ours.

    Returns:
        The sheets with those that are, and the others: by the place of each what is known of its topic.
    """
    known = site.ways.get
    sheets: dict[Lanes, Sheet] = {}
    others: dict[int, Way | None] = {}
    lanes: Lanes | None = None
    for index, (topic, payload) in enumerate(zip(topics, payloads, strict=True), start):
        way = known(topic) or way_of(topic, site)
        if way is None or not way.usual or len(payload) > MAX_BYTES:
            others[index] = way
            continue
        if way.spared:
            way.spared -= 1
            others[index] = way
            continue
        envelope, tags = way.envelope, _NO_TAGS
        try:
            if way.tries_tags:
                said = envelope.usual_tagged(payload)
                sample, tags = envelope.tagged_sample(said)
            else:
                said = envelope.usual(payload)
                sample = envelope.sample(said)
        except UNREADABLE:
            sample = None
        except Exception as error:  # noqa: BLE001 - told by whoever asked
            failed[index] = error
            continue
        if sample is None:
            if envelope.tag_keys and not way.tries_tags:
                way.tries_tags = True
            else:
                way.spared = _SPARED
            others[index] = way
            continue
        # Nearly every message comes this way.
        if way.lanes is not lanes:
            lanes = way.lanes
            sheet = sheets.get(lanes) or sheets.setdefault(lanes, Sheet(way))
            add = sheet.rows.append
        if said.hist:
            sheet.history.add(len(sheet.rows))
        if tags.values:
            sheet.tag_sets[len(sheet.rows)] = tags
        add((index, way, said.ts, said.seq, sample))
    return list(sheets.values()), others
