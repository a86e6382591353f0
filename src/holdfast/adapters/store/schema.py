"""The tables of the newest revision. Instants are UTC epoch milliseconds; no column can hold a raw payload.

`observations` is the truth and only ever grows: each row says what was new about one thing. `things` is its
sum so far, kept so that today's inventory is one read.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

REVISION = "0004"
"""The revision these tables have; the newest file in `migrations/versions` says the same."""

metadata = MetaData()

# SQLite numbers rows by itself only where the key is exactly INTEGER.
_ROW_ID = BigInteger().with_variant(Integer, "sqlite")

# Read in pages by these, in the same order everywhere, whatever language the server was set up for.
_ORDERED = Text().with_variant(Text(collation="C"), "postgresql")

tenants = Table(
    "tenants",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

scans = Table(
    "scans",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("tenant", BigInteger, ForeignKey("tenants.id"), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("skew_ms", BigInteger, nullable=False),
    Index("scans_of_tenant", "tenant", "id"),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("scan", BigInteger, ForeignKey("scans.id"), primary_key=True),
    Column("environment", _ORDERED, primary_key=True),
    Column("part", _ORDERED, primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("counted", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
)

things = Table(
    "things",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("tenant", BigInteger, ForeignKey("tenants.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("environment", _ORDERED, nullable=False),
    Column("key", _ORDERED, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("gone_at", BigInteger),
    Column("facts", Text, nullable=False),
    UniqueConstraint("tenant", "kind", "environment", "key", name="one_row_per_thing"),
)

observations = Table(
    "observations",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("thing", BigInteger, ForeignKey("things.id"), nullable=False),
    Column("scan", BigInteger, ForeignKey("scans.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("change", Text),
    Index("observations_of_thing", "thing", "id"),
)

plans = Table(
    "plans",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("document", Text, nullable=False),
)

deeds = Table(
    "deeds",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("saga", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("says", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("deeds_of_plan", "tenant", "plan", "id"),
)

turns = Table(
    "turns",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
)

agenda = Table(
    "agenda",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("subject", _ORDERED, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("draw", Double, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("run", Text),
    UniqueConstraint("tenant", "job", "subject", name="one_appointment_per_subject"),
    Index("agenda_due", "tenant", "due_at"),
    Index("agenda_of_run", "run"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("handed_at", BigInteger, nullable=False),
    Column("subjects", Integer, nullable=False),
    Column("booked_at", BigInteger),
    Column("worker", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("attention", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Index("runs_under_way", "booked_at", "tenant"),
)

clocks = Table(
    "clocks",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("beats", BigInteger, nullable=False),
    Column("present", Integer, nullable=False),
)

threads = Table(
    "threads",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("key", _ORDERED, primary_key=True),
    Column("content", Text, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("event", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("delivered_at", BigInteger),
    Column("failed_at", BigInteger),
    Column("trouble", Text, nullable=False),
    Index("deliveries_due", "delivered_at", "not_before"),
)
