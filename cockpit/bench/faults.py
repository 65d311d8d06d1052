"""Faults that can be laid over a scenario: which there are, and whether some mean anything of the site.

The simulators know both; like the scenarios they are met as a process, never imported.
"""

import json
import logging
import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from cockpit.bench.asking import ask
from cockpit.problems import Problem
from devices.site import Site

log = logging.getLogger(__name__)

Document = dict[str, Any]
# Of one run; more than a person would lay over it.
MOST_FAULTS, LONGEST = 20, 200
_PATIENCE_S = 60.0
# What the simulators say is wrong with a fault, for which there are texts in every language.
_TEXTS = frozenset(
    {
        "fault_form",
        "fault_strange",
        "fault_strange_meant",
        "fault_nowhere",
        "fault_nowhere_meant",
        "fault_setting",
        "fault_field",
        "fault_field_meant",
        "fault_number",
        "fault_amount_missing",
        "fault_amount_foreign",
        "fault_early",
        "fault_share",
        "fault_span",
    }
)


class _Unfit(msgspec.Struct):
    """What the simulators say of a fault that cannot be laid."""

    code: str
    values: Document


class Faults:
    """Asks the simulators; calls block."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._kinds: list[Document] = []
        self._lock = threading.Lock()

    def kinds(self) -> list[Document]:
        """Return the named faults: key, name, what it does, whether it needs an amount."""
        with self._lock:
            if not self._kinds:
                self._kinds = json.loads(self._told(()))
            return self._kinds

    def checked(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return faults that mean something of the site.

        Raises:
            Problem: 422, one of them does not, in a sentence.
        """
        if words:
            self._told(words)
        return tuple(words)

    def _told(self, words: Sequence[str]) -> str:
        options = ["--list-faults", "--site", str(self._site.source), *(f"--fault={word}" for word in words)]
        told = ask("simulators", *options, patience_s=_PATIENCE_S)
        if told.returncode:
            said = told.stderr.strip().rpartition("\n")[2].removeprefix("Error: ")
            unfit = _unfit(told.stdout, said)
            raise Problem(422, f"The faults cannot be laid: {said}.", code=unfit.code, values=unfit.values)
        return told.stdout


def _unfit(document: str, said: str) -> _Unfit:
    try:
        found = msgspec.json.decode(document, type=_Unfit)
    except msgspec.DecodeError:
        # Not a fault is wrong, but the site itself.
        log.warning("faults cannot be checked: %s", said)
        found = _Unfit("", {})
    return found if found.code in _TEXTS else _Unfit("bad_fault", {"detail": said})
