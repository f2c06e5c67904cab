"""What single wallets sent, by day: so that a restart knows which of them are hot without reading weeks of journal."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "usages",
        sa.Column("network", sa.Text, primary_key=True),
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("day", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("outgoing", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("probe", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
