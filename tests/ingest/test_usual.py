"""Messages read together, as rows of sheets, say what each of them says by itself."""

import gc
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.kind import Field
from devices.site import Site
from ingest.decoding import Decoder, Unregistered
from ingest.outcomes import AnyOutcome, Batch, Usual
from ingest.records import Record
from ingest.sheets import Sheet
from tests.devices.small_city import NOW_MS, SITE

TOPICS = sorted(
    f"city/v1/demo/{device.kind}/{device.id}/{channel}"
    for device in SITE.devices.values()
    for channel in ("telemetry", "event", "state")
    if SITE.catalog.kinds[device.kind].measurements_on(channel)
)
ATTRIBUTES = (
    "position", "received_ms", "topic", "fate", "kind", "device", "readings", "seq", "status", "reason", "sentence",
    "unknown", "ahead_ms", "own", "origin", "revision",
)  # fmt: skip


# As texts, in other units, and beyond all columns of numbers.
ODD_TIMES = (
    str(NOW_MS), f"0{NOW_MS}", NOW_MS // 1000, NOW_MS * 1_000, NOW_MS * 1_000_000, str(NOW_MS * 1_000_000),
    9_999_999_999_999_999_999, "99999999999999999999",
)  # fmt: skip


def told(outcome: AnyOutcome) -> dict[str, Any]:
    return {
        name: list(found) if name == "readings" else found for name in ATTRIBUTES for found in [getattr(outcome, name)]
    }


def value(field: Field) -> st.SearchStrategy[Any]:
    if field.tag or field.type == "text":
        return st.sampled_from(["F-1", "F-2"]) | st.text(max_size=5) | st.sampled_from(["x" * 200, 7, True, None])
    if field.type == "flag":
        return st.sampled_from([0, 1, True, False])
    return st.floats(field.low, field.high, allow_nan=False, allow_infinity=False) | st.sampled_from([0, 1e300, None])


@pytest.fixture(autouse=True, scope="module")
def each_is_tried() -> Iterator[None]:
    """Whatever the message before was: so nothing escapes the comparison."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ingest.gathering._SPARED", 0)
        yield


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, bytes]:
    topic = draw(st.sampled_from(TOPICS))
    kind, channel = topic.split("/")[3], topic.split("/")[5]
    fields = {key: value(slot.field) for key, slot in SITE.catalog.plan(kind, channel).slots.items()}
    names = draw(st.lists(st.sampled_from(sorted(fields)), max_size=6, unique=True))
    body: dict[str, Any] = {"v": 1, "ts": NOW_MS + draw(st.integers(-3, 3)), "seq": draw(st.integers(0, 3))}
    if draw(st.integers(0, 9)) == 0:
        body["ts"] = draw(st.sampled_from(ODD_TIMES))
    body |= draw(st.fixed_dictionaries({}, optional={"hist": st.booleans(), "id": st.sampled_from(["", "x"])}))
    body["data"] = {name: draw(fields[name]) for name in names}
    return topic, json.dumps(body).encode()


@settings(deadline=None)
@given(st.lists(messages(), max_size=30))
def test_together_they_say_the_same(sent: list[tuple[str, bytes]]) -> None:
    journal = [Record(n, NOW_MS, topic, payload) for n, (topic, payload) in enumerate(sent, 1)]
    alone, together = Decoder(SITE, Unregistered()), Decoder(SITE, Unregistered())
    # Ways are known from the second message on.
    together.outcomes(journal[:10])
    found = together.outcomes(journal[10:])
    expected = [alone.outcome(record) for record in journal][10:]
    assert list(map(told, found)) == list(map(told, expected))


TOPIC = next(topic for topic in TOPICS if "/light_pole/" in topic and topic.endswith("/telemetry"))


def decoder(site: Site) -> Decoder:
    """Return one to which the topic is known."""
    found = Decoder(site, Unregistered())
    found.outcomes([Record(1, NOW_MS, TOPIC, b'{"ts":1767225600000,"seq":0,"data":{"dim_pct":1}}')])
    return found


def outcomes(*payloads: str, site: Site = SITE) -> Batch:
    """Read messages of one device together."""
    return decoder(site).outcomes([Record(n, NOW_MS, TOPIC, each.encode()) for n, each in enumerate(payloads, 2)])


def one_after_another(*payloads: str, site: Site = SITE) -> list[AnyOutcome]:
    """Read the same one by one."""
    reads = decoder(site).outcomes
    return [reads([Record(n, NOW_MS, TOPIC, each.encode())])[0] for n, each in enumerate(payloads, 2)]


def test_what_is_usual() -> None:
    usual, other, tagged, texts, empty, unnumbered, named, again = one_after_another(
        '{"ts":1767225600001,"seq":1,"data":{"supply_v":230,"lamp_fail":true,"dim_pct":80}}',
        '{"ts":1767225600002,"seq":2,"data":{"dim_pct":80,"pm25_ugm3":30}}',
        '{"ts":1767225600003,"seq":3,"data":{"dim_pct":80,"feeder":"F-1"}}',
        '{"ts":1767225600013,"seq":3,"data":{"dim_pct":80,"feeder":12}}',
        '{"ts":1767225600004,"seq":4,"data":{}}',
        '{"ts":1767225600005,"data":{"dim_pct":80}}',
        '{"ts":1767225600006,"seq":6,"id":"a","data":{"dim_pct":80}}',
        '{"ts":1767225600001,"seq":1,"data":{"dim_pct":80}}',
    )
    others = (other, texts, empty, unnumbered, named, again)
    assert [type(each) is Usual for each in (usual, tagged, *others)] == [True, True] + 6 * [False]
    (reading,) = usual.readings
    assert reading.values == {"dim_pct": 80.0, "supply_v": 230.0, "lamp_fail": 1.0}
    assert {type(number) for number in reading.values.values()} == {float}
    assert usual.readings is usual.readings
    assert [each.readings[0].tags for each in (usual, tagged, texts)] == [{}, {"feeder": "F-1"}, {"feeder": "12"}]
    assert [len(each.readings) for each in (other, texts, empty, again)] == [2, 1, 0, 0]
    assert again.fate == "duplicate"


def test_of_a_device_all_is_read_one_by_one_where_something_is_odd() -> None:
    """Which of two is the repeat is a question of their order."""
    payload = '{"ts":1767225600011,"seq":1,"data":{"dim_pct":80%s}}'
    found = outcomes(payload % ',"pm25_ugm3":30', payload % "", '{"ts":1767225600012,"seq":2,"data":{"dim_pct":80}}')
    assert [(type(each) is Usual, each.fate) for each in found] == [
        (False, "decoded"), (False, "duplicate"), (False, "decoded")
    ]  # fmt: skip


@pytest.mark.parametrize("ts", [json.dumps(ts) for ts in ODD_TIMES])
def test_no_time_of_a_device_stops_the_others(ts: str) -> None:
    """It stands in what tells a message from its repeats, and is no instant there unless it may be one."""
    payload = f'{{"ts":{ts},"seq":2,"data":{{"dim_pct":80}}}}'
    found = one_after_another(
        '{"ts":1767225600001,"seq":1,"data":{"dim_pct":80}}', payload, payload,
        '{"ts":1767225600009,"seq":3,"data":{"dim_pct":80}}',
    )  # fmt: skip
    assert [found[0].fate, found[3].fate] == ["decoded", "decoded"]
    assert [each.fate for each in found[1:3]] in (
        ["decoded", "duplicate"], ["quarantined", "duplicate"], ["quarantined", "quarantined"]
    )  # fmt: skip


def test_what_is_forgotten_of_topics_meanwhile_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that somebody makes up fill what is remembered of topics, in the middle of what is read together."""
    monkeypatch.setattr("devices.quick._WAYS_KEPT", 2)
    sent = '{"ts":1767225600001,"seq":1,"data":{"dim_pct":80%s}}'
    topics = [topic for topic in TOPICS if "/light_pole/" in topic]
    rest = [topic for topic in TOPICS if topic not in topics]
    journal = [
        Record(n, NOW_MS, topic, payload.encode())
        for n, (topic, payload) in enumerate(
            [(topics[0], sent % ',"pm25_ugm3":30'), (topics[0], sent % ""), *((topic, "{}") for topic in rest)], 1
        )
    ]
    together, alone = (Decoder(replace(SITE, ways={}, lanes={}), Unregistered()) for _ in range(2))
    assert [each.fate for each in together.outcomes(journal)] == [alone.outcome(each).fate for each in journal]


def test_a_device_that_sends_texts_is_not_tried_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """All is read as ever; the next may have tags, and after a while it is tried again: it may have been a start."""
    monkeypatch.setattr("ingest.gathering._SPARED", 3)
    texts = ["", ',"feeder":1', ',"feeder":1', "", "", "", ',"feeder":"F-1"', ',"feeder":1', ""]
    payloads = [f'{{"ts":17672256000{n},"seq":{n},"data":{{"dim_pct":{n}{text}}}}}' for n, text in enumerate(texts, 10)]
    found = one_after_another(*payloads, site=replace(SITE, ways={}))
    assert [type(each) is Usual for each in found] == [True, *[False] * 5, True, False, False]
    assert [each.readings[0].values["dim_pct"] for each in found] == [float(n) for n in range(10, 19)]
    assert {each.fate for each in found} == {"decoded"}


def test_a_fault_of_ours_is_told_and_hides_behind_no_other_way(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr("devices.envelope.Envelope.sample", fail)
    (found,) = outcomes('{"ts":1767225600001,"seq":1,"data":{"dim_pct":80}}', site=replace(SITE, ways={}))
    assert (found.fate, found.reason, found.readings) == ("quarantined", "failure", ())
    assert "ZeroDivisionError" in found.sentence
    assert [each.levelname for each in caplog.records] == ["ERROR"]


def test_messages_of_one_shape_share_it() -> None:
    found = outcomes(
        *(f'{{"ts":17672256000{n:02d},"seq":{n},"data":{{"dim_pct":{n}}}}}' for n in (10, 11)),
        '{"ts":1767225600012,"seq":12,"data":{"supply_v":230}}',
    )
    shapes = [each.shape for each in found if type(each) is Usual]
    assert [shape.fields for shape in shapes] == [("dim_pct",), ("dim_pct",), ("supply_v",)]
    assert shapes[0] is shapes[1]
    assert [list(each.readings[0].values.values()) for each in found] == [[10.0], [11.0], [230.0]]


def test_those_with_the_same_tags_make_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tag says stands by its row; texts without end fill no memory."""
    monkeypatch.setattr("devices.envelope._TAG_SETS_KEPT", 2)
    tags = ["", ',"feeder":"F-1"', ',"feeder":"F-2"', "", ',"feeder":"F-1"', ',"feeder":"F-3"']
    found = outcomes(
        *(f'{{"ts":17672256000{n},"seq":{n},"data":{{"dim_pct":{n}{text}}}}}' for n, text in enumerate(tags, 10))
    )
    assert all(type(each) is Usual for each in found)
    readings, usual = found.readings()
    assert readings == []
    assert [(list(each.positions), each.tag_keys, each.tags) for each in usual] == [
        ([2, 5], (), []),
        ([3, 4, 6, 7], ("feeder",), [["F-1", "F-2", "F-1", "F-3"]]),
    ]
    one_by_one = [reading for each in usual for reading in each.readings()]
    assert sorted(one_by_one, key=lambda each: each.position) == [each.readings[0] for each in found]
    envelope = SITE.catalog.envelope("light_pole", "telemetry")
    assert len(envelope._tag_sets) <= 2


@pytest.mark.parametrize("number", ["1e999", '"80"', "null", "true", "-1", "101", "NaN"])
def test_a_number_that_is_none_makes_no_row(number: str) -> None:
    (found,) = outcomes(f'{{"ts":1767225600001,"seq":1,"data":{{"dim_pct":{number}}}}}')
    assert type(found) is not Usual


def test_shapes_without_end_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.shapes._SHAPES_KEPT", 2)
    names = ["dim_pct", "cmd_pct", "supply_v", "leak_ma"]
    found = outcomes(
        *(f'{{"ts":17672256000{n},"seq":{n},"data":{{"{names[n % 4]}":{n}}}}}' for n in range(10, 30)),
    )
    assert [each.readings[0].values for each in found] == [{names[n % 4]: float(n)} for n in range(10, 30)]
    assert all(type(each) is Usual for each in found)
    assert len(SITE.catalog.envelope("light_pole", "telemetry").untagged.shapes._known) <= 2


def test_of_what_was_decided_nothing_stays() -> None:
    """Where messages and their sheet held each other, nobody would ever free them: such objects are not searched."""

    def sheets() -> int:
        gc.collect()
        return sum(type(each) is Sheet for each in gc.get_objects())

    before = sheets()
    found = outcomes(*(f'{{"ts":17672256000{n},"seq":{n},"data":{{"dim_pct":{n}}}}}' for n in range(10, 30)))
    assert all(type(each) is Usual and each.readings for each in found)
    assert sheets() == before + 1
    del found
    assert sheets() == before
