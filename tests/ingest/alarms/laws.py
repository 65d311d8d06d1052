"""The laws I1 to I7 and I9 of ALARMS §2, held against an alarm database after each step."""

from typing import Any

import sqlalchemy as sa

from ingest.alarms.audit import row_hash
from ingest.alarms.tables import audit, audit_head, occurrence

ACTIVE = ("UNACK", "ACKED")
HIDES = ("shelve", "out_of_service")
SHOWS = ("shelf_expired", "unshelve", "shelf_lifted", "out_of_service_ended", "out_of_service_expired", "unfold")
ANNOUNCES = (*SHOWS, "undecided", "observe_ended")


class Laws:
    """Remembers what was so far, because some laws are about what must not change."""

    def __init__(self) -> None:
        self._closed: dict[str, dict[str, Any]] = {}
        self._versions: dict[str, int] = {}
        self._names: set[str] = set()
        self._seq, self._hash = 0, "0" * 64

    def hold(self, connection: sa.Connection, position: int) -> None:
        kept = [dict(row) for row in connection.execute(sa.select(occurrence)).mappings()]
        fresh = connection.execute(sa.select(audit).where(audit.c.seq > self._seq).order_by(audit.c.seq)).mappings()
        for act in map(dict, fresh):
            self._act(act)
        head = connection.execute(sa.select(audit_head.c.seq, audit_head.c.hash)).one()
        count = connection.execute(sa.select(sa.func.count()).select_from(audit)).scalar_one()
        assert (head.seq, head.hash, count) == (self._seq, self._hash, self._seq), "I4, I7"
        still_open = [row["point"] for row in kept if row["closed_at"] is None]
        assert len(still_open) == len(set(still_open)), "I1"
        names = {row["id"] for row in kept}
        assert self._names <= names, "I4"
        self._names = names
        for row in kept:
            self._occurrence(row)
        assert self._versions == {row["id"]: row["version"] for row in kept}, "I7"

    def _occurrence(self, row: dict[str, Any]) -> None:
        if row["closed_at"] is not None:
            over = not row["active"] and row["acked"]
            assert over and (not row["latched"] or row["reset_at"] is not None), "I2"
            assert self._closed.setdefault(row["id"], row) == row, "I9"
        elif row["acked"] and row["active"]:
            assert row["level_acked"] >= row["level_now"], "I3"

    def _act(self, act: dict[str, Any]) -> None:
        assert act["seq"] == self._seq + 1 and act["prev_hash"] == self._hash and act["hash"] == row_hash(act), "I7"
        self._seq, self._hash = act["seq"], act["hash"]
        name, before, after = act["occurrence"], act["state_before"], act["state_after"]
        if name is None:
            return
        if act["version_before"] != act["version_after"]:
            assert name not in self._closed, "I9"
            assert act["version_before"] == self._versions.get(name), "I7"
            self._versions[name] = act["version_after"]
        if act["action"] in HIDES:
            assert before == after, "I5"
        if act["action"] in ANNOUNCES:
            assert after in (before, "UNACK"), "I5, I6"
        if before in ACTIVE and after not in ACTIVE:
            assert act["action"] == "return", "I6"
