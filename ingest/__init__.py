"""From the broker to store and alarms: journal first, everything else from the journal; knows no pages.

Exceptions::

    IngestError
    ├── BrokerUnknown     nobody said where the broker is
    ├── JournalError      the journal cannot be written or read (disk full, damaged file)
    ├── StoreError        the store is away or refuses everything; readings wait in the journal
    └── AlarmError        the alarm database cannot be used
        └── Refused       an officer's command that must not be carried out; carries why
"""

from ingest.errors import AlarmError, BrokerUnknown, IngestError, JournalError, Refused, StoreError

__all__ = ["AlarmError", "BrokerUnknown", "IngestError", "JournalError", "Refused", "StoreError"]
