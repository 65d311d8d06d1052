"""The exceptions of this package."""

from typing import Literal

RefusedWhy = Literal[
    "not_found", "role", "level_changed", "level_unknown", "closed", "key_reused", "not_allowed",
    "state", "changed", "overdue", "same_person", "expired", "alarm_active", "pending", "unfit", "area",
]  # fmt: skip


class IngestError(Exception):
    """Anything this package cannot do."""


class BrokerUnknown(IngestError):
    """Nobody said where the broker is."""


class JournalError(IngestError):
    """The journal cannot be written or read; nothing may be acknowledged to the broker meanwhile."""


class StoreError(IngestError):
    """The store is away or refuses everything; the readings stay in the journal and are tried again."""


class BackupError(IngestError):
    """A backup cannot be written or restored; nothing is left half done."""


class ReplayError(IngestError):
    """A recording cannot be replayed there."""


class InstantError(IngestError):
    """What was given is no instant."""


class EvidenceError(IngestError):
    """A pack of evidence cannot be read."""


class AlarmError(IngestError):
    """The alarm database cannot be used."""


class Refused(AlarmError):
    """A command that must not be carried out. ``why`` is a stable word, the message a sentence for people."""

    def __init__(self, why: RefusedWhy, sentence: str, occurrence: str | None = None, case: str | None = None) -> None:
        super().__init__(sentence)
        self.why = why
        self.occurrence = occurrence
        self.case = case
