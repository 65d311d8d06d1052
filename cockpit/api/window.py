"""The time window of a request: without ``at`` the city is live, with it the answer is of that instant."""

from typing import Annotated

from fastapi import Depends, Query

from cockpit.api.parts import Parts, parts_of

At = Annotated[
    str | None, Query(description="as it was at this instant (RFC 3339 with offset, or epoch ms); live unless told")
]


def then_of(parts: Annotated[Parts, Depends(parts_of)], at: At = None) -> int | None:
    """Return the instant of the past that a request asks for, epoch ms; None for the live city.

    Raises:
        Problem: 422, it is no instant, or lies in the future.
    """
    # An empty parameter, as a form sends it, asks for nothing.
    return parts.past.instant(at) if at else None


def then_with_values_of(parts: Annotated[Parts, Depends(parts_of)], at: At = None) -> int | None:
    """Return the same for what is made of readings.

    Raises:
        Problem: 422, as above, or it is older than the readings that the site keeps.
    """
    return parts.past.instant_of_values(at) if at else None


Then = Annotated[int | None, Depends(then_of)]
ThenWithValues = Annotated[int | None, Depends(then_with_values_of)]
