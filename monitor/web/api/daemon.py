"""The daemon itself and the head of its journal: told also while it does not turn."""

from datetime import datetime

from msgspec import Struct

from monitor import __version__
from monitor.model import Entry
from monitor.web.api.operation import Asked, Desk, NoQuery


class JournalHead(Struct, frozen=True, kw_only=True):
    """The newest entry that is committed."""

    seq: int
    at: datetime
    kind: str


class DaemonNow(Struct, frozen=True, kw_only=True):
    """`alive`: loop and pipeline turn. `not_ready`: why it is not ready. `held`: a person holds all publishing.

    `store_lag_seconds` is since the newest committed entry; while the daemon turns one comes at least every 5 s.
    """

    generated_at: datetime
    version: str
    uptime_seconds: float
    alive: bool
    not_ready: str | None
    held: bool
    config_sha256: str | None
    head: JournalHead | None
    store_lag_seconds: float | None


async def now(desk: Desk, _: Asked[NoQuery, None]) -> DaemonNow:
    at, head = desk.clock.now(), await desk.records.head()
    return DaemonNow(
        generated_at=at,
        version=__version__,
        uptime_seconds=round(desk.clock.monotonic(), 3),
        alive=desk.alive(),
        not_ready=desk.ready(),
        held=await desk.records.held(),
        config_sha256=desk.config_sha256(),
        head=_shown(head),
        store_lag_seconds=None if head is None else round((at - head.observation.at).total_seconds(), 3),
    )


def _shown(head: Entry | None) -> JournalHead | None:
    if head is None:
        return None
    observed = head.observation
    return JournalHead(seq=head.seq, at=observed.at, kind=str(observed.__struct_config__.tag))
