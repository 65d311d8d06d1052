"""Health, the ledger and the live websocket."""

from typing import Annotated

from fastapi import APIRouter, Depends, WebSocket
from starlette.websockets import WebSocketDisconnect

from cockpit.api.parts import Document, Parts, parts_of

router = APIRouter(tags=["health"])
PartsNow = Annotated[Parts, Depends(parts_of)]


@router.get("/healthz")
async def healthz(parts: PartsNow) -> Document:
    """200 as long as the cockpit can answer; ``degraded`` names the part that is in trouble."""
    found = parts.live.parts()
    status = "ok" if all(state == "ok" for state in found.values()) else "degraded"
    return {"status": status, "parts": found}


@router.get("/api/v1/ledger")
async def ledger(parts: PartsNow) -> Document:
    """What came in and what became of it, as it stands now: of all, by kind, and by collector.

    messages: received = journaled = decoded + quarantined + duplicate; readings: produced = stored + refused + waiting.
    By device: `/api/v1/ledger/devices`; minute by minute: `/api/v1/ledger/history`.
    """
    return parts.live.ledger()


@router.websocket("/ws/live")
async def live(socket: WebSocket, only: str = "") -> None:
    """A snapshot, then everything that changes; ``only=alarms``: the open alarms, their changes and the beat alone."""
    parts: Parts = socket.app.state.parts
    await socket.accept()
    try:
        hub = parts.live.alarm_hub if only == "alarms" else parts.live.hub
        await hub.serve(socket.send_text)
    except (WebSocketDisconnect, RuntimeError):
        # Starlette tells a send on a closed socket in either way.
        return
