"""When a post was tried and whether its channel was looked through, so that an unknown outcome can become a known one.

What was of unknown outcome before is done: nobody noted when it was tried, so there is nothing to look through.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("claimed_at", sa.BigInteger))
    op.add_column("outbox", sa.Column("searched", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("drafts_by_incident", "drafts", ["incident", "channel"])
