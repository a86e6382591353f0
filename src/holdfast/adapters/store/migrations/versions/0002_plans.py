"""Plans, what was done about them, and whose turn it is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "plans",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("plan", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "deeds",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("saga", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("says", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("deeds_of_plan", "deeds", ["tenant", "plan", "id"])
    op.create_table(
        "turns",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
