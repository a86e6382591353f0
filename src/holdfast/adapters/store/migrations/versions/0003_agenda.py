"""What is due when, the runs that look at it, and the workers that carry them out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "agenda",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("subject", _ORDERED, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("draw", sa.Double, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("run", sa.Text),
        sa.UniqueConstraint("tenant", "job", "subject", name="one_appointment_per_subject"),
    )
    op.create_index("agenda_due", "agenda", ["tenant", "due_at"])
    op.create_index("agenda_of_run", "agenda", ["run"])
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("handed_at", sa.BigInteger, nullable=False),
        sa.Column("subjects", sa.Integer, nullable=False),
        sa.Column("booked_at", sa.BigInteger),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("attention", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
    )
    op.create_index("runs_under_way", "runs", ["booked_at", "tenant"])
    op.create_table(
        "clocks",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("beats", sa.BigInteger, nullable=False),
        sa.Column("present", sa.Integer, nullable=False),
    )
