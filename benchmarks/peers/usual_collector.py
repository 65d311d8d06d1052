"""The usual collector, as tutorials write it: paho's callback, a ``Point`` a message, the write API's own batching.

Addresses come by environment: ``BENCH_MQTT_PORT``, ``BENCH_INFLUX_URL``, ``BENCH_DATABASE``.
"""

import json
import os
import signal
from typing import Any

from influxdb_client import InfluxDBClient, Point, WriteOptions, WritePrecision
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

CLIENT_ID = "bench-usual-collector"


def main() -> None:
    """Collect until SIGTERM."""
    bucket = os.environ["BENCH_DATABASE"]
    influx = InfluxDBClient(os.environ["BENCH_INFLUX_URL"], token="-", org="citydeck")
    writer = influx.write_api(write_options=WriteOptions(batch_size=1_000, flush_interval=1_000))

    def on_connect(client: Client, *_: Any) -> None:
        client.subscribe("city/v1/#", qos=1)

    def on_message(_client: Client, _user: Any, message: MQTTMessage) -> None:
        _, _, district, kind, device, _ = message.topic.split("/")
        document = json.loads(message.payload)
        point = Point(kind).tag("device_id", device).tag("district", district)  # type: ignore[no-untyped-call]
        for key, value in document["data"].items():
            point.field(key, float(value))
        point.time(document["ts"], WritePrecision.MS)
        writer.write(bucket=bucket, record=point)

    client = Client(CallbackAPIVersion.VERSION2, client_id=CLIENT_ID, clean_session=False)
    client.on_connect = on_connect
    client.on_message = on_message
    client.connect("127.0.0.1", int(os.environ["BENCH_MQTT_PORT"]))

    def stop(*_: Any) -> None:
        client.disconnect()

    signal.signal(signal.SIGTERM, stop)
    client.loop_forever()
    writer.close()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
