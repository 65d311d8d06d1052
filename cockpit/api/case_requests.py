"""What requests about cases carry; every text as long as its column."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


def _text(longest: int, shortest: int = 0) -> Any:
    # A NUL is no text for PostgreSQL.
    return StringConstraints(min_length=shortest, max_length=longest, pattern=r"^[^\x00]*$")


Key = Annotated[str, _text(128, 1)]
Word = Annotated[str, _text(64)]
Sentence = Annotated[str, _text(2000)]
PictureReference = Annotated[str, _text(300, 1)]
Share = Annotated[float, Field(ge=0, le=1)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Lon = Annotated[float, Field(ge=-180, le=180)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    idempotency_key: Key


class PlaceRequest(_Body):
    """Where and what."""

    severe: bool = False
    street: Word = ""
    grid: Word = ""
    place: Annotated[str, _text(200)] = ""
    lat: Lat | None = None
    lon: Lon | None = None
    found_at: str | None = None
    description: Sentence = ""


class ReportRequest(PlaceRequest):
    """An officer's report or a hotline call; where it is: a street, a position in one, or a device."""

    source: Literal["officer", "hotline"] = "officer"
    sub_class: Word
    device: Word | None = None
    reference: Annotated[str, _text(160)] = ""
    pictures: Annotated[list[PictureReference], Field(max_length=20)] = []


class FindingRequest(PlaceRequest):
    """What a drone's recognition found; the same finding number twice is one case."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    finding: Annotated[str, _text(160, 1)]
    recognised: Annotated[Word, Field(alias="class")]
    picture: PictureReference
    route: Word = ""
    confidence: Share | None = None
    lat: Lat
    lon: Lon


class ActRequest(_Body):
    """What every act carries: a key that makes a repeat harmless, and the version that was on the screen."""

    seen_version: int | None = None
    comment: Sentence = ""
    pictures: Annotated[list[PictureReference], Field(max_length=20)] = []


class RegisterRequest(ActRequest):
    """Registering may correct what was reported."""

    sub_class: Word = ""
    severe: bool | None = None


class ReasonRequest(ActRequest):
    """An act that needs a reason."""

    reason: Sentence


class DispatchRequest(ActRequest):
    """To which unit; the device's own one unless told."""

    unit: Word = ""


class VerifyRequest(ActRequest):
    """Whether the matter is settled; if not, why."""

    passed: bool
    reason: Sentence = ""


class ExtendRequest(ReasonRequest):
    """By how many hours."""

    hours: Annotated[float, Field(gt=0, le=720)]


class LinkRequest(ActRequest):
    """Which alarm."""

    alarm: Word
