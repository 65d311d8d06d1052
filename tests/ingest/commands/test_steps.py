"""What becomes of a command, step by step, each on record once."""

from ingest.alarms.database import AlarmDatabase
from ingest.commands.orders import GOOD_FOR_MS
from ingest.commands.steps import (
    AGAIN_MS,
    ANSWER_WITHIN_MS,
    answered,
    claim,
    obeyed,
    taken,
    time_out,
    turned_away,
    unseen,
)
from ingest.commands.wire import Answer
from tests.ingest.commands.lighting import NOON, answer, ask, commands, leak, order, record, states

SECOND = 1_000


def sent(database: AlarmDatabase, dim_pct: int | None = 40) -> dict[str, object]:
    """Order one lamp and send it at noon; return the command."""
    done = order(database, dim_pct)
    (row,) = claim(database, NOON)
    taken(database, [row["id"]], NOON)
    (found,) = commands(database, done)
    assert (found["state"], found["sent_at"]) == ("sent", NOON)
    return found


def says(row: dict[str, object], accepted: bool = True, device: str = "pole-1") -> Answer:
    return Answer(device, str(row["id"]), accepted, "" if accepted else "relay stuck")


def test_sent_and_obeyed(database: AlarmDatabase) -> None:
    """Claimed, taken by the broker, accepted by the pole, shown by a reading."""
    row = sent(database)
    assert answered(database, says(row), NOON + 800)
    assert answered(database, says(row, accepted=False), NOON + 900)
    (found,) = commands(database)
    assert (found["state"], found["answered_at"], found["accepted"]) == ("acked", NOON + 800, True)
    (waiting,) = unseen(database, NOON)
    obeyed(database, [waiting["id"]], NOON + SECOND)
    assert unseen(database, NOON) == []
    time_out(database, NOON + ANSWER_WITHIN_MS)
    assert states(database) == ["acked"]
    assert record(database) == [
        ("officer", "lamp_ordered", "pole-1"),
        ("system", "lamp_sent", "pole-1"),
        ("pole-1", "lamp_acked", "pole-1"),
    ]


def test_refused(database: AlarmDatabase) -> None:
    """The reason of the pole is kept."""
    row = sent(database)
    assert answered(database, says(row, accepted=False), NOON + SECOND)
    (found,) = commands(database)
    assert (found["state"], found["accepted"], found["answer"]) == ("refused", False, "relay stuck")
    assert unseen(database, NOON) == []
    assert record(database)[-1] == ("pole-1", "lamp_refused", "pole-1")


def test_silence_and_a_late_answer(database: AlarmDatabase) -> None:
    """After thirty seconds it is given up; an answer after that is kept as a late one and changes no state."""
    row = sent(database)
    time_out(database, NOON + ANSWER_WITHIN_MS - 1)
    assert states(database) == ["sent"]
    time_out(database, NOON + ANSWER_WITHIN_MS)
    time_out(database, NOON + ANSWER_WITHIN_MS + 1)
    assert states(database) == ["timed_out"]
    assert answered(database, says(row), NOON + ANSWER_WITHIN_MS + SECOND)
    (found,) = commands(database)
    assert (found["state"], found["accepted"]) == ("timed_out", True)
    assert [line[:2] for line in record(database)][2:] == [
        ("system", "lamp_timed_out"),
        ("pole-1", "lamp_answered_late"),
    ]


def test_forged_answers(database: AlarmDatabase) -> None:
    """An answer counts for the lamp that was commanded, and only once the command has left."""
    done = order(database, 40)
    (row,) = commands(database, done)
    assert not answered(database, says(row), NOON)
    claim(database, NOON)
    assert not answered(database, says(row, device="pole-2"), NOON)
    assert not answered(database, Answer("pole-1", "0" * 32, True), NOON)
    assert states(database) == ["sending"]
    # Faster than the broker's own word: it was sent, evidently.
    assert answered(database, says(row), NOON + 1)
    taken(database, [row["id"]], NOON + 2)
    assert states(database) == ["acked"]
    assert [action for _, action, _ in record(database)] == ["lamp_ordered", "lamp_sent", "lamp_acked"]


def test_one_sender_at_a_time_and_again(database: AlarmDatabase) -> None:
    """Whoever claims has it for ten seconds; an unanswered one is claimed again, until it is answered or expires."""
    answer(database, ask(database, 0))
    now = NOON + SECOND
    first = claim(database, now)
    assert len(first) == 3
    assert claim(database, now + AGAIN_MS - 1) == []
    taken(database, [first[0]["id"]], now)
    answered(database, Answer(first[0]["device"], first[0]["id"], True), now)
    again = claim(database, now + AGAIN_MS)
    assert [row["id"] for row in again] == [row["id"] for row in first[1:]]
    taken(database, [row["id"] for row in again], now + AGAIN_MS)
    assert claim(database, NOON + 1 + GOOD_FOR_MS) == []


def test_never_sent(database: AlarmDatabase) -> None:
    """Without a broker for two minutes a command is given up, and told from one that nobody answers."""
    order(database, 40)
    time_out(database, NOON + GOOD_FOR_MS - 1)
    assert states(database) == ["waiting"]
    time_out(database, NOON + GOOD_FOR_MS)
    assert (states(database), claim(database, NOON + GOOD_FOR_MS)) == (["expired"], [])
    order(database, 40, now_ms=NOON + GOOD_FOR_MS)
    claim(database, NOON + GOOD_FOR_MS)
    time_out(database, NOON + 2 * GOOD_FOR_MS)
    assert states(database) == ["expired", "timed_out"]


def test_the_broker_turns_it_away(database: AlarmDatabase) -> None:
    order(database, 40)
    (row,) = claim(database, NOON)
    turned_away(database, row["id"], "Not authorized", NOON)
    turned_away(database, row["id"], "Not authorized", NOON)
    (found,) = commands(database)
    assert (found["state"], found["answer"]) == ("refused", "the broker: Not authorized")
    assert [action for _, action, _ in record(database)] == ["lamp_ordered", "lamp_refused"]


def test_a_leak_while_it_waits(database: AlarmDatabase) -> None:
    """A lamp that begins to leak before its command has left is not lit; others of the order are."""
    answer(database, ask(database, 100))
    leak(database, "pole-2")
    assert [row["device"] for row in claim(database, NOON + SECOND)] == ["pole-1", "pole-3"]
    assert states(database) == ["sending", "refused", "sending"]
    order(database, 0, now_ms=NOON + SECOND, subject="pole-2")
    assert [row["device"] for row in claim(database, NOON + SECOND)] == ["pole-2"]
