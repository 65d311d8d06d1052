"""What requests about alarms carry; every text as long as its column."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from ingest.alarms.commands.acknowledge import BULK_MOST
from ingest.alarms.commands.deciding import OBSERVE_MOST_S, Decision


def text_of(longest: int, shortest: int = 0) -> Any:
    """Return what a text must be."""
    # A NUL is no text for PostgreSQL.
    return StringConstraints(min_length=shortest, max_length=longest, pattern=r"^[^\x00]*$")


Key = Annotated[str, text_of(128, 1)]
Sentence = Annotated[str, text_of(2000)]
Reason = Annotated[str, text_of(2000, 1)]
Level = Annotated[StrictInt, Field(ge=0, le=99)]
ObserveS = Annotated[StrictInt, Field(ge=60, le=OBSERVE_MOST_S)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    idempotency_key: Key


class AckRequest(_Body):
    """The level that was on the screen, and perhaps what is decided; observe and merge say for how long and to what."""

    seen_level: Level
    decision: Decision | None = None
    comment: Sentence = ""
    observe_s: ObserveS | None = None
    case: Annotated[str, text_of(40)] | None = None


class AckLine(BaseModel):
    """One alarm of a list."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, text_of(40, 1)]
    seen_level: Level


class AckListRequest(_Body):
    """Exactly these alarms, each at the level that was on the screen; P1 is not acknowledged in a list."""

    items: Annotated[list[AckLine], Field(min_length=1, max_length=BULK_MOST)]
    comment: Sentence = ""


class DecisionRequest(_Body):
    """What is decided about an acknowledged alarm."""

    decision: Decision
    comment: Sentence = ""
    observe_s: ObserveS | None = None
    case: Annotated[str, text_of(40)] | None = None


class CommentRequest(_Body):
    """What somebody has to say."""

    comment: Reason


class ReasonRequest(_Body):
    """Why."""

    reason: Reason


class UnshelveRequest(_Body):
    """Why, if there is anything to say."""

    reason: Sentence = ""


class ShelveRequest(_Body):
    """Why, and for how long; without a duration as long as it is allowed."""

    reason: Reason
    duration_s: Annotated[StrictInt, Field(ge=60, le=8 * 3600)] | None = None


class VerdictRequest(_Body):
    """The alarm was false, because."""

    verdict: Literal["false_alarm"] = "false_alarm"
    reason: Reason


class OutOfServiceRequest(_Body):
    """A device, or one alarm point, for planned work until an instant (RFC 3339 with offset)."""

    device: Annotated[str, text_of(64, 1)] | None = None
    point: Annotated[str, text_of(300, 1)] | None = None
    permit: Annotated[str, text_of(120, 1)]
    reason: Reason
    until: str


class AgreeRequest(_Body):
    """Yes or no."""

    comment: Sentence = ""
