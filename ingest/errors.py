"""The exceptions of this package."""

from collections.abc import Mapping
from typing import Any, Literal

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


class Unkeepable(AlarmError):
    """The alarm database can be used, but no database holds what it was given; to try again is of no use."""


class Refused(AlarmError):
    """A command that must not be carried out. ``why`` is a stable word, the message a sentence for people.

    ``code`` is a stable word for exactly this sentence, by which pages say it in the reader's language; ``values`` are
    what it tells: words, numbers, or lists of keys such as roles.
    """

    def __init__(
        self,
        why: RefusedWhy,
        sentence: str,
        occurrence: str | None = None,
        case: str | None = None,
        *,
        code: str = "",
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.why = why
        self.code = code or why
        self.values = plain(values)
        self.occurrence = occurrence
        self.case = case


def plain(values: Mapping[str, object] | None) -> dict[str, Any]:
    """Return what a sentence tells as words, numbers and lists of words, which any document can hold."""

    def of(value: object) -> Any:
        if isinstance(value, list | tuple):
            return [str(each) for each in value]
        return value if isinstance(value, int | float) else str(value)

    return {name: of(value) for name, value in (values or {}).items()}
