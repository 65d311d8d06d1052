"""A simulated span straight into a recording (docs/recordings.md), as a collector would have received it.

No clock and no network: an hour of the demo city takes less than a minute, and the same wish gives the same bytes.
"""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from devices.recording import TICK, Header, Message, Writer, digests, versions
from devices.site import Site
from simulators.feed import Feed

_SECOND_MS = 1_000
_BLOCK_S = 10
# A collector takes in what came meanwhile every so often.
_BATCH_MS = 20


def record(
    site: Site, feed: Feed, path: Path, begin_ms: int, lasts_s: int, progress: Callable[[int, int], None]
) -> int:
    """Write what a city says in ``lasts_s`` seconds, and return how many messages that is.

    Raises:
        RecordingError: the file exists or cannot be written; nothing of it is left.
    """
    end_ms = begin_ms + lasts_s * _SECOND_MS
    writer = Writer(
        path,
        Header(
            software=f"citydeck {version('citydeck')}, simulated",
            site={"zh": site.label.zh, "en": site.label.en},
            district=site.district,
            timezone=site.timezone.key,
            from_ms=begin_ms,
            to_ms=end_ms,
            kinds=versions(site.catalog),
            digests=digests(site),
        ),
    )
    try:
        # As the fleet does when it connects.
        topics = [each.status_topic for each in feed.connections if each.status_topic is not None]
        block = [Message(begin_ms, topic, b"online") for topic in topics]
        ticks = 0
        for second in range(lasts_s):
            from_ms = begin_ms + second * _SECOND_MS
            block.append(Message(from_ms, TICK, b""))
            ticks += 1
            said = feed.due(from_ms, from_ms + _SECOND_MS)
            heard = [Message(_received(max(each.at_ms, from_ms)), each.topic, each.payload) for each in said]
            # What is said last may be taken in only when the span is over.
            block += [message for message in heard if message.received_ms < end_ms]
            if second % _BLOCK_S == _BLOCK_S - 1:
                writer.write(block)
                block = []
                progress(second + 1, lasts_s)
        writer.write(block)
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    return writer.messages - ticks


def _received(at_ms: int) -> int:
    return -(-at_ms // _BATCH_MS) * _BATCH_MS
