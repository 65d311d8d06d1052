"""HJ 212-2017 frames: recorded ones from their sources, and every way a frame can be wrong."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.decode import decode
from devices.formats.hj212 import crc16
from devices.readings import Decoded, Quality
from tests.devices.small_city import NOW_MS, SITE, only, read, readings, refusal

TOPIC = "hj212/MN000007/up"
HEAD = "QN=20260101080000123;ST=22;CN=2011;PW=s3cret;MN=MN000007;Flag=4;"
AT_MS = 1_767_225_600_000  # 08:00:00 in China

RECORDED = Path(__file__).parents[3] / "shared" / "samples" / "hj212_frames.tsv"


def recorded_frames() -> list[object]:
    if not RECORDED.is_file():
        return [pytest.param("", "", marks=pytest.mark.skip(reason=f"{RECORDED.name}: no recorded frames here"))]
    rows = [line.split("\t") for line in RECORDED.read_text(encoding="utf-8").splitlines()]
    return [pytest.param(verdict, frame, id=f"{index}-{verdict}") for index, (verdict, _, frame) in enumerate(rows)]


def framed(segment: str, length: int | None = None, check: str | None = None) -> bytes:
    body = segment.encode("gb18030")
    announced = len(body) if length is None else length
    return b"##%04d%s%s\r\n" % (announced, body, (check or f"{crc16(body):04X}").encode())


def frame(groups: str, time: str = "DataTime=20260101080000;", head: str = HEAD) -> bytes:
    return framed(f"{head}CP=&&{time}{groups}&&")


@pytest.mark.parametrize(("verdict", "recorded"), recorded_frames())
def test_a_recorded_frame_is_taken_or_refused_as_its_crc_says(verdict: str, recorded: str) -> None:
    station = recorded.partition("MN=")[2].partition(";")[0]
    if verdict == "ok":
        decoded = read(f"hj212/{station}/up", recorded)
        assert (decoded.device, decoded.faults) == (station, ())
        assert decoded.unknown + sum(len(reading.values) for reading in readings(decoded)) == 7
    else:
        assert refusal(f"hj212/{station}/up", recorded)[0] == "crc"


def test_the_crc_is_that_of_the_recorded_frames() -> None:
    # The check of the third good frame of the recordings, over a segment short enough to stand here: CRC-16 of HJ 212
    # over nothing is its start value.
    assert crc16(b"") == 0xFFFF
    assert refusal(TOPIC, framed(f"{HEAD}CP=&&DataTime=20260101080000;LA-Rtd=1&&", check="0000"))[0] == "crc"


@given(segment=st.binary(max_size=400))
def test_the_crc_is_the_one_that_is_computed_bit_by_bit(segment: bytes) -> None:
    """HJ 212-2017 annex A, word by word: only the high byte of the register meets the next byte."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            carry = register & 1
            register >>= 1
            if carry:
                register ^= 0xA001
    assert crc16(segment) == register


def test_a_registered_station_is_its_pole() -> None:
    decoded = read(TOPIC, frame("a34004-Rtd=38.5,a34004-Flag=N"))
    reading = only(decoded)
    assert (decoded.device, decoded.kind, decoded.foreign) == ("pole-0007", "light_pole", True)
    assert (reading.measurement, reading.district, reading.at_ns) == ("pole_env", "demo", AT_MS * 1_000_000)


def test_an_unregistered_station_is_an_unregistered_pole() -> None:
    payload = frame("LA-Rtd=54.2", head=HEAD.replace("MN000007", "MN999999"))
    decoded = read("hj212/MN999999/up", payload)
    assert (decoded.device, decoded.kind, only(decoded).district) == ("MN999999", "light_pole", "demo")


@pytest.mark.parametrize(
    ("factor", "field", "sent", "value"),
    [
        ("a34004", "pm25_ugm3", "38.5", 38.5),
        ("a34002", "pm10_ugm3", "61", 61.0),
        ("a01001", "temp_c", "-7.4", -7.4),
        ("a01002", "rh_pct", "71.0", 71.0),
        ("a01006", "pressure_hpa", "102.31", 1023.1),  # the frame says kPa
        ("a01007", "wind_mps", "3.2", 3.2),
        ("a01008", "wind_dir_deg", "270", 270.0),
        ("LA", "noise_dba", "54.2", 54.2),
        ("a21004", "no2_ugm3", "63.200", 63.2),
        ("a21026", "so2_ugm3", "106.400", 106.4),
        ("a05024", "o3_ugm3", "63.400", 63.4),
        ("O3", "o3_ugm3", "63.400", 63.4),
        ("a21005", "co_mgm3", "1.760", 1.76),
    ],
)
def test_a_factor_is_a_field_in_its_unit(factor: str, field: str, sent: str, value: float) -> None:
    assert only(read(TOPIC, frame(f"{factor}-Rtd={sent},{factor}-Flag=N"))).values == {field: value}


@pytest.mark.parametrize(
    ("letter", "code", "quality"),
    [
        ("N", None, Quality.GOOD),
        ("T", None, Quality.GOOD),  # over the limit is news, not a fault of the device
        ("D", "sensor_fault", Quality.BAD),
        ("F", "sensor_fault", Quality.BAD),
        ("M", "maint", Quality.UNCERTAIN),
        ("C", "calib", Quality.UNCERTAIN),
    ],
)
def test_a_flag_marks_its_own_field(letter: str, code: str | None, quality: Quality) -> None:
    reading = only(read(TOPIC, frame(f"LA-Rtd=54.2,LA-Flag={letter};a01001-Rtd=7.4,a01001-Flag=N")))
    assert reading.flags == ({} if code is None else {"noise_dba": code})
    assert reading.quality_of("noise_dba") == quality
    assert reading.quality_of("temp_c") == Quality.GOOD


@pytest.mark.parametrize(
    ("groups", "values"),
    [
        ("LA-Avg=50,LA-Min=40,LA-Max=60", {"noise_dba": 50.0}),
        ("LA-Avg=50,LA-Rtd=51", {"noise_dba": 51.0}),
        ("LA-Min=40,LA-Max=60", {}),
        ("LA-Rtd=51;;a01001-Rtd=7", {"noise_dba": 51.0, "temp_c": 7.0}),
        ("LA-Rtd", {}),
    ],
)
def test_a_live_value_is_preferred_to_an_average(groups: str, values: dict[str, float]) -> None:
    decoded = read(TOPIC, frame(groups))
    assert [reading.values for reading in readings(decoded)] == ([values] if values else [])


def test_unknown_factors_are_counted() -> None:
    decoded = read(TOPIC, frame("LA-Rtd=51;w01001-Rtd=7.1;a99999-Rtd=1,a99999-Flag=N"))
    assert (decoded.unknown, only(decoded).values) == (2, {"noise_dba": 51.0})


@pytest.mark.parametrize("word", ["no", "", "nan", "inf", "1e999"])
def test_a_value_that_is_no_number_costs_itself_only(word: str) -> None:
    decoded = read(TOPIC, frame(f"a01001-Rtd={word};LA-Rtd=51"))
    (reading,) = readings(decoded)
    assert reading.values == {"noise_dba": 51.0}
    assert [fault.reason for fault in decoded.faults] == ["type"]
    assert refusal(TOPIC, frame(f"a01001-Rtd={word}"))[0] == "type"


def test_without_its_time_a_frame_has_that_of_its_request_or_of_the_receipt() -> None:
    assert only(read(TOPIC, frame("LA-Rtd=51", time=""))).at_ns == AT_MS * 1_000_000
    reading = only(read(TOPIC, frame("LA-Rtd=51", time="", head="MN=MN000007;")))
    assert (reading.at_ns // 1_000_000, reading.flags) == (NOW_MS, {"": "no_ts"})


def test_chinese_text_is_no_obstacle() -> None:
    assert only(read(TOPIC, frame("LA-Rtd=51;备注-Info=正常"))).values == {"noise_dba": 51.0}


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\r\n\r\n"])
def test_the_line_end_may_be_missing(end: bytes) -> None:
    assert only(read(TOPIC, frame("LA-Rtd=51").rstrip() + end)).values == {"noise_dba": 51.0}


def test_the_crc_may_be_written_in_small_letters() -> None:
    sent = frame("LA-Rtd=51").rstrip()
    assert only(read(TOPIC, sent[:-4] + sent[-4:].lower())).values == {"noise_dba": 51.0}


GOOD = frame("LA-Rtd=51")
NO_CP = f"{HEAD}LA-Rtd=51"
# topic, frame, reason, part of the sentence
REFUSED: dict[str, tuple[str, bytes, str, str]] = {
    "no frame": (TOPIC, b'{"LA":51}', "frame", "expected ## and four digits of length, found b'{\"LA\":51}'"),
    "nothing": (TOPIC, b"", "frame", "expected ## and four digits of length, found b''"),
    "length no digits": (TOPIC, b"##abcd" + GOOD[6:], "frame", "expected ## and four digits of length"),
    "truncated": (TOPIC, GOOD[:-20], "frame", f"length {len(GOOD) - 12} announced, {len(GOOD) - 30} bytes found"),
    "length too small": (TOPIC, framed(NO_CP, length=10), "frame", "length 10 announced"),
    "length too great": (TOPIC, framed(NO_CP, length=9999), "frame", "length 9999 announced"),
    "two frames at once": (TOPIC, GOOD + GOOD, "frame", "bytes found before the CRC"),
    "wrong CRC": (TOPIC, framed(NO_CP, check="0000"), "crc", "CRC b'0000' in the frame, computed "),
    "CRC no digits": (TOPIC, framed(NO_CP, check="zzzz"), "crc", "CRC b'zzzz' in the frame, computed "),
    "a changed byte": (TOPIC, GOOD.replace(b"=51", b"=15"), "crc", "in the frame, computed "),
    "no CP": (TOPIC, framed(NO_CP), "frame", "no CP=&&…&& part"),
    "another station": (
        "hj212/MN000008/up",
        GOOD,
        "mismatch",
        "MN 'MN000007' in the frame, but the topic says 'MN000008'",
    ),
    "time no time": (
        TOPIC,
        frame("LA-Rtd=51", time="DataTime=20261301080000;"),
        "ts",
        "DataTime '20261301080000': expected yyyyMMddHHmmss",
    ),
    "topic too short": ("hj212/MN000007", GOOD, "topic", "expected hj212/station number/up"),
    "topic down": ("hj212/MN000007/down", GOOD, "topic", "expected hj212/station number/up"),
    "station no id": ("hj212/MN 7/up", GOOD, "topic", "expected hj212/station number/up"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_frame_is_refused_with_a_reason_and_a_sentence(name: str) -> None:
    topic, payload, reason, part = REFUSED[name]
    found, sentence = refusal(topic, payload)
    assert found == reason
    assert part in sentence
    assert "s3cret" not in sentence
    assert len(sentence) < 300


def test_a_clock_ahead_is_replaced_by_the_receipt() -> None:
    reading = only(read(TOPIC, frame("LA-Rtd=51", time="DataTime=20270101080000;")))
    assert (reading.at_ns // 1_000_000, reading.flags) == (NOW_MS, {"": "clock_skew"})


def test_a_mapping_may_lead_to_another_name_and_kind() -> None:
    # A station number mapped to a gas alarm: its temperature is taken, what that kind does not know is counted.
    alarm = SITE.devices["gas-0042"]
    site = replace(SITE, by_foreign={**SITE.by_foreign, "HJ212:MN000007": alarm})
    decoded: Decoded = decode(TOPIC, frame("a01001-Rtd=7.4;LA-Rtd=51"), NOW_MS, 1, site)
    assert (decoded.device, only(decoded).values, decoded.unknown) == ("gas-0042", {"temp_c": 7.4}, 1)


def test_a_time_before_1970_costs_the_time_only() -> None:
    decoded = read(TOPIC, frame("LA-Rtd=51", time="DataTime=00010101080000;"))
    ((_, (reading,)),) = decoded.parts
    assert (reading.at_ns // 1_000_000, reading.flags) == (NOW_MS, {"": "no_ts"})
    assert [fault.reason for fault in decoded.faults] == ["ts"]
