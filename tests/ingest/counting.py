"""Counting what is in InfluxDB."""

from tests.servers.influxdb import Influx


def per_device(influx: Influx, measurement: str) -> dict[str, int]:
    """Return how many points each device has."""
    answer = influx.query(f'SELECT count("quality") FROM "{measurement}" GROUP BY "device_id"')
    return {series["tags"]["device_id"]: series["values"][0][1] for series in answer["results"][0].get("series", [])}


def per_measurement(influx: Influx) -> dict[str, int]:
    """Return how many points each measurement has; summaries of minutes are made of them and count no more."""
    names = [row["name"] for row in influx.rows("SHOW MEASUREMENTS") if not row["name"].endswith("_1m")]
    return {name: sum(per_device(influx, name).values()) for name in names}
