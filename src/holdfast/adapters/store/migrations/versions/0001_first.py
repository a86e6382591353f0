"""Scans, the things seen, and every change observed in them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "tenants",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "scans",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("tenant", sa.BigInteger, sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("skew_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("scans_of_tenant", "scans", ["tenant", "id"])
    op.create_table(
        "sweeps",
        sa.Column("scan", sa.BigInteger, sa.ForeignKey("scans.id"), primary_key=True),
        sa.Column("environment", _ORDERED, primary_key=True),
        sa.Column("part", _ORDERED, primary_key=True),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("counted", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "things",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("tenant", sa.BigInteger, sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("environment", _ORDERED, nullable=False),
        sa.Column("key", _ORDERED, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("gone_at", sa.BigInteger),
        sa.Column("facts", sa.Text, nullable=False),
        sa.UniqueConstraint("tenant", "kind", "environment", "key", name="one_row_per_thing"),
    )
    op.create_table(
        "observations",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("thing", sa.BigInteger, sa.ForeignKey("things.id"), nullable=False),
        sa.Column("scan", sa.BigInteger, sa.ForeignKey("scans.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("change", sa.Text),
    )
    op.create_index("observations_of_thing", "observations", ["thing", "id"])
