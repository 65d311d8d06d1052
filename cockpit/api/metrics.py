"""`/metrics`: the whole site for Prometheus."""

import asyncio
import hmac
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from cockpit.api.parts import Parts, parts_of
from cockpit.guard import current_user
from cockpit.metrics import CityFigures
from cockpit.problems import problem_response

router = APIRouter(tags=["health"])
PartsNow = Annotated[Parts, Depends(parts_of)]


@router.get("/metrics", response_class=Response)
async def metrics(parts: PartsNow, request: Request) -> Response:
    """Everything in the Prometheus text format.

    Open on a simulated site; elsewhere for whoever is logged in or brings the token of CITYDECK_METRICS_TOKEN.
    """
    if not (parts.site.simulated or current_user.get() or _has_token(request, parts.metrics_token)):
        refusal = problem_response(
            401, "Metrics need a log-in, or a bearer token as in CITYDECK_METRICS_TOKEN.", code="metrics_token"
        )
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal
    live = parts.live
    figures = CityFigures(
        len(live.hub) + len(live.alarm_hub),
        live.summary()["kinds"],
        {shard: link.heard_ms for shard, link in live.city.shards.items()},
    )
    # Reading the collectors' texts takes some milliseconds each, which no other page should wait for.
    text = await asyncio.to_thread(live.metrics.text, figures, time.time_ns() // 1_000_000)
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _has_token(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # The bytes as they came: headers are read as Latin-1, and a token may hold other letters.
    return (
        bool(token)
        and scheme.lower() == "bearer"
        and hmac.compare_digest(given.strip().encode("latin-1"), token.encode())
    )
