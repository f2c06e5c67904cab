"""What an exchange's known addresses hold on one EVM network, at one block."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from monitor.chains.balances import Holding, Token
from monitor.chains.eth import Head
from monitor.chains.evm import EvmChain
from monitor.clock import Clock
from monitor.model import Reading, ReserveBalance

INTERVAL_SECONDS = 600.0


class ReservesProbe:
    """One `ReserveBalance` an asset. A total of fewer wallets than there are says so; of none, it is not given."""

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
        return tuple(totals)

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
