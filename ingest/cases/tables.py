"""The tables of cases, in the alarm database; the same on SQLite and PostgreSQL. Instants are epoch ms UTC."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from ingest.alarms.tables import metadata, occurrence

cases = Table(
    "cases",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("source", String(16), nullable=False),
    Column("reference", String(160), nullable=False),
    Column("sub_class", String(64), nullable=False, index=True),
    Column("severe", Boolean, nullable=False),
    Column("description", Text, nullable=False),
    Column("street", String(64), nullable=False, index=True),
    Column("grid", String(64), nullable=False),
    Column("place", String(200), nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("device", String(64)),
    Column("state", String(16), nullable=False, index=True),
    Column("limit_ms", BigInteger, nullable=False),
    Column("limit_version", String(16), nullable=False),
    Column("extended_ms", BigInteger, nullable=False),
    Column("suspended_ms", BigInteger, nullable=False),
    Column("suspended_at", BigInteger),
    Column("remind_at", BigInteger),
    Column("amber_at", BigInteger),
    Column("deadline_at", BigInteger, index=True),
    Column("reminded_at", BigInteger),
    Column("ambered_at", BigInteger),
    Column("overdue_at", BigInteger),
    Column("found_at", BigInteger, nullable=False),
    Column("reported_at", BigInteger, nullable=False, index=True),
    Column("reported_by", String(64), nullable=False),
    Column("registered_at", BigInteger),
    Column("registered_by", String(64)),
    Column("unit", String(64), nullable=False),
    Column("dispatched_at", BigInteger),
    Column("dispatched_by", String(64)),
    Column("handler", String(64)),
    Column("accepted_at", BigInteger),
    Column("done_at", BigInteger),
    Column("done_by", String(64)),
    Column("verified_at", BigInteger),
    Column("verified_by", String(64)),
    Column("closed_at", BigInteger),
    Column("closed_by", String(64)),
    Column("forced", Boolean, nullable=False),
    Column("force_by", String(64)),
    Column("force_at", BigInteger),
    Column("force_reason", Text, nullable=False),
    Column("reworks", Integer, nullable=False),
    Column("returns", Integer, nullable=False),
    Column("recurrence_of", String(40)),
    Column("version", Integer, nullable=False),
)
# A call or a finding that is sent twice is one case.
Index(
    "one_case_per_reference",
    cases.c.source,
    cases.c.reference,
    unique=True,
    sqlite_where=cases.c.reference != "",
    postgresql_where=cases.c.reference != "",
)
Index("ix_occurrence_case", occurrence.c.case)

evidence = Table(
    "case_evidence",
    metadata,
    Column("case", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("reference", String(300), nullable=False),
    Column("act", String(16), nullable=False),
    Column("route", String(64), nullable=False),
    Column("finding", String(64), nullable=False),
    Column("confidence", Float),
    Column("at", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
)

# Who of several processes may do a thing that only one may do.
lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("until", BigInteger, nullable=False),
)
