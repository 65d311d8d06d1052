"""Journals as tests fill them: some messages an hour from a round instant on."""

from ingest.journal import Journal

HOUR_MS = 3_600_000
T_MS = 490_000 * HOUR_MS


def batch(count: int, start: int = 0) -> list[tuple[str, bytes]]:
    return [(f"city/{start + i}", b"\x00\xff%d" % (start + i)) for i in range(count)]


def fill(journal: Journal, hours: int, per_hour: int) -> list[tuple[str, bytes]]:
    """Append two batches an hour and return all messages."""
    messages: list[tuple[str, bytes]] = []
    for hour in range(hours):
        for half in (0, 1):
            part = batch(per_hour // 2, len(messages))
            journal.append(part, T_MS + hour * HOUR_MS + half)
            messages += part
    return messages
