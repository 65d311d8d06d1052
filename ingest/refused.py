"""Writing again what a store refused, once what it refused it for is mended: read anew from the journal, same points.

Messages of refused readings were read and judged when they came; only the store's side of the ledger moves.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from devices.readings import Reading
from devices.site import Site
from ingest.decoding import Decoder, Unregistered
from ingest.positions import Stand
from ingest.quarantine import Landed, Origin, Quarantined
from ingest.records import Record
from ingest.store.base import WriteResult

REASON = "refused"
_BATCH = 1_000


class Again(NamedTuple):
    """One message, each time it stands in quarantine, with all its readings; ``origins`` has one for each refusal."""

    origins: tuple[Origin, ...]
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class Trial:
    """What the store's writer shall write again; ``done`` is set when it is committed what became of it."""

    messages: Sequence[Again]
    done: threading.Event = field(default_factory=threading.Event)

    def came_of(self, result: WriteResult) -> tuple[list[Landed], list[Quarantined]]:
        """Return what leaves quarantine and what stays: all of a message of which anything is refused again."""
        refused = {reading.position: sentence for reading, sentence in result.refused}
        landed: list[Landed] = []
        stays: list[Quarantined] = []
        for origins, readings in self.messages:
            for origin in origins:
                sentence = refused.get(origin.position) if readings else "its message cannot be read any more"
                if sentence is None:
                    landed.append(Landed(origin, "decoded"))
                else:
                    where = (origin.position, origin.received_ms, origin.reason, origin.device)
                    stays.append(Quarantined(*where, "", sentence, origin=origin))
        return landed, stays


def trials(site: Site, request: str, found: Iterable[tuple[Record, Sequence[Stand]]]) -> Iterator[Trial]:
    """Yield what is to be written again, in batches."""
    messages: list[Again] = []
    count = 0
    for record, stands in found:
        # By itself each: what was refused had been news. Who was let in then is let in now.
        outcome = Decoder(site, Unregistered(per_hour=None)).outcome(record)
        origins = [
            Origin(request, *stand.place, record.position, record.received_ms)
            for stand in stands
            for _ in range(stand.times)
        ]
        messages.append(Again(tuple(origins), outcome.readings))
        count += len(outcome.readings) + 1
        if count >= _BATCH:
            yield Trial(messages)
            messages, count = [], 0
    if messages:
        yield Trial(messages)
