"""Incidents can be asked for by their severity: it stands beside their bodies, for those that are there too."""

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_incidents = sa.table(
    "incidents", sa.column("id", sa.Text), sa.column("severity", sa.Text), sa.column("body", sa.LargeBinary)
)


class _Kept(msgspec.Struct):
    severity: str


def upgrade() -> None:
    op.add_column("incidents", sa.Column("severity", sa.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    decoder = msgspec.msgpack.Decoder(_Kept)
    for name, body in connection.execute(sa.select(_incidents.c.id, _incidents.c.body)).all():
        row = sa.update(_incidents).where(_incidents.c.id == name)
        connection.execute(row.values(severity=decoder.decode(body).severity))
