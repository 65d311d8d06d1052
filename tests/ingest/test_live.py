"""Live topics: sealed, complete, in sequence, and in pieces that every broker carries."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from devices.site import Site
from ingest.alarms.engine import Engine
from ingest.decoding import Decoder, Unregistered
from ingest.live import ROOT, Live, sealed, unsealed
from ingest.records import TICK, Record
from tests.ingest.messages import T_MS, Message, gas, native, passage, records

SECRET = b"site secret"
MIB = 1_048_576


def test_what_was_sealed_can_be_opened() -> None:
    document = {"seq": 1, "devices": {"浙A": [1.5, None, "x"]}}
    assert unsealed(sealed(document, SECRET), SECRET) == document


FORGED = [
    ("nothing", b""),
    ("short", b"abc"),
    ("no seal", b'{"seq":1}'),
    ("zeros", b"0" * 64 + b'{"seq":1}'),
    ("another secret", sealed({"seq": 1}, b"other")),
    ("changed text", sealed({"seq": 1}, SECRET).replace(b"1}", b"2}")),
    ("cut", sealed({"seq": 1}, SECRET)[:-1]),
    ("longer", sealed({"seq": 1}, SECRET) + b" "),
    ("not ASCII", "ä".encode() * 32 + b'{"seq":1}'),
]


@pytest.mark.parametrize("payload", [pytest.param(payload, id=name) for name, payload in FORGED])
def test_a_forged_message_is_refused(payload: bytes) -> None:
    assert unsealed(payload, SECRET) is None


@dataclass(repr=False)
class City:
    """An engine with its live side, and all it published."""

    site: Site
    position: int = 0
    sent: list[tuple[str, dict[str, Any], int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = Engine(self.site)
        self.decoder = Decoder(self.site, Unregistered())
        self.live = Live(self.engine, self.site.catalog, "main", SECRET, self.publish)

    def publish(self, topic: str, payload: bytes, qos: int) -> None:
        document = unsealed(payload, SECRET)
        assert document is not None
        self.sent.append((topic.removeprefix(f"{ROOT}/main/"), document, len(payload), qos))

    def hear(self, *messages: Message, received_ms: int = T_MS) -> None:
        found = records(list(messages), self.position + 1, received_ms, 0)
        self.position += len(found)
        outcomes = [self.decoder.outcome(record) for record in found]
        self.engine.feed(outcomes)
        self.live.heard([reading for outcome in outcomes for reading in outcome.readings])

    def devices(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for topic, document, _, _ in self.sent:
            told.update(document["devices"] if topic == "values" else {})
        return told

    def second(self) -> None:
        self.sent.clear()
        self.live.second(sorted(self.engine.memory.changed), {"at": 1})
        self.live.finish()
        self.engine.memory.changed.clear()


@pytest.fixture
def city(site: Site) -> City:
    return City(site)


def test_a_second_tells_what_changed_and_the_ledger(city: City) -> None:
    city.hear((TICK, b""))
    city.second()
    assert set(city.devices()) == set(city.site.devices), "the first time everything is news"
    city.hear(gas("gas-1", 3, ts=T_MS), native("drone", "drone-1", {"batt_pct": 50}, ts=T_MS))
    city.second()
    assert [topic for topic, *_ in city.sent] == ["values", "ledger"]
    found = city.devices()
    assert set(found) == {"gas-1", "drone-1"}
    assert found["gas-1"] == {
        "kind": "gas_alarm", "district": "demo", "online": True, "silent": False, "seen": T_MS,
        "rows": {"gas_alarm": [{"conc_pct_lel": 3.0}, T_MS, 0, {}]},
    }  # fmt: skip
    assert city.sent[1][1]["ledger"] == {"at": 1}
    city.hear(gas("gas-1", 4, ts=T_MS + 1))
    city.second()
    assert set(city.devices()) == {"gas-1"}
    city.second()
    assert city.devices() == {}


def test_a_device_that_falls_silent_is_told_without_a_message(city: City) -> None:
    city.hear((TICK, b""), native("gateway", "gw-1", {"children": 3}, ts=T_MS))
    city.second()
    for second in range(1, 130):
        city.hear((TICK, b""), received_ms=T_MS + second * 1000)
    city.second()
    assert (city.devices()["gw-1"]["online"], city.devices()["gw-1"]["silent"]) == (False, True)


def test_passages_are_told_once_but_not_those_of_history(city: City) -> None:
    old = json.loads(passage("wim-1", "p-old", T_MS - 9_000_000)[1])
    city.hear(
        passage("wim-1", "p1", T_MS, 30_000),
        passage("wim-1", "p2", T_MS),
        passage("wim-1", "p2", T_MS),
        ("city/v1/demo/bridge_wim/wim-1/event", json.dumps({**old, "hist": True}).encode()),
    )
    city.second()
    passages = city.sent[-1][1]["passages"]
    assert [(found["device"], found["values"]["pass_id"], found["at"]) for found in passages] == [
        ("wim-1", "p1", T_MS),
        ("wim-1", "p2", T_MS),
    ]
    city.second()
    assert city.sent[-1][1]["passages"] == []


def test_alarms_are_told_at_once_by_identifier_and_version(city: City) -> None:
    city.live.alarms([])
    assert city.sent == []
    city.live.alarms([("a1", 3), ("b2", 1)])
    ((topic, document, _, qos),) = city.sent
    assert (topic, qos) == ("alarm", 1)
    assert document["items"] == [{"id": "a1", "version": 3}, {"id": "b2", "version": 1}]


def test_the_sequence_has_no_gaps_and_a_restart_another_boot(city: City, site: Site) -> None:
    city.hear(*(gas(f"new-{n}", 1, ts=T_MS) for n in range(900)))
    city.live.second(sorted(city.engine.memory.changed), {})
    city.live.go_on()
    city.live.alarms([("a", 1)])
    city.live.snapshot()
    city.live.second(sorted(city.engine.memory.changed), {})
    city.live.finish()
    heads = [document for _, document, _, _ in city.sent]
    assert [head["seq"] for head in heads] == list(range(1, len(heads) + 1))
    assert {(head["shard"], head["boot"], head["now"]) for head in heads} == {("main", heads[0]["boot"], T_MS)}
    other = City(site)
    other.live.second((), {})
    other.live.finish()
    assert other.sent[0][1]["boot"] != heads[0]["boot"]
    assert other.sent[0][1]["seq"] == 1


def test_an_alarm_passes_what_is_told_in_pieces_and_those_are_as_of_when_they_are_sent(city: City) -> None:
    city.hear((TICK, b""), *(gas(f"new-{n:04d}", 1, ts=T_MS) for n in range(900)))
    city.sent.clear()
    city.live.second(sorted(city.engine.memory.changed), {"at": 1})
    assert (city.sent, city.live.busy) == ([], True)
    city.live.go_on()
    assert [len(document["devices"]) for _, document, _, _ in city.sent] == [200]
    city.live.alarms([("a", 1)])
    city.hear(gas("new-0899", 7, ts=T_MS + 1))
    while city.live.busy:
        before = len(city.sent)
        city.live.go_on()
        assert len(city.sent) <= before + 1
    assert [topic for topic, *_ in city.sent] == ["values", "alarm", *["values"] * 4, "ledger"]
    assert set(city.devices()) == city.engine.memory.changed
    assert city.devices()["new-0899"]["rows"] == {"gas_alarm": [{"conc_pct_lel": 7.0}, T_MS + 1, 0, {}]}
    city.live.go_on()
    assert len(city.sent) == 7


def test_a_snapshot_is_complete_with_those_that_never_spoke(city: City, site: Site) -> None:
    city.hear((TICK, b""), *(gas(f"new-{n}", n, ts=T_MS) for n in range(500)))
    city.sent.clear()
    city.live.snapshot()
    city.live.finish()
    assert set(city.devices()) == set(site.devices) | {f"new-{n}" for n in range(500)}
    topic, document, _, _ = city.sent[-1]
    assert (topic, document["devices_total"]) == ("snapshot_end", len(site.devices) + 500)
    assert city.devices()["new-7"]["rows"] == {"gas_alarm": [{"conc_pct_lel": 7.0}, T_MS, 0, {}]}
    assert city.devices()["wim-1"]["rows"] == {}


def _talkative(site: Site, kind: str, device: str) -> list[Record]:
    """Return a message on each channel with every field of a kind, texts as long as they may be."""
    found = []
    for measurement in site.catalog.kinds[kind].measurements:
        data = {f.key: "文" * 128 if f.type == "text" else 1234.56789 for f in measurement.fields if f.type != "flag"}
        message = native(kind, device, data, measurement.channels[0], ts=1_767_225_600_123, id="a")
        found.append(Record(1, T_MS, *message))
    return found


@pytest.mark.parametrize("kind", ["gas_alarm", "light_pole", "bridge_wim", "refuse_truck"])
def test_five_thousand_devices_fit_into_pieces_that_a_broker_carries(city: City, site: Site, kind: str) -> None:
    unlimited = Unregistered({f"{kind}-{n}": 0 for n in range(5000)})
    decoder = Decoder(site, unlimited)
    for n in range(5000):
        outcomes = [decoder.outcome(record) for record in _talkative(site, kind, f"{kind}-{n}")]
        city.engine.feed(outcomes)
    for tell in (lambda: city.live.second(sorted(city.engine.memory.devices), {}), city.live.snapshot):
        city.sent.clear()
        tell()
        city.live.finish()
        assert len([name for name in city.devices() if name not in site.devices]) == 5000
        assert max(size for _, _, size, _ in city.sent) < MIB
