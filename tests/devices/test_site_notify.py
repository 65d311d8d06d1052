"""``[[notify]]`` tables: what a good one says, and for each mistake exactly one sentence."""

from pathlib import Path
from typing import Any

import pytest

from devices.errors import Fault, SiteFault
from devices.site import Channel
from devices.site_notify import read_channels
from tests.sites import small_site

GOOD: dict[str, Any] = {"name": "duty-mail", "kind": "mail", "env": "CITYDECK_NOTIFY_DUTY_MAIL"}
KINDS = "expected one of app, dingtalk, feishu, mail, sms, voice, webhook, wecom, found "
ROLES = "expected a list of officer, leader, director, maintenance, engineer, found "
PRIORITIES = "expected a list of P1, P2, P3, P4, health, found "
ENV = "expected the name of a variable CITYDECK_NOTIFY_…, found "
NAME = "expected 1 to 64 of A–Z a–z 0–9 . _ -, found "
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": None}, f"notify[0].name: {NAME}None"),
    "a name that no key can hold": ({"name": "班 长"}, f"notify[0].name: {NAME}'班 长'"),
    "a kind nobody knows": ({"kind": "pigeon"}, f"notify[0].kind: {KINDS}'pigeon'"),
    "a kind that is a list": ({"kind": ["mail"]}, f"notify[0].kind: {KINDS}['mail']"),
    "the address itself": ({"env": "mailto://u:p@host"}, f"notify[0].env: {ENV}'mailto://u:p@host'"),
    "another program's variable": ({"env": "PATH"}, f"notify[0].env: {ENV}'PATH'"),
    "a role nobody holds": ({"roles": ["mayor"]}, f"notify[0].roles: {ROLES}['mayor']"),
    "roles as a word": ({"roles": "officer"}, f"notify[0].roles: {ROLES}'officer'"),
    "for nobody": ({"roles": []}, f"notify[0].roles: {ROLES}[]"),
    "a list in a list": ({"roles": [["officer"]]}, f"notify[0].roles: {ROLES}[['officer']]"),
    "a priority there is not": ({"priorities": ["P0"]}, f"notify[0].priorities: {PRIORITIES}['P0']"),
    "a setting misspelt": ({"role": ["officer"]}, "notify[0].role: is not a setting; did you mean 'roles'?"),
    "a setting from nowhere": (
        {"zzz": 1},
        "notify[0].zzz: is not a setting; known are env, kind, name, priorities, roles",
    ),
}


def test_what_is_not_said_is_for_officers_and_urgent_alarms() -> None:
    faults: list[Fault] = []
    assert read_channels([GOOD], faults) == (
        Channel("duty-mail", "mail", "CITYDECK_NOTIFY_DUTY_MAIL", ("officer",), ("P1", "P2")),
    )
    assert faults == []


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_one_sentence(name: str) -> None:
    change, sentence = MISTAKES[name]
    faults: list[Fault] = []
    read_channels([{**GOOD, **change}], faults)
    assert [str(fault) for fault in faults] == [sentence]


def test_two_of_one_name() -> None:
    faults: list[Fault] = []
    read_channels([GOOD, {**GOOD, "kind": "sms"}, {"kind": "sms"}], faults)
    assert [str(fault) for fault in faults] == [
        "notify[1].name: 'duty-mail' is the name of another channel already",
        f"notify[2].name: {NAME}None",
        f"notify[2].env: {ENV}None",
    ]


def test_they_stand_in_the_site(tmp_path: Path) -> None:
    tail = '[[notify]]\nname = "group"\nkind = "wecom"\nenv = "CITYDECK_NOTIFY_GROUP"\npriorities = ["P1", "health"]\n'
    assert [channel.priorities for channel in small_site(tmp_path, tail=tail).channels] == [("P1", "health")]
    with pytest.raises(SiteFault) as refused:
        small_site(tmp_path, tail=tail.replace("wecom", "icq"))
    assert [str(fault) for fault in refused.value.faults] == [f"notify[0].kind: {KINDS}'icq'"]


def test_no_list_of_tables(tmp_path: Path) -> None:
    with pytest.raises(SiteFault, match=r"notify: expected tables \[\[notify\]\]"):
        small_site(tmp_path, tail='[notify]\nname = "x"\n')
