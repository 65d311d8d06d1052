"""What requests about cases carry; every text as long as its column."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cockpit.api.alarm_requests import Key, Sentence, text_of

Word = Annotated[str, text_of(64)]
PictureReference = Annotated[str, text_of(300, 1)]
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
    place: Annotated[str, text_of(200)] = ""
    lat: Lat | None = None
    lon: Lon | None = None
    found_at: str | None = None
    description: Sentence = ""


class ReportRequest(PlaceRequest):
    """An officer's report or a hotline call; where it is: a street, a position in one, or a device."""

    source: Literal["officer", "hotline"] = "officer"
    sub_class: Word
    device: Word | None = None
    reference: Annotated[str, text_of(160)] = ""
    pictures: Annotated[list[PictureReference], Field(max_length=20)] = []


class FindingRequest(PlaceRequest):
    """What a drone's recognition found; the same finding number twice is one case."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    finding: Annotated[str, text_of(160, 1)]
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
