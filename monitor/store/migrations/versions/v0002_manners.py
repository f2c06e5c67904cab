"""What outlives a restart: hosts that told us to stop, and pushes that must not be taken twice."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "closures",
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("port", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("refusals", sa.Integer, nullable=False),
    )
    op.create_table(
        "pushes",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
