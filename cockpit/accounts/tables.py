"""The tables of users, sessions and screens. Tokens stand here as digests only: whoever reads them cannot come in."""

import sqlalchemy as sa

from ingest.alarms.tables import metadata

account = sa.Table(
    "account",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("roles", sa.String(200), nullable=False),
    sa.Column("password", sa.String(200), nullable=False),
    sa.Column("password_at", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(64), nullable=False),
    sa.Column("disabled_at", sa.BigInteger),
    # Keys of streets and districts by commas; the whole city where there is none.
    sa.Column("areas", sa.Text, nullable=False, server_default=""),
)

# ``mark`` is that of the account's password when the session began; another password has another mark.
login_session = sa.Table(
    "login_session",
    metadata,
    sa.Column("token", sa.String(64), primary_key=True),
    sa.Column("account", sa.String(64), nullable=False, index=True),
    sa.Column("mark", sa.String(64), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Column("begun_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
)

screen = sa.Table(
    "screen",
    metadata,
    sa.Column("token", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, index=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(64), nullable=False),
    sa.Column("seen_at", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
)
sa.Index(
    "one_screen_of_a_name",
    screen.c.name,
    unique=True,
    sqlite_where=screen.c.revoked_at.is_(None),
    postgresql_where=screen.c.revoked_at.is_(None),
)
