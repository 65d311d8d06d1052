"""A simulated pole behind the embedded broker does as it is told: order, command, answer, reading."""

from pathlib import Path

from tests.cockpit.acting import post
from tests.cockpit.town import Town
from tests.sites import small_site_text


def test_a_simulated_pole_obeys(tmp_path: Path) -> None:
    """Dimmed and given back, over the broker of `citydeck up` and nothing else."""
    with Town(tmp_path, small_site_text(tail="[simulation]\nrun = true\n")) as town:
        before = town.until("/api/v1/lamps/pole-1", lambda lamp: lamp["dim_pct"] is not None, patience_s=90)
        with town.client("officer") as officer:
            assert post(officer, "/lamps/pole-1/switch", dim_pct=37, reason="x").status_code == 202
            town.until("/api/v1/lamps/pole-1", lambda lamp: lamp["standing"] == "obeyed" and lamp["cmd_pct"] == 37)
            assert post(officer, "/lamps/pole-1/switch", auto=True, reason="x").status_code == 202
            town.until("/api/v1/lamps/pole-1", lambda lamp: lamp["dim_pct"] == before["dim_pct"])
