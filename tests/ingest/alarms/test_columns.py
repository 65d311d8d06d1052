"""The quick look finds exactly the readings that a look at each would find."""

from hypothesis import given
from hypothesis import strategies as st

from devices.catalog import load_catalog
from devices.readings import Quality, Reading
from ingest.alarms.columns import Columns
from ingest.alarms.rules import Watch, kind_book

WATCHES = kind_book(load_catalog()).watches()
COLUMNS = Columns(WATCHES)
FIELDS = sorted({key for fields in WATCHES.values() for key in fields} | {"nothing_watches_this"})
VALUES = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 2.0, 3.0, 25.0, 24.999999999, 198.0, 235.4, 30.0])


def reading(measurement: str, values: dict[str, float]) -> Reading:
    return Reading("kind", measurement, "x", "demo", 0, dict(values), {}, Quality.GOOD, {}, 0, 1)


@given(
    st.lists(
        st.builds(reading, st.sampled_from([*WATCHES, "unknown"]), st.dictionaries(st.sampled_from(FIELDS), VALUES))
    )
)
def test_it_agrees_with_each_rule(readings: list[Reading]) -> None:
    expected = {
        index
        for index, each in enumerate(readings)
        for key, watches in WATCHES.get(each.measurement, {}).items()
        for watch in watches
        if watch.instant and not quiet(watch, key, each)
    }
    assert COLUMNS.loud(readings) == expected


def quiet(watch: Watch, key: str, each: Reading) -> bool:
    needed = [key] if watch.other is None else [key, watch.other]
    if any(field not in each.values for field in needed):
        return True
    figures = [float(each.values[field]) for field in needed]
    return watch.quiet(figures[0] if len(figures) == 1 else abs(figures[0] - figures[1]))
