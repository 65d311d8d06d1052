"""What a collector tells of itself in the alarm database: enough, bounded, and again after an outage."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingest import bulletin as telling
from ingest.alarms.database import AlarmDatabase
from ingest.bulletin import KEPT_DAYS, SAMPLES, Bulletin, escaped
from ingest.checkpoint import Checkpoint
from ingest.decoding import Unregistered
from ingest.errors import AlarmError
from ingest.journal import Journal
from ingest.ledger import DECODED, PRODUCED, STORED, Hops, Ledger, Stored, ledger_document, stored_counts
from ingest.ledger_tables import ledger_device, ledger_minute, quarantine_group, quarantine_sample
from ingest.quarantine import Landed, Origin, Quarantined
from ingest.rounds import ShardParts
from tests.ingest.messages import T_MS
from tests.servers.postgres import Postgres

MINUTE_MS = 60_000


class Teller:
    """A bulletin with all it reads, moved by hand."""

    def __init__(self, folder: Path, address: str) -> None:
        self.database = AlarmDatabase(address)
        self.database.migrate()
        self.checkpoint = Checkpoint(folder / "checkpoint.db")
        self.journal = Journal(folder / "journal")
        self.ledger, self.stored = Ledger(), stored_counts()
        self.bulletin = self.restarted()

    def restarted(self, database: AlarmDatabase | None = None) -> Bulletin:
        parts = ShardParts("main", database or self.database, self.checkpoint, self.journal, lambda: T_MS)
        self.bulletin = Bulletin(parts, self.document, (self.ledger.counts, self.stored))
        return self.bulletin

    def document(self) -> dict[str, Any]:
        hops = Hops(T_MS, self.ledger.decoded, self.ledger.decoded, 0.5, 0.0)
        return ledger_document(self.ledger, Stored(1, 7, 0), hops, self.stored.kinds())

    def save(self, *found: Quarantined, landed: tuple[Landed, ...] = ()) -> None:
        self.checkpoint.save(1, T_MS, 0, self.ledger, {}, Unregistered(), found, landed)
        self.checkpoint.save_stored(Stored(1, 7, 0), (), self.stored)

    def count(self, device: str, decoded: int, stored: int) -> None:
        self.ledger.decoded += decoded
        self.ledger.counts.add("gas_alarm", device, DECODED, decoded)
        self.stored.add("gas_alarm", device, STORED, stored)

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            query = sa.select(table).order_by(*table.primary_key)
            return [dict(row) for row in connection.execute(query).mappings()]

    def quarantined(self, *positions: int, device: str = "gas-1") -> list[Quarantined]:
        return [Quarantined(n, T_MS, "json", device, f"city/{device}", "not JSON", "", device) for n in positions]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def teller(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Teller]:
    if request.param == "sqlite":
        made = Teller(tmp_path, f"sqlite:///{tmp_path / 'alarms.db'}")
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        name = server.create()
        made = Teller(tmp_path, server.url(name))
    yield made
    made.checkpoint.close()
    made.journal.close()
    made.database.close()
    if request.param == "postgres":
        server.drop(name)


def test_a_minute_and_the_devices_that_changed_in_it(teller: Teller) -> None:
    teller.count("gas-1", 5, 4)
    teller.save()
    teller.bulletin.look(T_MS + 10)
    (minute,) = teller.rows(ledger_minute)
    assert (minute["shard"], minute["at"], minute["decoded"], minute["stored"]) == ("main", T_MS, 5, 7)
    assert (minute["store_lag_s"], json.loads(minute["kinds"])) == (0.5, {"gas_alarm": [5, 0, 0, 0, 0, 0, 4, 0]})
    teller.count("gas-2", 1, 1)
    teller.save()
    teller.bulletin.look(T_MS + MINUTE_MS - 1)
    assert [row["device"] for row in teller.rows(ledger_device)] == ["gas-1"]
    teller.bulletin.look(T_MS + MINUTE_MS)
    rows = teller.rows(ledger_device)
    assert [(row["device"], row["decoded"], row["stored"]) for row in rows] == [("gas-1", 5, 4), ("gas-2", 1, 1)]
    assert [row["updated_at"] for row in rows] == [T_MS + 10, T_MS + MINUTE_MS]
    assert [row["at"] for row in teller.rows(ledger_minute)] == [T_MS, T_MS + MINUTE_MS]


def test_a_device_has_no_more_stored_than_it_produced(teller: Teller) -> None:
    """Usual messages are counted together and by device only now and then; what is told has all of them."""
    teller.ledger.counts.add_each("gas_alarm", ["gas-1"] * 3, (DECODED, PRODUCED))
    teller.save()
    teller.ledger.counts.add_each("gas_alarm", ["gas-1", "gas-2"] * 4, (DECODED, PRODUCED))
    teller.stored.add("gas_alarm", "gas-1", STORED, 6)
    teller.bulletin.look(T_MS)
    (row,) = teller.rows(ledger_device)
    assert (row["device"], row["decoded"], row["produced"], row["stored"]) == ("gas-1", 7, 7, 6)


def test_minutes_are_kept_thirty_days(teller: Teller) -> None:
    teller.bulletin.look(T_MS)
    teller.bulletin.look(T_MS + KEPT_DAYS * 86_400_000)
    assert len(teller.rows(ledger_minute)) == 2
    teller.bulletin.look(T_MS + KEPT_DAYS * 86_400_000 + MINUTE_MS)
    assert next(row["at"] - T_MS for row in teller.rows(ledger_minute)) == KEPT_DAYS * 86_400_000


def test_groups_come_change_and_go_with_their_samples(teller: Teller) -> None:
    teller.journal.append([("city/gas-1", b'{"plate": "\xe6\xb5\x99A1"\x00\xff' + b"x" * 5_000)] * 9, T_MS)
    teller.save(*teller.quarantined(*range(1, 9)))
    teller.bulletin.look(T_MS)
    (group,) = teller.rows(quarantine_group)
    assert (group["reason"], group["device"], group["count"], group["sentence"]) == ("json", "gas-1", 8, "not JSON")
    samples = teller.rows(quarantine_sample)
    assert [sample["position"] for sample in samples] == [1, 2, 3, 4, 5][:SAMPLES]
    assert samples[0]["payload"].startswith('{"plate": "浙A1"\\x00\\xffxxx')
    assert (samples[0]["bytes"], len(samples[0]["payload"]) < 2_100) == (5_019, True)
    origins = [Origin("r", "json", "gas-1", "", "gas-1", n, T_MS) for n in range(1, 9)]
    teller.save(landed=tuple(Landed(origin, "decoded") for origin in origins[:6]))
    # A collector that was started again knows what was told before.
    teller.restarted().look(T_MS)
    assert [group["count"] for group in teller.rows(quarantine_group)] == [2]
    assert [sample["position"] for sample in teller.rows(quarantine_sample)] == [7, 8]
    teller.save(landed=tuple(Landed(origin, "decoded") for origin in origins[6:]))
    teller.restarted().look(T_MS)
    assert teller.rows(quarantine_group) == teller.rows(quarantine_sample) == []


def test_samples_are_bounded_over_all_groups(teller: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "_MOST_SAMPLES", 6)
    monkeypatch.setattr(telling, "_GROUPS_A_LOOK", 4)
    teller.journal.append([("t", b"{")] * 60, T_MS)
    found = [item for n in range(10) for item in teller.quarantined(*range(6 * n + 1, 6 * n + 7), device=f"d{n}")]
    teller.save(*found)
    for _ in range(3):
        teller.bulletin.look(T_MS)
    assert len(teller.rows(quarantine_group)) == 10
    assert len(teller.rows(quarantine_sample)) == 10


def test_an_outage_of_the_database_owes_and_tells_later(teller: Teller, tmp_path: Path) -> None:
    away = AlarmDatabase(f"sqlite:///{tmp_path / 'nowhere' / 'alarms.db'}")
    bulletin = teller.restarted(away)
    teller.count("gas-1", 5, 5)
    teller.save(*teller.quarantined(1))
    with pytest.raises(AlarmError):
        bulletin.look(T_MS)
    (tmp_path / "nowhere").mkdir()
    away.migrate()
    bulletin.look(T_MS + 1)
    with away.read() as connection:
        counted = [connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
                   for table in (ledger_minute, ledger_device, quarantine_group)]  # fmt: skip
    assert counted == [1, 1, 1]
    away.close()


def test_names_that_no_database_likes(teller: Teller) -> None:
    """NUL, half characters and names longer than the column cost nothing else."""
    teller.journal.append([("t", b"{")], T_MS)
    odd = Quarantined(1, T_MS, "json", "a\0" + "b" * 90, "t\0", "half \udc80", "", "x")
    teller.save(*teller.quarantined(1), odd)
    teller.bulletin.look(T_MS)
    names = [row["device"] for row in teller.rows(quarantine_group)]
    assert sorted(names) == ["a�" + "b" * 62, "gas-1"]


def test_foreign_bytes_as_text() -> None:
    assert escaped(b"plain \xe4\xb8\xad") == "plain 中"
    assert escaped(b"\x00\n\x1b[31m\xff\xe2\x80\xae") == r"\x00\n\x1b[31m\xff\u202e"
