"""What may be asked of the city of an exercise: everything that is read, and the acts on its alarms and cases."""

import re

from cockpit.bench.door import Manners, reads
from cockpit.sessions import User

PREFIX = "/drill/city/"
NOT_HERE = "In an exercise only alarms and cases are acted on; do everything else in the live city."
_NAME = r"[^/]+"
_ACTS = re.compile(
    rf"/api/v1/(alarms/ack|alarms/{_NAME}/(ack|comment|decision|shelve|unshelve|reset|verdict)"
    rf"|cases(/{_NAME}){{0,3}}|requests/{_NAME}/(agree|decline)|out-of-service|suppressions/{_NAME}/end)"
)
# Who is logged in is a matter of the live city alone.
_NOT_READ = ("/api/v1/login", "/api/v1/logout", "/login")


def fits(method: str, path: str) -> bool:
    """Tell whether a request may reach the city of an exercise."""
    if path in _NOT_READ:
        return False
    return reads(method, path) or (method == "POST" and _ACTS.fullmatch(path) is not None)


DRILL = Manners(fits, NOT_HERE, "drill_not_here", hands_over=True)


def anybody(_user: User | None) -> None:
    """Let everybody look who may look at the live city, which was asked before."""
