"""Drills have a table of their own, so that no list of incidents ever holds one; and when an Alertmanager took them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "drills",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("drills_by_opening", "drills", ["opened_at"])
    op.create_table(
        "drill_pushes",
        sa.Column("drill", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
