"""What cannot be done for now is tried each second; a trouble is told once for as long as it lasts."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from ingest.errors import AlarmError, JournalError

log = logging.getLogger(__name__)

Done = TypeVar("Done")
_REST_S = 1.0


def patiently(work: Callable[[], Done], stopping: threading.Event, waiting: str = "") -> Done:
    """Return what ``work`` returns, as soon as journal and alarm database let it.

    Args:
        work: what is to be done; after a failure it is done anew.
        stopping: once set, the next failure is the last.
        waiting: what is told beside the trouble, such as ``"alarms wait"``.

    Raises:
        AlarmError: it cannot be done, and we are stopping.
        JournalError: as above.
    """
    told = ""
    while True:
        try:
            done = work()
        except (AlarmError, JournalError) as error:
            # A line a second would fill the disk that may be full already.
            if str(error) != told:
                told = str(error)
                log.error("%s", f"{told}; {waiting}" if waiting else told)
            if stopping.wait(_REST_S):
                raise
        else:
            if told:
                log.info("over, going on: %s", told)
            return done
