"""A running town with houses in which gas can leak, as scenarios need it."""

from pathlib import Path

from tests.cockpit.town import Town
from tests.simulators.test_recorder import HOUSES
from tests.sites import small_site_text


def gas_town(folder: Path) -> Town:
    """Return it below a folder."""
    return Town(folder, small_site_text(tail=HOUSES))
