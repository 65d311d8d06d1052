"""Readings as lines of InfluxDB: one by one, and a whole batch alike."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.readings import Quality
from ingest.store import line_protocol
from ingest.store.line_protocol import Lines, line
from tests.ingest.messages import T_MS
from tests.ingest.test_stores import reading

LINES = [
    (reading({"conc_ppm": 3.0}), f"gas_alarm,device_id=gas-1,district=demo conc_ppm=3.0,quality=0i {T_MS}000000"),
    (
        reading({"conc_ppm": 0.0}, tags={"premises": "valve well", "gas": "CO"}, flags={"": "a", "conc_ppm": "range"}),
        "gas_alarm,device_id=gas-1,district=demo,gas=CO,premises=valve\\ well "
        f'conc_ppm=0.0,flags=":a conc_ppm:range",quality=0i {T_MS}000000',
    ),
    (
        reading({"pass_id": 'a "b" \\ c', "gvw_kg": 1e20}, quality=Quality.BAD, tags={"lane": ""}),
        f'gas_alarm,device_id=gas-1,district=demo pass_id="a \\"b\\" \\\\ c",gvw_kg=1e+20,quality=2i {T_MS}000000',
    ),
]


@pytest.mark.parametrize(("written", "expected"), LINES)
def test_line_protocol(written: Any, expected: str) -> None:
    assert line(written) == expected


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ANY = st.builds(
    lambda values, tags, flags, at_ms, quality: reading(values, at_ms, tags=tags, flags=flags, quality=quality),
    st.dictionaries(st.sampled_from(["a", "b", "pass_id"]), NUMBERS | st.text(max_size=20), min_size=1),
    st.dictionaries(st.just("gas"), st.text(max_size=5)),
    st.dictionaries(st.just("a"), st.just("range")),
    st.integers(0, 2**41),
    st.sampled_from(Quality),
)


@given(st.lists(ANY, min_size=1, max_size=5))
def test_a_batch_says_what_its_lines_say(readings: list[Any]) -> None:
    # One number may be written in several ways (1e+20, 1e20).
    def numbers(found: str) -> list[object]:
        parts = re.split(r"([-+0-9.e]{3,})", found)
        return [float(part) if re.fullmatch(r"-?\d+(\.\d+)?(e[-+]?\d+)?", part) else part for part in parts]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(line_protocol, "_TOGETHER", 2)
        written = Lines().of(readings)
    assert [numbers(each) for each in written] == [numbers(line(each)) for each in readings]
