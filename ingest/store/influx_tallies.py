"""Tallies in InfluxDB: a statement a case, of those that 1.8, 2 and 3 share."""

from ingest.store.influx_reading import Server, identifier
from ingest.store.minutes import table_of
from ingest.store.tallies import Asked, Least, Tally


def tallies(server: Server, asked: Asked, start_ms: int, stop_ms: int) -> dict[str, list[Tally]]:
    """Return the tallies of every device.

    Records stand in two buckets where minutes have one of their own: the newest in one, all but the newest in the
    other. Each holds a part of the same rows, so of both answers the greater is the whole one for a span that either
    holds whole.
    """
    buckets = [server.long] if asked.minutes else sorted({server.bucket, server.long})
    found: dict[str, list[Tally]] = {}
    for index, case in enumerate(asked.cases):
        for bucket in buckets:
            for device, tally in _case(server, bucket, asked, case, start_ms, stop_ms).items():
                own = found.setdefault(device, [Tally(0, 0.0)] * len(asked.cases))
                own[index] = max(own[index], tally)
    return found


def _case(
    server: Server, bucket: str, asked: Asked, case: tuple[Least, ...], start_ms: int, stop_ms: int
) -> dict[str, Tally]:
    table = table_of(asked.measurement) if asked.minutes else asked.measurement
    added = identifier(asked.added)
    # InfluxQL knows no exponents.
    holds = "".join(
        f" AND {identifier(asked.column(least))} {'>' if least.more else '>='} {least.value:.9f}" for least in case
    )
    series = server.ask(
        f"SELECT count({added}), sum({added}) FROM {identifier(table)} "
        f'WHERE time >= {start_ms}ms AND time < {stop_ms}ms{holds} GROUP BY "device_id"',
        bucket,
    )
    return {each["tags"]["device_id"]: Tally(int(each["values"][0][1]), float(each["values"][0][2])) for each in series}
