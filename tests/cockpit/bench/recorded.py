"""Recordings for the bench: minutes of a small town in which gas leaks and heavy trucks pass."""

from pathlib import Path

from devices.recording import TICK, Header, Message, Writer, versions
from devices.site import Site
from tests.ingest.messages import T_MS, gas, passage

SECOND = 1_000
SECONDS = 300
LEAK, TRUCKS = range(60, 160), (180, 240)
# A value that nothing else in any test has.
CONC = 61.75
# Another detector smells a little of it all the time.
CALM_CONC, CALM_S = 12, 10
MESSAGES = SECONDS + SECONDS // CALM_S + len(TRUCKS)
HEADER = {"software": "tests", "site": {"zh": "测试区", "en": "Test District"}, "district": "demo"}


def messages(device: str = "gas-1", from_ms: int = T_MS) -> list[Message]:
    """Return five minutes, with a leak of a hundred seconds."""
    found = []
    for second in range(SECONDS):
        at_ms = from_ms + second * SECOND
        told = gas(device, CONC if second in LEAK else 3, ts=at_ms, seq=second)
        found += [Message(at_ms, TICK, b""), Message(at_ms, *told)]
        if second % CALM_S == 0:
            found.append(Message(at_ms, *gas("gas-2", CALM_CONC, ts=at_ms, seq=second)))
        if second in TRUCKS:
            found.append(Message(at_ms, *passage("wim-1", f"p{second}", at_ms, 30_000)))
    return found


def write(path: Path, site: Site, found: list[Message], /, **header: object) -> Path:
    """Write messages into a recording."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"timezone": "Asia/Shanghai", "from_ms": found[0].received_ms, "to_ms": found[-1].received_ms + 1}
    writer = Writer(path, Header(**{**HEADER, **told, "kinds": versions(site.catalog), **header}))  # type: ignore[arg-type]
    for start in range(0, len(found), 100):
        writer.write(found[start : start + 100])
    writer.close()
    return path
