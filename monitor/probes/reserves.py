"""What an exchange's known addresses hold on one chain, at one block; and apart from that, more often, the hot ones.

A sudden drop is evidence only when a second endpoint says the same of the same block.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from monitor.chains.ledger import Holding, Ledger, Snapshot, Token
from monitor.clock import Clock
from monitor.model import Reading, ReserveBalance
from monitor.probes.doubts import Doubts, coins
from monitor.reserves.book import WalletRole
from monitor.reserves.roles import Wallets

INTERVAL_SECONDS = 600.0


class ReservesProbe:
    """One `ReserveBalance` an asset for all wallets, and one each for the part that hot and cold ones hold.

    A total of fewer wallets than there are says so; of none, it is not given. A drop that the second endpoint does not
    confirm is a failure to look, as is one that is a thousand times more or less than before, which is how a change of
    units looks, until it was read twice. One that no asset has is never given.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        wallets: Wallets,
        tokens: Sequence[Token],
        interval: float = INTERVAL_SECONDS,
        former: Mapping[str, Decimal] = MappingProxyType({}),
    ) -> None:
        """`former` are the totals by asset that were told before a restart."""
        self.exchange = exchange
        self.name = name
        self.interval = interval
        self._ledger = ledger
        self._clock = clock
        self._wallets = wallets
        self._tokens = tuple(tokens)
        self._doubts = Doubts(ledger, exchange=exchange, name=name, former=former)

    async def observe(self) -> Reading:
        """Raises `RemoteError` where no balance at all could be read."""
        addresses = self._wallets.addresses
        read = await self._ledger.balances([Holding(address, token) for token in self._tokens for address in addresses])
        at = self._clock.now()
        height = read.head.number
        return await self._doubts.told(
            self._tokens, read, at=at, tell=lambda token, amounts: self._told(token, amounts, at=at, height=height)
        )

    def _told(self, token: Token, amounts: Mapping[Holding, int], *, at: datetime, height: int) -> list[ReserveBalance]:
        parts: dict[WalletRole | None, Sequence[str]] = {
            None: self._wallets.addresses,
            "hot": self._wallets.paying(at),
            "cold": self._wallets.cold(at),
        }
        told = [
            _balance(
                amounts,
                at=at,
                exchange=self.exchange,
                probe=self.name,
                token=token,
                network=self._ledger.network,
                role=role,
                addresses=addresses,
                height=height,
            )
            for role, addresses in parts.items()
        ]
        return [balance for balance in told if balance.wallets_read]


class HotProbe:
    """What the hot wallets hold, as often as payments are read: it is what the next withdrawal is paid from."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        interval: float,
        wallets: Wallets,
        tokens: Sequence[Token],
    ) -> None:
        self.exchange = exchange
        self.name = name
        self.interval = interval
        self._ledger = ledger
        self._clock = clock
        self._wallets = wallets
        self._tokens = tuple(tokens)
        self._doubts = Doubts(ledger, exchange=exchange, name=name)

    async def observe(self) -> Reading:
        """One `ReserveBalance` an asset with role hot; nothing where no wallet is known to be. Raises `RemoteError`."""
        hot = self._wallets.paying(self._clock.now())
        if not hot:
            return ()
        read = await self._ledger.balances([Holding(address, token) for token in self._tokens for address in hot])
        at = self._clock.now()
        return await self._doubts.told(
            self._tokens, read, at=at, tell=lambda token, amounts: [self._told(token, amounts, hot, at=at, read=read)]
        )

    def _told(
        self, token: Token, amounts: Mapping[Holding, int], hot: Sequence[str], *, at: datetime, read: Snapshot
    ) -> ReserveBalance:
        return _balance(
            amounts,
            at=at,
            exchange=self.exchange,
            probe=self.name,
            token=token,
            network=self._ledger.network,
            role="hot",
            addresses=hot,
            height=read.head.number,
        )


def _balance(
    amounts: Mapping[Holding, int],
    *,
    at: datetime,
    exchange: str,
    probe: str,
    token: Token,
    network: str,
    role: WalletRole | None,
    addresses: Sequence[str],
    height: int,
) -> ReserveBalance:
    held = [amounts[each] for address in addresses if (each := Holding(address, token)) in amounts]
    return ReserveBalance(
        at=at,
        exchange=exchange,
        probe=probe,
        asset=token.asset,
        network=network,
        role=role,
        amount=coins(sum(held), token),
        height=height,
        wallets=len(addresses),
        wallets_read=len(held),
    )
