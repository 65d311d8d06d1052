"""Users, sessions and screens on real databases: how each comes, lasts and ends, and what the audit says of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cockpit.accounts import passwords, screens, users
from cockpit.accounts.demo import demo_accounts
from cockpit.accounts.picture import IDLE_MS, LONGEST_MS
from cockpit.accounts.tables import account, login_session, screen
from cockpit.sessions import Sessions, User
from ingest.alarms.audit import Actor, first_broken
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit
from ingest.errors import AlarmError, Refused
from tests.servers.postgres import Postgres

ADMIN = Actor("root", "engineer", "command line")
T = 1_800_000_000_000
MINUTE = 60_000
GOOD = "a long night shift"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AlarmDatabase]:
    """Give an empty, migrated alarm database."""
    url, drop = f"sqlite:///{tmp_path / 'alarms.db'}", None
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        drop = server.create()
        url = server.url(drop)
    opened = AlarmDatabase(url)
    opened.migrate()
    yield opened
    opened.close()
    if drop:
        server.drop(drop)


@pytest.fixture
def sessions(database: AlarmDatabase) -> Sessions:
    """Give a cockpit's sessions, with the users wang and li."""
    users.add(database, "wang", ("officer", "handler"), GOOD, ADMIN, T)
    users.add(database, "李雷", ("leader",), GOOD, ADMIN, T)
    found = Sessions(database, {})
    found.look(T)
    return found


def entered(sessions: Sessions, name: str = "wang", now_ms: int = T) -> str:
    token = sessions.log_in(name, GOOD, "10.0.0.7", now_ms)
    assert token is not None
    return token


def acts(database: AlarmDatabase) -> list[tuple[str, str, str, str]]:
    with database.read() as connection:
        assert first_broken(connection) is None
        rows = connection.execute(sa.select(audit).order_by(audit.c.seq)).mappings()
        return [(row["actor"], row["action"], row["point"], row["reason"]) for row in rows]


def test_log_in_and_out(database: AlarmDatabase, sessions: Sessions) -> None:
    """A session is its user's until it is ended; both are on record, with the first role."""
    token = entered(sessions)
    assert sessions.user_of(token, T) == User("wang", ("officer", "handler"))
    assert sessions.user_of(entered(sessions, "李雷"), T) == User("李雷", ("leader",))
    user = sessions.user_of(token, T)
    assert user is not None
    sessions.log_out(token, user, "10.0.0.7", T + 1)
    assert sessions.user_of(token, T + 2) is None
    sessions.look(T + 3)
    assert sessions.user_of(token, T + 4) is None
    assert acts(database)[2:] == [("wang", "log_in", "", ""), ("李雷", "log_in", "", ""), ("wang", "log_out", "", "")]


def test_neither_tokens_nor_passwords_are_kept(database: AlarmDatabase, sessions: Sessions) -> None:
    """Whoever reads the tables finds nothing to come in with."""
    given = [entered(sessions), screens.add(database, "hall", ADMIN, T), GOOD]
    with database.read() as connection:
        kept = repr([connection.execute(sa.select(table)).all() for table in (account, login_session, screen, audit)])
    assert not [secret for secret in given if secret in kept]
    assert "$argon2id$" in kept


def test_wrong_log_ins_are_on_record(database: AlarmDatabase, sessions: Sessions) -> None:
    """Known names are named, unknown ones are not: now and then somebody types a password there."""
    assert sessions.log_in("wang", "wrong", "a", T) is None
    assert sessions.log_in("my-secret-word", "wrong", "a", T) is None
    assert sessions.log_in("wang", "\ud800", "a", T) is None
    users.disable(database, "wang", ADMIN, T)
    assert sessions.log_in("wang", GOOD, "a", T) is None
    assert [act for act in acts(database) if act[1] == "log_in_refused"] == [
        ("wang", "log_in_refused", "", ""),
        ("unknown", "log_in_refused", "", ""),
        ("wang", "log_in_refused", "", ""),
        ("wang", "log_in_refused", "", "disabled"),
    ]


def test_a_session_survives_a_restart(database: AlarmDatabase, sessions: Sessions) -> None:
    """Another cockpit on the database, as after a restart, knows it; a token that is none it does not."""
    token = entered(sessions)
    later = Sessions(database, {})
    later.look(T + MINUTE)
    assert later.user_of(token, T + MINUTE) == sessions.user_of(token, T + MINUTE) != None  # noqa: E711
    for wrong in (None, "", token[:-1], token + "x", token.swapcase(), "\udcff" * 43):
        assert later.user_of(wrong, T + MINUTE) is None


def test_a_second_cockpit_looks_once_more(database: AlarmDatabase, sessions: Sessions) -> None:
    """A token given by a colleague since the last look is worth one look, a made-up one not every time."""
    other = Sessions(database, {})
    other.look(T)
    token = entered(sessions)
    assert other.user_of(token, T) is None
    assert other.unheard_of(token, T)
    other.look(T)
    assert other.user_of(token, T) is not None
    assert not other.unheard_of(token, T)
    made_up = [f"{number:043d}" for number in range(100)]
    assert sum(other.unheard_of(each, T) for each in made_up * 2) == 20
    assert not other.unheard_of("short", T)
    assert not other.unheard_of("長" * 43, T)
    assert not other.unheard_of(None, T)


def test_idle_and_absolute_expiry(sessions: Sessions) -> None:
    """Four unused hours end a session, and twelve end any."""
    idle, used = entered(sessions), entered(sessions)
    for step in range(1, 4):
        assert sessions.user_of(used, min(T + step * (IDLE_MS - 1), T + LONGEST_MS - 1)) is not None
    assert sessions.user_of(idle, T + IDLE_MS) is None
    assert sessions.user_of(idle, T + IDLE_MS - 1) is not None
    assert sessions.user_of(used, T + LONGEST_MS - 1) is not None
    assert sessions.user_of(used, T + LONGEST_MS) is None


def test_use_is_noted_for_the_next_start(database: AlarmDatabase, sessions: Sessions) -> None:
    """What was used within the hours is not idle for a cockpit that starts later."""
    token, screen_token = entered(sessions), screens.add(database, "hall", ADMIN, T)
    sessions.look(T)
    at = T + IDLE_MS - MINUTE
    assert sessions.user_of(token, at) and sessions.screen_of(screen_token, at)
    sessions.look(at)
    later = Sessions(database, {})
    later.look(T + IDLE_MS + MINUTE)
    assert later.user_of(token, T + IDLE_MS + MINUTE) is not None
    with database.read() as connection:
        assert [each.seen_at for each in screens.screens(connection)] == [at]


def test_expired_sessions_are_removed(database: AlarmDatabase, sessions: Sessions) -> None:
    entered(sessions)
    entered(sessions, now_ms=T + LONGEST_MS)
    with database.read() as connection:
        assert len(connection.execute(sa.select(login_session)).all()) == 1


def _disable(database: AlarmDatabase) -> None:
    users.disable(database, "wang", ADMIN, T + 1)


def _password(database: AlarmDatabase) -> None:
    users.set_password(database, "wang", "quite another one", ADMIN, T + 1)


def _roles(database: AlarmDatabase) -> None:
    users.set_roles(database, "wang", ("auditor",), ADMIN, T + 1)


@pytest.mark.parametrize("change", [_disable, _password, _roles])
def test_a_change_ends_the_sessions_of_its_user(database: AlarmDatabase, sessions: Sessions, change: Any) -> None:
    """Within one look, and nobody else's; enabling does not bring them back."""
    token, other = entered(sessions), entered(sessions, "李雷")
    change(database)
    sessions.look(T + 2)
    assert sessions.user_of(token, T + 3) is None
    assert sessions.user_of(other, T + 3) is not None
    users.enable(database, "wang", ADMIN, T + 4)
    sessions.look(T + 5)
    assert sessions.user_of(token, T + 6) is None


def test_a_password_changed_meanwhile_wins(database: AlarmDatabase, sessions: Sessions) -> None:
    """Between proof and entrance the user was changed: no session begins."""
    with database.read() as connection:
        proved = users.one(connection, "wang")
    assert proved is not None
    users.set_password(database, "wang", "quite another one", ADMIN, T)
    assert sessions.begin(proved, "a", T) is None
    users.disable(database, "wang", ADMIN, T)
    with database.read() as connection:
        proved = users.one(connection, "wang")
    assert proved is not None and sessions.begin(proved, "a", T) is None


def test_an_old_password_is_none(database: AlarmDatabase, sessions: Sessions) -> None:
    _password(database)
    assert sessions.log_in("wang", GOOD, "a", T + 2) is None
    assert sessions.log_in("wang", "quite another one", "a", T + 2) is not None


def test_screens(database: AlarmDatabase, sessions: Sessions) -> None:
    """A screen reads from the moment it is added until it is revoked; its name can then have another token."""
    token = screens.add(database, "hall", ADMIN, T)
    with pytest.raises(Refused, match="already"):
        screens.add(database, "hall", ADMIN, T)
    sessions.look(T)
    assert sessions.screen_of(token, T) == User("screen:hall", ("viewer",), screen=True)
    assert sessions.screen_of(token, T + 1_000 * LONGEST_MS) is not None
    assert sessions.user_of(token, T) is None
    screens.revoke(database, "hall", ADMIN, T + 1)
    sessions.look(T + 2)
    assert sessions.screen_of(token, T + 2) is None
    again = screens.add(database, "hall", ADMIN, T + 3)
    sessions.look(T + 3)
    assert (sessions.screen_of(token, T + 3), sessions.screen_of(None, T + 3)) == (None, None)
    assert sessions.screen_of(again, T + 3) is not None
    with pytest.raises(Refused, match="screen list"):
        screens.revoke(database, "cellar", ADMIN, T)
    with database.read() as connection:
        assert [(each.name, each.revoked_at) for each in screens.screens(connection)] == [
            ("hall", T + 1),
            ("hall", None),
        ]
    assert [act[1:3] for act in acts(database)][2:] == [
        ("screen_add", "screen:hall"), ("screen_revoke", "screen:hall"), ("screen_add", "screen:hall"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["", " hall", "a/b", "a" * 57, "screen:x", "-x", "x\n"])
def test_names_of_screens(database: AlarmDatabase, name: str) -> None:
    with pytest.raises(Refused, match="no name of a screen"):
        screens.add(database, name, ADMIN, T)


@pytest.mark.parametrize(
    ("name", "roles", "password", "why"),
    [
        ("", ("officer",), GOOD, "no name"),
        ("system", ("officer",), GOOD, "no name"),
        ("Unknown", ("officer",), GOOD, "no name"),
        ("screen:x", ("officer",), GOOD, "no name"),
        ("a" * 65, ("officer",), GOOD, "no name"),
        ("x", (), GOOD, "found none"),
        ("x", ("mayor", "officer"), GOOD, "found mayor"),
        ("zhao", ("officer",), "short", "this one has 5"),
        ("zhao", ("officer",), "x" * 257, "this one has 257"),
        ("zhao", ("officer",), "ababababab", "five different"),
        ("zhao", ("officer",), "mr-ZHAO-2026", "user's name"),
        ("zhao", ("officer",), "ten letter\ud800s", "characters that are none"),
    ],
)
def test_users_that_are_refused(
    database: AlarmDatabase, name: str, roles: tuple[str, ...], password: str, why: str
) -> None:
    """One sentence each, and nothing is kept."""
    with pytest.raises(AlarmError, match=why):
        users.add(database, name, roles, password, ADMIN, T)
    assert acts(database) == []


def test_users_are_there_once(database: AlarmDatabase, sessions: Sessions) -> None:
    """In any case of letters; unknown ones cannot be changed."""
    with pytest.raises(Refused, match="already"):
        users.add(database, "WANG", ("officer",), GOOD, ADMIN, T)
    changes = (
        lambda: users.disable(database, "zhao", ADMIN, T),
        lambda: users.enable(database, "zhao", ADMIN, T),
        lambda: users.set_password(database, "zhao", GOOD, ADMIN, T),
        lambda: users.set_roles(database, "zhao", ("officer",), ADMIN, T),
    )
    for change in changes:
        with pytest.raises(Refused, match="no user 'zhao'"):
            change()
    assert [act[1:] for act in acts(database)] == [
        ("user_add", "user:wang", "officer handler"), ("user_add", "user:李雷", "leader"),
    ]  # fmt: skip


def test_the_demo_gives_way(database: AlarmDatabase) -> None:
    """An added user goes before the demo's of that name; the demo's sessions outlive a restart, but no new password."""
    demo = demo_accounts("night-shift", b"secret")
    first = Sessions(database, demo)
    token = first.log_in("officer", "night-shift", "a", T)
    assert token is not None and first.user_of(token, T) == User("officer", ("officer",))
    again = Sessions(database, demo_accounts("night-shift", b"secret"))
    again.look(T)
    assert again.user_of(token, T) is not None
    other = Sessions(database, demo_accounts("day-shift", b"secret"))
    other.look(T)
    assert other.user_of(token, T) is None
    users.add(database, "officer", ("auditor",), GOOD, ADMIN, T)
    first.look(T)
    assert first.user_of(token, T) is None
    assert first.log_in("officer", "night-shift", "a", T) is None
    assert first.log_in("officer", GOOD, "a", T) is not None
    real = Sessions(database, {})
    real.look(T)
    assert real.log_in("leader", "night-shift", "a", T) is None


def test_while_the_database_is_away(tmp_path: Path) -> None:
    """What was read last stands, and still grows old; a log-in says what is wrong instead of counting as wrong."""
    database = AlarmDatabase(f"sqlite:///{tmp_path / 'alarms.db'}", wait_s=0)
    database.migrate()
    users.add(database, "wang", ("officer",), GOOD, ADMIN, T)
    sessions = Sessions(database, {})
    token = entered(sessions)
    other = AlarmDatabase(f"sqlite:///{tmp_path / 'alarms.db'}")
    with other.write(), pytest.raises(AlarmError, match="cannot be written"):
        sessions.log_in("wang", GOOD, "a", T)
    other.close()
    with database.write() as connection:
        connection.execute(sa.text("ALTER TABLE login_session RENAME TO gone"))
    with pytest.raises(AlarmError, match="cannot be read"):
        sessions.look(T + 1)
    assert sessions.user_of(token, T + 1) is not None
    assert sessions.user_of(token, T + LONGEST_MS) is None
    database.close()


def test_machine_trouble_is_no_wrong_password(
    database: AlarmDatabase, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hash that cannot be computed, here because it is torn, is told as trouble and not as a wrong password."""
    with database.write() as connection:
        connection.execute(account.update().values(password="$argon2id$v=19$m=19456,t=2,p=1$torn$torn"))
    with pytest.raises(AlarmError, match="could not be checked"):
        sessions.log_in("wang", GOOD, "a", T)
    assert "log_in_refused" not in [act[1] for act in acts(database)]


def test_unknown_names_take_as_long() -> None:
    """There is something to compare with for them, too, and nothing fits it."""
    assert passwords.fits(None, "nobody's") is False
