"""What people were told, and what is on its way to them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "threads",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("key", _ORDERED, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("event", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.Column("failed_at", sa.BigInteger),
        sa.Column("trouble", sa.Text, nullable=False),
    )
    op.create_index("deliveries_due", "deliveries", ["delivered_at", "not_before"])
