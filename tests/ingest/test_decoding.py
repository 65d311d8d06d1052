"""Every message gets exactly one fate, whatever its bytes, and the same one when it is read again."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.site import Site
from ingest.decoding import NEW_PER_HOUR, Decoder, Unregistered, packed
from ingest.outcomes import Outcome
from ingest.quarantine import Origin
from ingest.records import AWAY, RETRY, TICK, Record
from tests.ingest.messages import T_MS, Message, dji, gas, hj212, native, passage, records

HUGE = 10**400

# name, topic and payload, reason
UNREADABLE: list[tuple[str, Message, str]] = [
    ("foreign topic", ("no/such/topic", b"{}"), "topic"),
    ("no level at all", ("x", b"{}"), "topic"),
    ("unknown channel", ("city/v1/demo/gas_alarm/gas-1/gossip", b"{}"), "topic"),
    ("device id", ("city/v1/demo/gas_alarm/浙A12345/telemetry", b"{}"), "device_id"),
    ("unknown kind", native("submarine", "sub-1", {"depth_m": 3}), "unknown_kind"),
    ("broken JSON", ("city/v1/demo/gas_alarm/gas-1/telemetry", b'{"ts":1767225600123,"data":{'), "json"),
    ("NaN", ("city/v1/demo/gas_alarm/gas-1/telemetry", b'{"ts":1767225600123,"data":{"conc_ppm":NaN}}'), "json"),
    ("not UTF-8", ("city/v1/demo/gas_alarm/gas-1/telemetry", b'{"data":{"gas":"\xff\xfe"}}'), "json"),
    ("nothing", ("city/v1/demo/gas_alarm/gas-1/telemetry", b""), "json"),
    ("deep", ("city/v1/demo/gas_alarm/gas-1/telemetry", b"[" * 100_000), "json"),
    ("2 MB", native("gas_alarm", "gas-1", {"x": "y" * 2_000_000}), "too_large"),
    ("no data", ("city/v1/demo/gas_alarm/gas-1/telemetry", b'{"ts":1767225600123}'), "envelope"),
    ("a number", ("city/v1/demo/gas_alarm/gas-1/telemetry", b"42"), "envelope"),
    ("no samples", ("city/v1/demo/gas_alarm/gas-1/telemetry", b"[]"), "envelope"),
    ("strange quality", gas("gas-1", 1, ts=T_MS, q="fine"), "envelope"),
    ("only a text for a number", native("gas_alarm", "gas-1", {"conc_pct_lel": "high"}, ts=T_MS), "type"),
    ("beyond a float", native("gas_alarm", "gas-1", {"conc_pct_lel": HUGE}, ts=T_MS), "type"),
    ("other device", gas("gas-1", 1, ts=T_MS, device="gas-2"), "mismatch"),
    ("other kind", native("drone", "gas-1", {"batt_pct": 50}, ts=T_MS), "mismatch"),
    ("status word", ("city/v1/demo/gateway/gw-1/status", b"perhaps"), "status"),
    ("HJ 212 CRC", (hj212("MN0001", "LA-Rtd=50")[0], hj212("MN0001", "LA-Rtd=50")[1][:-6] + b"0000"), "crc"),
    ("HJ 212 frame", ("hj212/MN0001/up", b"hello"), "frame"),
    ("DJI without data", ("thing/product/SN1/osd", b'{"tid":"a"}'), "envelope"),
]

# What is no contract at all, and once stopped the collector: any reason will do.
POISON: list[tuple[str, Message]] = [
    ("quality a list", gas("gas-1", 1, ts=T_MS, q=[])),
    ("quality an object", gas("gas-1", 1, ts=T_MS, q={})),
    ("DJI number beyond a float", dji("SN1", {"wind_speed": HUGE})),
    ("DJI time beyond a float", dji("SN1", {"latitude": 30.1}, timestamp=HUGE)),
    ("identifier an object", gas("gas-1", HUGE, ts=T_MS, id={})),
    ("HJ 212 infinity", hj212("MN0001", "LA-Rtd=1e999")),
]


@pytest.fixture
def decoder(site: Site) -> Decoder:
    return Decoder(site, Unregistered())


@pytest.mark.parametrize(("message", "reason"), [pytest.param(m, r, id=name) for name, m, r in UNREADABLE])
def test_what_cannot_be_read_goes_to_quarantine_with_a_sentence(
    decoder: Decoder, message: Message, reason: str
) -> None:
    outcome = decoder.outcome(Record(7, T_MS, *message))
    assert (outcome.fate, outcome.reason, outcome.position) == ("quarantined", reason, 7)
    assert outcome.readings == ()
    assert 10 < len(outcome.sentence) < 1000
    assert "\n" not in outcome.sentence


@pytest.mark.parametrize("ts", [1234567, "2026-01-01T08:00:00"], ids=["seven digits", "naive time"])
def test_a_time_that_cannot_be_read_costs_no_alarm(decoder: Decoder, ts: object) -> None:
    outcome = decoder.outcome(Record(7, T_MS, *gas("gas-1", 60, ts=ts)))
    assert (outcome.fate, outcome.reason) == ("quarantined", "ts")
    assert [reading.values for reading in outcome.readings] == [{"conc_pct_lel": 60.0}]


@pytest.mark.parametrize("message", [pytest.param(m, id=name) for name, m in POISON])
def test_nothing_a_device_sends_stops_decoding(decoder: Decoder, message: Message) -> None:
    outcome = decoder.outcome(Record(7, T_MS, *message))
    assert (outcome.fate, bool(outcome.reason), bool(outcome.sentence)) == ("quarantined", True, True)
    assert decoder.outcome(Record(8, T_MS, *gas("gas-1", 1, ts=T_MS))).fate == "decoded"


def test_a_kind_file_that_raises_costs_only_its_own_messages(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("in a kind file")

    decoder = Decoder(site, Unregistered())
    with monkeypatch.context() as patch:
        patch.setattr("ingest.decoding.decode", broken)
        outcomes = [decoder.outcome(Record(p, T_MS, *gas("gas-1", 1, ts=T_MS + p))) for p in range(1, 6)]
    assert [(o.fate, o.reason, o.device) for o in outcomes] == [("quarantined", "failure", "gas-1")] * 5
    assert "ZeroDivisionError" in outcomes[0].sentence
    assert len(caplog.records) == 1, "said once, counted for ever"
    assert decoder.outcome(Record(9, T_MS, *gas("gas-1", 1, ts=T_MS))).fate == "decoded"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(HUGE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ENVELOPE = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("v", "id", "ts", "seq", "q", "qf", "gw", "hist", "loc"), JSON),
        **dict.fromkeys(("tid", "bid", "timestamp", "gateway"), JSON),
        "data": JSON
        | st.dictionaries(st.sampled_from(["conc_pct_lel", "gas", "state", "lat", "battery", "wind_speed"]), JSON),
    },
)  # fmt: skip
TOPICS = st.sampled_from(
    [
        "city/v1/demo/gas_alarm/gas-1/telemetry",
        "city/v1/demo/bridge_wim/wim-1/event",
        "city/v1/demo/gateway/gw-1/status",
        "city/v1/demo/drone/drone-1/state",
        "thing/product/SN1/osd",
        "hj212/MN0001/up",
    ]
)


@given(
    topic=TOPICS | st.text(max_size=40), payload=st.binary(max_size=60) | ENVELOPE.map(lambda e: json.dumps(e).encode())
)
def test_any_bytes_on_any_topic_have_a_fate(site: Site, topic: str, payload: bytes) -> None:
    outcome = Decoder(site, Unregistered()).outcome(Record(1, T_MS, topic, payload))
    assert outcome.fate in ("decoded", "quarantined")
    assert (outcome.fate == "quarantined") == bool(outcome.reason)


COMMON: list[Message] = [
    *(gas("gas-1", n, ts=T_MS + n, seq=n) for n in range(4)),
    gas("gas-1", 5, ts=T_MS),
    gas("gas-1", 2, ts=T_MS + 2, seq=2, q="uncertain"),
    gas("gas-1", 2, ts=T_MS + 10**7, seq=2),
    gas("gas-1", 6, ts=T_MS, id="a" * 300),
    gas("gas-1", 6, seq=7),
    gas("gas-new", 7, ts=T_MS, seq=1),
    native("gas_alarm", "gas-1", {"conc_pct_lel": "high", "temp_c": 4}, ts=T_MS, seq=9),
    native("gas_alarm", "gas-1", {}, ts=T_MS, seq=10),
    native("drone", "gas-1", {"batt_pct": 50}, ts=T_MS),
    *(passage("wim-1", name, T_MS, 30_000) for name in ("p1", "p2")),
    ("city/v1/demo/gateway/gw-1/status", b"online"),
    hj212("MN000007", "a34004-Rtd=38.5,a34004-Flag=N"),
    *(message for _, message, _ in UNREADABLE[:8]),
    (TICK, b""),
]


@given(
    sent=st.lists(st.sampled_from(COMMON), max_size=40),
    cuts=st.lists(st.integers(1, 10), min_size=1),
    block=st.sampled_from([4, 8, 65_536]),
)
def test_records_decided_on_together_have_the_fates_they_have_alone(
    site: Site, sent: list[Message], cuts: list[int], block: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.repeats.BLOCK", block)
        patch.setattr("ingest.decoding.NEW_PER_HOUR", 0 if block == 8 else NEW_PER_HOUR)
        journal = records(sent)
        alone, together = (Decoder(replace(site, ways={}), Unregistered()) for _ in range(2))
        expected = [alone.outcome(record) for record in journal]
        found: list[Outcome] = []
        while journal:
            cut = cuts[len(found) % len(cuts)]
            found += together.outcomes(journal[:cut])
            journal = journal[cut:]
    assert found == expected


def test_a_kind_file_that_raises_costs_only_its_own_messages_among_many(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    decoder = Decoder(replace(site, ways={}), Unregistered())
    assert decoder.outcomes(records([gas("gas-1", 1, ts=T_MS), passage("wim-1", "p", T_MS)]))[1].fate == "decoded"

    def broken(*_: object) -> None:
        raise ZeroDivisionError("in a kind file")

    monkeypatch.setattr("devices.quick.own_ns", broken)
    messages = [gas("gas-1", 2, ts=T_MS + 1), passage("wim-1", "q", T_MS), passage("wim-1", "r", T_MS)]
    found = decoder.outcomes(records([*messages, gas("gas-1", 3, ts=T_MS + 2)], first=10))
    assert [(each.fate, each.reason) for each in found] == [
        ("decoded", ""), ("quarantined", "failure"), ("quarantined", "failure"), ("decoded", "")
    ]  # fmt: skip
    assert len([each for each in caplog.records if "decoding failed" in each.message]) == 1


def test_ticks_tell_whether_the_broker_was_there(decoder: Decoder) -> None:
    assert [decoder.outcome(Record(1, T_MS, TICK, payload)).status for payload in (b"", AWAY)] == [True, False]


def test_a_field_that_cannot_be_read_does_not_silence_the_others(decoder: Decoder) -> None:
    message = native("gas_alarm", "gas-1", {"conc_pct_lel": 60, "temp_c": "warm"}, ts=T_MS, id="a")
    outcome = decoder.outcome(Record(1, T_MS, *message))
    assert (outcome.fate, outcome.reason) == ("quarantined", "type")
    assert [reading.values for reading in outcome.readings] == [{"conc_pct_lel": 60.0}]
    assert "temp_c" in outcome.sentence
    again = decoder.outcome(Record(2, T_MS, *message))
    assert (again.fate, list(again.readings)) == ("duplicate", [])


REPEATS: list[tuple[str, Message, Message, str]] = [
    ("same id", gas("gas-1", 1, ts=T_MS, id="a"), gas("gas-1", 2, ts=T_MS + 5, id="a"), "duplicate"),
    ("same id, other device", gas("gas-1", 1, ts=T_MS, id="a"), gas("gas-2", 1, ts=T_MS, id="a"), "decoded"),
    ("same ts and seq", gas("gas-1", 1, ts=T_MS, seq=4), gas("gas-1", 9, ts=T_MS, seq=4), "duplicate"),
    ("same seq, later", gas("gas-1", 1, ts=T_MS, seq=4), gas("gas-1", 1, ts=T_MS + 1, seq=4), "decoded"),
    ("same words and time", gas("gas-1", 1, ts=T_MS), gas("gas-1", 1, ts=T_MS), "duplicate"),
    ("same words, no time", gas("gas-1", 1), gas("gas-1", 1), "decoded"),
    ("a year ahead", gas("gas-1", 1, ts=T_MS * 2, seq=1), gas("gas-1", 1, ts=T_MS * 2, seq=1), "duplicate"),
    ("DJI transaction", dji("SN1", {"latitude": 30.1}), dji("SN1", {"latitude": 30.1}), "duplicate"),
    ("DJI fragments of one", dji("SN1", {"latitude": 30.1}), dji("SN1", {"elevation": 30.2}), "decoded"),
    ("HJ 212 frame", hj212("MN0001", "LA-Rtd=50"), hj212("MN0001", "LA-Rtd=50"), "duplicate"),
    ("passage", passage("wim-1", "p1", T_MS), passage("wim-1", "p1", T_MS), "duplicate"),
    ("two passages at once", passage("wim-1", "p1", T_MS), passage("wim-1", "p2", T_MS), "decoded"),
]


@pytest.mark.parametrize(("first", "second", "fate"), [pytest.param(*row[1:], id=row[0]) for row in REPEATS])
def test_repeats(decoder: Decoder, first: Message, second: Message, fate: str) -> None:
    one, two = records([first, second])
    assert decoder.outcome(one).fate == "decoded"
    assert decoder.outcome(two).fate == fate


NO_TIME = {
    "HJ 212": [hj212("MN0001", f"LA-Rtd={value}", stamp="") for value in (50, 51)],
    "DJI": [("thing/product/SN1/osd", b'{"data":{"latitude":30.%d}}' % value) for value in (1, 2)],
}


@pytest.mark.parametrize("name", NO_TIME)
def test_the_same_bytes_of_a_foreign_format_repeat_for_ten_minutes(decoder: Decoder, name: str) -> None:
    """Neither a name nor a time tells them apart: an own delivery of the same would be a second point."""
    one, other = NO_TIME[name]
    came = [(one, 0), (one, 5), (other, 10), (one, 600), (one, 601), (one, 700)]
    fates = [
        decoder.outcome(Record(n, T_MS + after_s * 1_000, *message)).fate
        for n, (message, after_s) in enumerate(came, 1)
    ]
    assert fates == ["decoded", "duplicate", "decoded", "duplicate", "decoded", "duplicate"]


def test_of_an_array_only_the_news_counts(decoder: Decoder) -> None:
    entries = [{"ts": T_MS + n, "seq": n, "data": {"conc_pct_lel": n}} for n in range(4)]
    topic = "city/v1/demo/gas_alarm/gas-1/telemetry"
    first, second, third = records([(topic, json.dumps(part).encode()) for part in (entries[:2], entries, entries[1:])])
    outcomes = [decoder.outcome(record) for record in (first, second, third)]
    assert [outcome.fate for outcome in outcomes] == ["decoded", "decoded", "duplicate"]
    assert [[r.values["conc_pct_lel"] for r in o.readings] for o in outcomes] == [[0.0, 1.0], [2.0, 3.0], []]


def test_a_repeated_status_of_a_device_is_not_taken_for_a_repeat(decoder: Decoder) -> None:
    words = [("city/v1/demo/gateway/gw-1/status", word) for word in (b"online", b"offline", b"online")]
    assert [decoder.outcome(record).status for record in records(words)] == [True, False, True]


def test_unregistered_devices_come_in_up_to_a_thousand_an_hour(decoder: Decoder) -> None:
    strangers = [gas(f"new-{n}", 1, ts=T_MS) for n in range(NEW_PER_HOUR + 2)]
    outcomes = [decoder.outcome(record) for record in records(strangers, step_ms=1)]
    assert [o.fate for o in outcomes[:NEW_PER_HOUR]] == ["decoded"] * NEW_PER_HOUR
    assert [(o.fate, o.reason, o.readings) for o in outcomes[NEW_PER_HOUR:]] == [
        ("quarantined", "unregistered", ())
    ] * 2
    known, stranger = gas("new-7", 2, ts=T_MS + 1), gas(f"new-{NEW_PER_HOUR}", 2, ts=T_MS + 1)
    assert [decoder.outcome(r).fate for r in records([known, stranger, gas("gas-1", 1, ts=T_MS)], 5000)] == [
        "decoded", "quarantined", "decoded",
    ]  # fmt: skip
    next_hour = records([gas(f"new-{NEW_PER_HOUR}", 3, ts=T_MS + 2)], 6000, T_MS + 3_600_000)
    assert decoder.outcome(next_hour[0]).fate == "decoded"


def test_whoever_makes_up_names_for_months_is_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.decoding.MOST_UNREGISTERED", 3)
    unregistered = Unregistered()
    decoder = Decoder(site, unregistered)
    strangers = [gas(f"new-{n}", 1, ts=T_MS) for n in (0, 1, 2, 3, 1)]
    outcomes = [decoder.outcome(record) for record in records(strangers, step_ms=3_600_000)]
    assert [o.fate for o in outcomes] == ["decoded", "decoded", "decoded", "quarantined", "duplicate"]
    assert (
        outcomes[3].sentence
        == "new-3 is not registered, and 3 others are not, either; register the devices that are yours"
    )
    assert [*unregistered.admitted] == ["new-0", "new-1", "new-2"]


def test_a_second_reading_admits_nobody_who_was_refused(site: Site) -> None:
    unregistered = Unregistered()
    decoder = Decoder(site, unregistered)
    strangers = [gas(f"new-{n}", 1, ts=T_MS) for n in range(NEW_PER_HOUR + 5)]
    journal = [
        *records(strangers, step_ms=1),
        *records([gas("new-1003", 2, ts=T_MS + 1)], 2000, T_MS + 3_600_000),
        *records([gas("new-1003", 3, ts=T_MS + 2)], 2001, T_MS + 3_600_001),
    ]
    first = [(o.fate, len(o.readings)) for o in map(decoder.outcome, journal)]
    before = dict(unregistered.admitted)
    second = [(o.fate, len(o.readings)) for o in map(Decoder(site, unregistered).outcome, journal)]
    assert second == first
    assert unregistered.admitted == before
    assert first[NEW_PER_HOUR + 3] == ("quarantined", 0)
    assert first[-2:] == [("decoded", 1)] * 2


def test_unknown_keys_are_counted_and_not_decoded(decoder: Decoder) -> None:
    outcome = decoder.outcome(
        Record(1, T_MS, *native("gas_alarm", "gas-1", {"conc_ppm": 1, "mood": 2, "x": 3}, ts=T_MS))
    )
    assert (outcome.fate, outcome.unknown, outcome.readings[0].values) == ("decoded", 2, {"conc_ppm": 1.0})


def test_a_restart_knows_nothing_of_what_was_never_read(site: Site) -> None:
    """The window of repeats holds what was decoded then, not what could be decoded now."""
    message = gas("gas-1", 1, ts=T_MS, id="a")
    tried = packed(Origin("r", "mismatch", "gas-1", "gas_alarm", "gas-1", 1, T_MS), *message)
    before = [
        Record(1, T_MS, *message),
        Record(2, T_MS, RETRY, tried),
        Record(3, T_MS, *gas("gas-1", 1, ts=T_MS, id="b")),
    ]
    decoder = Decoder(site, Unregistered())
    decoder.prime(before, {1})
    assert decoder.outcome(Record(4, T_MS, *message)).fate == "decoded"
    assert decoder.outcome(Record(5, T_MS, RETRY, tried)).fate == "decoded"
    assert decoder.outcome(Record(6, T_MS, *gas("gas-1", 1, ts=T_MS, id="b"))).fate == "duplicate"
    other = Decoder(site, Unregistered())
    other.prime(before)
    assert other.outcome(Record(4, T_MS, *message)).fate == "duplicate"


def test_a_tick_whose_figures_cannot_be_read_still_says_that_somebody_listened(site: Site) -> None:
    decoder = Decoder(site, Unregistered())
    for payload in (b'{"own":{"\xff":1}}', b"[]", b"\xff"):
        outcome = decoder.outcome(Record(1, T_MS, TICK, payload))
        assert (outcome.fate, outcome.status, dict(outcome.own)) == ("tick", True, {})
