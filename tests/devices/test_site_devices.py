"""Devices that are judged together belong to one collector, and what a device registers is checked."""

from pathlib import Path

import pytest

from devices.errors import SiteFault
from devices.site_file import load_site
from tests.sites import small_site_text

SHARDS = """
[[devices]]
id = "pole-a"
kind = "light_pole"
street = "s02"
circuit = "F-1"
[[devices]]
id = "pole-b"
kind = "light_pole"
street = "s02"
circuit = "F-1"
[shards.one]
subscriptions = ["city/v1/demo/light_pole/pole-a/#"]
[shards.rest]
subscriptions = [
  "city/v1/demo/light_pole/pole-b/#", "city/v1/demo/light_pole/pole-1/#", "city/v1/demo/gas_alarm/#",
  "city/v1/demo/gateway/#", "city/v1/demo/drone/#", "city/v1/demo/drone_dock/#", "city/v1/demo/refuse_truck/#",
  "city/v1/demo/bridge_wim/#",
]
"""


def faults(folder: Path, tail: str) -> list[str]:
    file = folder / "site.toml"
    file.write_text(small_site_text(tail=tail), encoding="utf-8")
    with pytest.raises(SiteFault) as refused:
        load_site(file)
    return [str(fault) for fault in refused.value.faults]


def test_a_circuit_and_a_street_are_not_cut_in_two(tmp_path: Path) -> None:
    assert sorted(faults(tmp_path, SHARDS)) == [
        "shards: light_pole of circuit 'F-1': expected in one shard, found in 'one' and 'rest'",
        "shards: light_pole of street 's02': expected in one shard, found in 'one' and 'rest'",
    ]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ('noise_class = "5"', "noise_class: '5': expected one of 0, 1, 2, 3, 4a, 4b"),
        ('road = "lane"', "road: 'lane': expected one of main, branch"),
        ("max_mass_kg = -1", "max_mass_kg: -1: expected a number from 0 to 1e+06"),
        ('verify_due = "soon"', "verify_due: 'soon': expected a date such as 2030-03-01"),
        (f'circuit = "{"F" * 49}"', "circuit: expected at most 48 characters"),
    ],
)
def test_what_a_device_registers_is_checked(column: str, sentence: str, tmp_path: Path) -> None:
    (told,) = faults(tmp_path, f'[[devices]]\nid = "x"\nkind = "light_pole"\nstreet = "s01"\n{column}\n')
    assert told.endswith(sentence)
