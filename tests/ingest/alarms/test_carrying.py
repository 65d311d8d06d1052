"""How every command is carried out: what a refusal leaves behind."""

import pytest
import sqlalchemy as sa

from ingest.alarms.acts import Acts, announced_again
from ingest.alarms.audit import Person, check
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.carrying import OFFICERS, Command, Done, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.outbox import announcement
from ingest.errors import Refused
from tests.ingest.alarms.keeping import keep, rows, transition

OFFICER = Person("officer", ("officer",))


def test_what_a_refused_command_had_begun_calls_nobody(database: AlarmDatabase) -> None:
    """Neither a change nor its audit row nor a word to people is left of it, only the word about the refusal."""
    ((name, _),) = keep(database, transition("raise", 10))
    acknowledge(database, Acknowledgement(name, 1, "k1"), OFFICER, 20_000)
    before = rows(database)

    def work(acts: Acts) -> Done:
        row = acts.locked(name)
        acts.change(row, "undecided", announced_again(row))
        raise Refused("not_allowed", "On second thoughts, no.")

    with pytest.raises(Refused):
        carry_out(database, Command("try", None, "k2", OFFICERS, name), OFFICER, 30_000, work, Done)
    assert rows(database) == before
    with database.read() as connection:
        assert check(connection).broken is None
        assert connection.execute(sa.select(announcement.c.why)).scalars().all() == ["raise"]
