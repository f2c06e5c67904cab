"""Balances that leap or drop: believed when a second endpoint says the same of the same block, else not yet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from monitor.chains.ledger import Holding, Ledger, Snapshot, Token
from monitor.model import FailureReason, ProbeFailure, Reading, RemoteError, ReserveBalance
from monitor.probes.answer import is_leap
from monitor.probes.figures import MOST_COINS

DROP_SHARE = 0.05  # of an asset; a smaller drop cannot page, and a second look at each would double the load


class Doubts:
    """What was believed last, an asset each. Where there is one endpoint, what leapt is believed when read twice.

    `former` are the totals, by asset, that were believed before a restart.
    """

    def __init__(
        self, ledger: Ledger, *, exchange: str, name: str, former: Mapping[str, Decimal] = MappingProxyType({})
    ) -> None:
        self._former = dict(former)
        self._ledger = ledger
        self._exchange = exchange
        self._name = name
        self._believed: dict[Token, dict[Holding, int]] = {}
        self._waiting: dict[Token, int] = {}

    async def told(
        self,
        tokens: Iterable[Token],
        read: Snapshot,
        *,
        at: datetime,
        tell: Callable[[Token, Mapping[Holding, int]], Iterable[ReserveBalance]],
    ) -> Reading:
        """Of each token that was read what `tell` makes of it, or why it is not believed."""
        reading: list[ReserveBalance | ProbeFailure] = []
        for token in tokens:
            amounts = {holding: amount for holding, amount in read.amounts.items() if holding.token == token}
            if not amounts:
                continue
            failure = await self._of(token, amounts, read=read, at=at)
            reading += tell(token, amounts) if failure is None else [failure]
        return tuple(reading)

    async def _of(
        self, token: Token, amounts: dict[Holding, int], *, read: Snapshot, at: datetime
    ) -> ProbeFailure | None:
        """Why these balances are not believed; None where they are."""
        doubt = await self._doubt(token, amounts, read)
        if doubt is None:
            self._believed[token] = self._believed.get(token, {}) | amounts  # one that was not read is as it was
            return None
        return ProbeFailure(
            at=at,
            exchange=self._exchange,
            probe=self._name,
            reason=doubt.reason,
            detail=doubt.detail,
            asset=token.asset,
            network=self._ledger.network,
        )

    async def _doubt(self, token: Token, amounts: dict[Holding, int], read: Snapshot) -> RemoteError | None:
        if coins(sum(amounts.values()), token) > MOST_COINS:
            return RemoteError(FailureReason.SCHEMA, "more coins than any asset has")
        if token not in self._believed:
            return await self._doubt_first(token, amounts, read)
        believed = self._believed[token]
        both = [holding for holding in amounts if holding in believed]
        before, now = sum(believed[holding] for holding in both), sum(amounts[holding] for holding in both)
        if not is_leap(coins(before, token), coins(now, token)) and before - now <= DROP_SHARE * before:
            self._waiting.pop(token, None)
            return None
        if self._ledger.endpoints > 1:
            changed = [holding for holding in both if amounts[holding] != believed[holding]]
            return await self._unconfirmed(changed, amounts, read)
        return self._unrepeated(token, now)

    async def _doubt_first(self, token: Token, amounts: dict[Holding, int], read: Snapshot) -> RemoteError | None:
        """Of a first reading nothing is known by wallet, only what all of them held before we stopped."""
        total = sum(amounts.values())
        former, now = self._former.get(token.asset), coins(total, token)
        if former is None or (not is_leap(former, now) and now >= former * (1 - Decimal(str(DROP_SHARE)))):
            return None
        if self._ledger.endpoints > 1:
            return await self._unconfirmed(list(amounts), amounts, read)
        return self._unrepeated(token, total)

    def _unrepeated(self, token: Token, now: int) -> RemoteError | None:
        waited = self._waiting.pop(token, None)
        if waited is not None and abs(now - waited) <= DROP_SHARE * waited:
            return None
        self._waiting[token] = now
        return RemoteError(FailureReason.DISAGREEMENT, "it leapt, and there is but one endpoint: to be read again")

    async def _unconfirmed(
        self, changed: Sequence[Holding], amounts: Mapping[Holding, int], read: Snapshot
    ) -> RemoteError | None:
        try:
            other = await self._ledger.second(changed, first=read)
        except RemoteError as error:
            return RemoteError(FailureReason.DISAGREEMENT, f"a change that no second endpoint confirms: {error.detail}")
        unlike = [holding for holding in changed if other.amounts.get(holding) != amounts[holding]]
        if not unlike:
            return None
        detail = f"{read.endpoint} and {other.endpoint} tell {len(unlike)} of {len(changed)} balances differently"
        return RemoteError(FailureReason.DISAGREEMENT, f"{detail} at block {read.head.number}")


def coins(units: int, token: Token) -> Decimal:
    """Whole coins of so many of the smallest unit, exactly."""
    return Decimal(f"{units}e-{token.decimals}")
