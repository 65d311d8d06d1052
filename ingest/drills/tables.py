"""The table of exercises, in the alarm database; the same on SQLite and PostgreSQL. Instants are epoch ms UTC."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from ingest.alarms.tables import metadata

# ``about`` is the JSON of what the scenario said of itself as it began, ``report`` that of what came of it.
drill = Table(
    "drill",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("scenario", String(64), nullable=False),
    Column("about", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("led_by", String(64), nullable=False),
    Column("started_at", BigInteger, nullable=False, index=True),
    # Until when the cockpit that plays it is known to have been there.
    Column("beat_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", String(64)),
    Column("outcome", String(16)),
    Column("sentence", Text, nullable=False),
    Column("report", Text),
)
