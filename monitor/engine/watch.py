"""Which rails of an exchange are watched: those that were configured, or the usual ones that its lists name."""

from monitor.engine.detectors.sources import Rails
from monitor.model import Direction, Judging, Rail, WatchedRail

DEFAULT = (
    WatchedRail(asset="BTC", network="bitcoin"),
    WatchedRail(asset="ETH", network="ethereum"),
    WatchedRail(asset="USDT", network="ethereum"),
    WatchedRail(asset="USDT", network="tron"),
    WatchedRail(asset="USDC", network="ethereum"),
    WatchedRail(asset="SOL", network="solana"),
    WatchedRail(asset="XRP", network="xrp"),
    WatchedRail(asset="TRX", network="tron"),
    WatchedRail(asset="BNB", network="bsc"),
)


def watched_rails(exchange: str, *, judging: Judging, rails: Rails) -> dict[Rail, float]:
    """Watched rail -> weight. A configured rail is watched whether or not a list names it."""
    configured = judging.watched.get(exchange)
    if configured is not None:
        return {Rail(w.asset, w.network): w.weight for w in configured}
    named = set(rails.names(Direction.WITHDRAWAL))
    usual = {Rail(w.asset, w.network): w.weight for w in DEFAULT}
    return {r: weight for r, weight in usual.items() if r in named or Rail(r.asset, "*") in named}
