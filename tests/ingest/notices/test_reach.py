"""What is missing for an urgent alarm to be heard: two kinds of channel, and somebody at every step of the ladder."""

from dataclasses import replace

import pytest

from devices.site import Channel, Site
from ingest.notices.reach import gaps


def channel(kind: str, *roles: str, priorities: tuple[str, ...] = ("P1",)) -> Channel:
    return Channel(f"{kind}-{'-'.join(roles)}", kind, f"CITYDECK_NOTIFY_{kind.upper()}", roles, priorities)


EVERYBODY = ("officer", "leader", "director")
ALONE = "notify: a P1 goes out by 1 kind of channel (mail); at least 2 are expected"


@pytest.mark.parametrize(
    ("channels", "sentences"),
    [
        ([], ["notify: a P1 goes out by 0 kinds of channel (none); at least 2 are expected"]),
        ([channel("mail", *EVERYBODY)], [ALONE]),
        ([channel("mail", *EVERYBODY), channel("mail", "officer")], [ALONE]),
        ([channel("mail", *EVERYBODY), channel("wecom", "leader")], [ALONE]),
        ([channel("mail", *EVERYBODY), channel("wecom", "officer", priorities=("P2",))], [
            ALONE, "notify: no channel carries P2 to director and leader, whom its escalation calls",
        ]),
        ([channel("mail", "officer"), channel("wecom", "officer", "leader")], [
            "notify: no channel carries P1 to director, whom its escalation calls",
        ]),
        ([channel("mail", *EVERYBODY), channel("wecom", "officer")], []),
    ],
)  # fmt: skip
def test_gaps(site: Site, channels: list[Channel], sentences: list[str]) -> None:
    assert gaps(replace(site, channels=tuple(channels))) == sentences
