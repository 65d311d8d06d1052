"""The servers are real, ours, and behave as the design relies on."""

import os
import time
from typing import Any

import pytest
from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage, MQTTv5
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from playwright.sync_api import Browser, Error, Page

from tests.servers.chromium import local_page
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port, owns_port
from tests.servers.programs import require
from tests.servers.waiting import wait_until

T_NS = 1_760_000_000_123_456_789


class Subscriber:
    """An MQTT 5 client with a session that outlives its connection."""

    def __init__(self, port: int):
        self.received: list[bytes] = []
        self._subscribed = False
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="subscriber", protocol=MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe("city/#", qos=1)
        self._client.on_subscribe = self._on_subscribe
        self._client.connect("127.0.0.1", port, clean_start=False, properties=properties)
        self._client.loop_start()
        wait_until(lambda: self._subscribed)

    def disconnect(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self.received.append(bytes(message.payload))

    def _on_subscribe(self, *_: Any) -> None:
        self._subscribed = True


def publish(port: int, payload: bytes, username: str | None = None, password: str | None = None) -> str:
    """Publish once with QoS 1 and return what the broker said to the connection."""
    said: list[str] = []
    client = Client(CallbackAPIVersion.VERSION2, client_id="publisher", protocol=MQTTv5)
    client.on_connect = lambda _client, _userdata, _flags, reason, _properties: said.append(str(reason))
    if username is not None:
        client.username_pw_set(username, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait_until(lambda: said)
    if said[0] == "Success":
        client.publish("city/v1/demo/gas_alarm/gas-0001/telemetry", payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    return said[0]


def test_mosquitto_is_the_process_that_we_started(mosquitto: Mosquitto) -> None:
    assert owns_port(mosquitto.pid, mosquitto.port)
    assert not owns_port(os.getpid(), mosquitto.port)
    assert not owns_port(mosquitto.pid, free_port())


def test_mosquitto_keeps_messages_of_a_session_over_a_restart(mosquitto: Mosquitto) -> None:
    Subscriber(mosquitto.port).disconnect()
    assert publish(mosquitto.port, b"kept") == "Success"

    mosquitto.restart()

    subscriber = Subscriber(mosquitto.port)
    wait_until(lambda: subscriber.received)
    subscriber.disconnect()
    assert subscriber.received == [b"kept"]


def test_mosquitto_can_be_killed_and_started_again(mosquitto: Mosquitto) -> None:
    first = mosquitto.pid
    mosquitto.kill()
    mosquitto.start()
    assert mosquitto.pid != first
    assert publish(mosquitto.port, b"after") == "Success"


def test_mosquitto_refuses_a_wrong_password(guarded_mosquitto: Mosquitto) -> None:
    assert publish(guarded_mosquitto.port, b"", "citydeck", "right") == "Success"
    assert publish(guarded_mosquitto.port, b"", "citydeck", "wrong") == "Not authorized"


def write(influx: Influx, line: str, precision: str, bucket: str | None = None) -> None:
    with InfluxDBClient(influx.url, token="", org=influx.org) as client:
        writer = client.write_api(write_options=SYNCHRONOUS)
        writer.write(bucket or influx.database, record=line, write_precision=precision)


@pytest.mark.parametrize(("precision", "ns"), [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)])
def test_influx_stores_the_time_that_was_written(influx: Influx, precision: str, ns: int) -> None:
    at = T_NS // ns
    write(influx, f"gas_alarm,device=gas-0001 conc_pct_lel=4.5 {at}", precision)
    assert influx.rows("SELECT * FROM gas_alarm") == [{"time": at * ns, "device": "gas-0001", "conc_pct_lel": 4.5}]


def test_influx_refuses_a_precision_that_it_would_misread(influx: Influx) -> None:
    with pytest.raises(ApiException) as refused:
        write(influx, f"gas_alarm v=1 {T_NS}", "minutes")
    assert refused.value.status == 400
    assert influx.rows("SELECT * FROM gas_alarm") == []


def test_influx_writes_into_a_retention_policy(influx: Influx) -> None:
    influx.query(f'CREATE RETENTION POLICY "long" ON "{influx.database}" DURATION INF REPLICATION 1')
    write(influx, f"drone v=1 {T_NS}", "ns", bucket=f"{influx.database}/long")
    assert influx.rows('SELECT v FROM "long".drone') == [{"time": T_NS, "v": 1}]


def test_influx_answers_400_to_a_type_conflict(influx: Influx) -> None:
    write(influx, f"gas_alarm v=1.5 {T_NS}", "ns")
    with pytest.raises(ApiException) as refused:
        write(influx, f'gas_alarm v="text" {T_NS}', "ns")
    assert refused.value.status == 400
    assert "field type conflict" in str(refused.value.body)


def test_influx_keeps_its_data_over_a_kill(influx: Influx) -> None:
    write(influx, f"gas_alarm v=1.5 {T_NS}", "ns")
    influx.kill()
    with pytest.raises(ApiException) as refused:
        write(influx, f"gas_alarm v=2.5 {T_NS + 1}", "ns")
    assert refused.value.status == 502
    influx.start()
    assert influx.rows("SELECT v FROM gas_alarm") == [{"time": T_NS, "v": 1.5}]


def test_each_influx_test_gets_an_empty_database(influx: Influx) -> None:
    assert influx.rows("SHOW MEASUREMENTS") == []


def test_chromium_draws_with_webgl2(page: Page) -> None:
    page.goto("data:text/html,<title>here</title><canvas></canvas>")
    assert page.title() == "here"
    assert page.evaluate("!!document.querySelector('canvas').getContext('webgl2')")


@pytest.mark.parametrize(
    "script",
    [
        "const image = new Image(); image.onerror = () => done(); image.src = 'http://outside.invalid/pixel.png'",
        "new WebSocket('ws://outside.invalid/live').onclose = () => done()",
    ],
    ids=["http", "websocket"],
)
def test_chromium_catches_a_request_that_leaves_the_machine(browser: Browser, script: str) -> None:
    with pytest.raises(AssertionError, match=r"outside\.invalid"), local_page(browser) as page:
        page.goto("about:blank")
        page.evaluate(f"() => new Promise(done => {{ {script} }})")


def test_chromium_reaches_no_other_machine(browser: Browser) -> None:
    with (
        pytest.raises(AssertionError, match=r"left this machine.*192\.0\.2\.1"),
        local_page(browser) as page,
        pytest.raises(Error, match="ERR_PROXY_CONNECTION_FAILED"),
    ):
        page.goto("http://192.0.2.1/")


def test_wait_until_returns_what_the_condition_gave_or_gives_up() -> None:
    assert wait_until(lambda: "here") == "here"
    started = time.monotonic()
    with pytest.raises(TimeoutError, match="still False"):
        wait_until(lambda: False, timeout=0.05)
    assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_program_skips_here_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="no-such-program is not installed"):
        require("no-such-program")
