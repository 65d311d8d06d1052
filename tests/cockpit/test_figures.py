"""Figures of one field: what is written at the lines of its limits."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cockpit.pages.figures import FigureStyle, series_figure
from cockpit.texts import texts
from devices.catalog import load_catalog

CATALOG = load_catalog()
MINUTE_MS = 60_000


def written(language: str, kind: str, field: str) -> list[str]:
    """Return the words at the limits of a field, of which one good reading is drawn."""
    limits: list[dict[str, Any]] = [
        {
            "level": number,
            "value": level.value,
            "priority": level.priority,
            "sense": limit.sense,
            "name": {"zh": limit.zh, "en": limit.en},
        }
        for limit in CATALOG.kinds[kind].field(field).limits
        for number, level in enumerate(limit.levels, 1)
    ]
    series = {"points": [[0, limits[0]["value"], 0]], "step_s": 0, "limits": limits}
    style = FigureStyle(texts(language), ZoneInfo("Asia/Shanghai"), 16.0)
    figure = series_figure(CATALOG.kinds[kind], field, series, (), style, 0, MINUTE_MS)
    return [note["text"] for note in figure["layout"]["annotations"]]


@pytest.mark.parametrize(
    ("language", "state", "number"),
    [
        ("zh", "P1 探测器报警 高限报警", "P1 燃气浓度 50 %LEL"),
        ("en", "P1 detector alarm high alarm", "P1 gas concentration 50 %LEL"),
    ],
)
def test_a_limit_is_told_in_the_words_of_its_field(language: str, state: str, number: str) -> None:
    """A state by its name, not by the number a device sends for it; a quantity with its unit."""
    assert state in written(language, "gas_alarm", "state")
    assert number in written(language, "gas_alarm", "conc_pct_lel")
