"""What an exchange's known addresses hold on one EVM network, at one block."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from monitor.chains.evm import EvmChain
from monitor.chains.ledger import Head, Holding, Token
from monitor.clock import Clock
from monitor.model import FailureReason, ProbeFailure, Reading, ReserveBalance
from monitor.probes.answer import is_leap

INTERVAL_SECONDS = 600.0
MOST_COINS = Decimal(10) ** 30


class ReservesProbe:
    """One `ReserveBalance` an asset. A total of fewer wallets than there are says so; of none, it is not given.

    One that is a thousand times more or less than before, which is how a change of units looks, waits for a second
    reading that says the same; one that no asset has is never given.
    """

    def __init__(
        self,
        chain: EvmChain,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        addresses: Sequence[str],
        tokens: Sequence[Token],
        interval: float = INTERVAL_SECONDS,
    ) -> None:
        self.exchange = exchange
        self.name = name
        self.interval = interval
        self._chain = chain
        self._clock = clock
        self._addresses = tuple(addresses)
        self._tokens = tuple(tokens)
        self._given: dict[str, Decimal] = {}
        self._waiting: dict[str, Decimal] = {}

    async def observe(self) -> Reading:
        """Raises `RemoteError` where no balance at all could be read."""
        head = await self._chain.head()
        holdings = [Holding(address, token) for token in self._tokens for address in self._addresses]
        balances = await self._chain.balances(holdings, head=head)
        at = self._clock.now()
        totals = []
        for token in self._tokens:
            amounts = [amount for holding, amount in balances.items() if holding.token == token]
            if amounts:
                totals.append(self._total(token, amounts, at=at, head=head))
        return tuple(self._believed(total) for total in totals)

    def _believed(self, total: ReserveBalance) -> ReserveBalance | ProbeFailure:
        asset, amount = total.asset, total.amount
        if amount > MOST_COINS:
            return self._doubt(total, FailureReason.SCHEMA, "more coins than any asset has")
        given, waiting = self._given.get(asset, amount), self._waiting.get(asset)
        if is_leap(given, amount) and (waiting is None or is_leap(waiting, amount)):
            self._waiting[asset] = amount
            return self._doubt(total, FailureReason.DISAGREEMENT, "a thousand times what it was: to be read again")
        self._waiting.pop(asset, None)
        self._given[asset] = amount
        return total

    def _doubt(self, total: ReserveBalance, reason: FailureReason, detail: str) -> ProbeFailure:
        return ProbeFailure(
            at=total.at,
            exchange=self.exchange,
            probe=self.name,
            reason=reason,
            detail=detail,
            asset=total.asset,
            network=total.network,
        )

    def _total(self, token: Token, amounts: Sequence[int], *, at: datetime, head: Head) -> ReserveBalance:
        return ReserveBalance(
            at=at,
            exchange=self.exchange,
            probe=self.name,
            asset=token.asset,
            network=self._chain.network,
            amount=Decimal(f"{sum(amounts)}e-{token.decimals}"),
            height=head.number,
            wallets=len(self._addresses),
            wallets_read=len(amounts),
        )
