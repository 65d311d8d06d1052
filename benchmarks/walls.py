"""``python -m benchmarks.walls``: sockets on /ws/live as wall pages open them; notes when each alarm comes to each.

Until SIGTERM; then one line an alarm and socket: the device, and the machine's monotonic clock in ns.
"""

import asyncio
import re
import signal
import sys
import time
from contextlib import suppress

import click
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from benchmarks.rig import ALARMING

_ALARM = '{"type":"alarm"'
_DEVICE = re.compile(f'"device":"({ALARMING}[0-9]+)"')
_LARGEST = 64 * 1024 * 1024
READY = "all have their snapshot"


async def _wall(url: str, ready: asyncio.Event, heard: list[tuple[str, int]]) -> None:
    # As a browser: compression as the server offers it, everything read.
    async with connect(url, max_size=_LARGEST, proxy=None) as socket:
        with suppress(ConnectionClosed):
            async for text in socket:
                at_ns = time.monotonic_ns()
                if not isinstance(text, str):
                    continue
                if text.startswith(_ALARM):
                    found = _DEVICE.search(text)
                    if found:
                        heard.append((found[1], at_ns))
                elif text.startswith('{"type":"snapshot_end"'):
                    ready.set()


async def _run(url: str, count: int) -> None:
    heard: list[tuple[str, int]] = []
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    ready = [asyncio.Event() for _ in range(count)]
    walls = [asyncio.create_task(_wall(url, event, heard)) for event in ready]
    for event in ready:
        await event.wait()
    print(READY, flush=True)
    await stopping.wait()
    for wall in walls:
        wall.cancel()
    await asyncio.gather(*walls, return_exceptions=True)
    sys.stdout.write("".join(f"{device} {at_ns}\n" for device, at_ns in heard))


@click.command(help="Open so many sockets and note when alarms come.")
@click.option("--url", required=True)
@click.option("--count", type=click.IntRange(1), required=True)
def main(url: str, count: int) -> None:
    """Run the sockets."""
    asyncio.run(_run(url, count))


if __name__ == "__main__":
    main()
