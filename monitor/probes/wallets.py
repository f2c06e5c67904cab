"""Outgoing transactions of an exchange on one EVM network, from the nonces of all its known addresses.

Which wallets are hot shows itself: those that send.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from monitor.chains.evm import EvmChain
from monitor.chains.ledger import Head
from monitor.chains.times import block_before
from monitor.clock import Clock
from monitor.model import FailureReason, Reading, RemoteError, WalletActivity
from monitor.probes.doubts import coins
from monitor.probes.usage import usages
from monitor.reserves.flows import tally
from monitor.reserves.roles import Wallets

LOOK_BACK_BLOCKS = 127  # geth keeps the state of its newest 128 blocks
_POINTS = (64, 32, 16, 8, 4)  # blocks before the head at which a first start reads too


class _Seen(Struct, frozen=True):
    head: Head
    nonces: dict[str, int]


class WalletsProbe:
    """`since` is the time of this probe's last committed reading; None at the first start.

    A reading sums all addresses (`wallet` is None). It is empty while no block has a later time: without time on the
    chain there is neither coverage nor silence, and what was sent is counted by the next reading.
    """

    def __init__(
        self,
        chain: EvmChain,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        interval: float,
        wallets: Wallets,
        since: datetime | None,
    ) -> None:
        self.exchange = exchange
        self.name = name
        self.interval = interval
        self._chain = chain
        self._clock = clock
        self._wallets = wallets
        self._addresses = wallets.addresses
        self._since = since
        self._seen: _Seen | None = None
        self._nonces: dict[str, int] = {}  # newest of each address, however old
        self._senders: dict[str, datetime] = {}

    async def history(self) -> list[Reading]:
        """What happened before the start, oldest first, each reading at its block's time.

        At a first start the last 128 blocks in a few steps; later one reading from the last committed one to now, as
        far as 128 blocks reach. To be called once, before `observe`. Raises `RemoteError`.
        """
        seen = await self._look_back(_POINTS if self._since is None else ())
        told = [self._advance(moment, at=moment.head.timestamp, head_age_seconds=None) for moment in seen]
        return [(activity,) for activity in told if activity is not None]

    async def observe(self) -> Reading:
        """One `WalletActivity`, or nothing where there is no new block. Raises `RemoteError`."""
        if self._seen is None:
            seen = await self._look_back(())
        else:
            seen = [await self._look(await self._chain.head())]
        before, now = self._seen, self._clock.now()
        activity: WalletActivity | None = None
        for moment in seen:
            age = max(0.0, (now - moment.head.timestamp).total_seconds())
            activity = self._advance(moment, at=now, head_age_seconds=age)
        if activity is None:
            return ()
        if before is not None and activity.outgoing:
            activity = replace(activity, amount=await self._amount(before.head, seen[-1].head))
        return (activity, *usages(self._wallets, at=now, exchange=self.exchange, probe=self.name, ledger=self._chain))

    async def _amount(self, after: Head, upto: Head) -> Decimal | None:
        """Coins of the network's own that were sent; None where whole blocks are not read, or could not be."""
        if not self._chain.whole_blocks:
            return None
        try:
            moves = await self._chain.movements(self._addresses, after=after, upto=upto)
        except RemoteError:
            return None  # the count stands without it
        told = tally(moves.moves, own=self._addresses, cold=(), labelled=())
        coin = self._chain.coin
        return coins(sum(each.outflow for each in told if each.token == coin), coin)

    def _advance(self, moment: _Seen, *, at: datetime, head_age_seconds: float | None) -> WalletActivity | None:
        before = self._seen
        if before is not None and moment.head.timestamp <= before.head.timestamp:
            return None
        self._seen = moment
        self._note_senders(moment)
        if before is None:
            return None
        sent = {
            address: max(0, nonce - before.nonces[address])
            for address, nonce in moment.nonces.items()
            if address in before.nonces
        }
        if not sent:
            return None
        return WalletActivity(
            at=at,
            exchange=self.exchange,
            probe=self.name,
            network=self._chain.network,
            outgoing=sum(sent.values()),
            last_at=max(self._senders.values(), default=None),
            window_seconds=(moment.head.timestamp - before.head.timestamp).total_seconds(),
            coverage=self._coverage(sent),
            head_age_seconds=head_age_seconds,
        )

    def _note_senders(self, moment: _Seen) -> None:
        at = moment.head.timestamp
        self._wallets.watched(at)
        for address, nonce in moment.nonces.items():
            known = self._nonces.get(address, nonce)
            if nonce > known:
                self._senders[address] = at
                self._wallets.sent(address, nonce - known, at=at)
            self._wallets.sent_ever(address, nonce)
        self._nonces |= moment.nonces

    def _coverage(self, read: Mapping[str, int]) -> float:
        """The share read of the addresses that ever sent; one never read may be such an address."""
        matter = [address for address in self._addresses if self._nonces.get(address) != 0] or self._addresses
        return sum(address in read for address in matter) / len(matter)

    async def _look(self, head: Head) -> _Seen:
        return _Seen(head, await self._chain.nonces(self._addresses, at=head.number))

    async def _look_back(self, points: Sequence[int]) -> list[_Seen]:
        """Moments to compare, oldest first: where we left off, `points` blocks before the head, the head."""
        head = await self._chain.head()
        newest = await self._look(head)
        oldest = await self._oldest(head)
        if oldest is None:
            return [newest]
        numbers = [head.number - point for point in points if head.number - point > oldest.head.number]
        between = [await self._between(oldest, newest, number=number) for number in numbers]
        return [oldest, *(moment for moment in between if moment is not None), newest]

    async def _oldest(self, head: Head) -> _Seen | None:
        """The oldest moment to look at that the node still knows; None where there is none before the head."""
        reach = min(LOOK_BACK_BLOCKS, head.number)
        if self._since is not None:
            reach = head.number - (await block_before(self._chain, self._since, head=head, depth=reach)).number
        for depth in (reach, *(point for point in _POINTS if point < reach)):
            nonces = await self._nonces_if_kept(self._addresses, number=head.number - depth) if depth else None
            if nonces is not None:
                return _Seen(await self._chain.block(head.number - depth), nonces)
        return None

    async def _between(self, oldest: _Seen, newest: _Seen, *, number: int) -> _Seen | None:
        """A moment in which only addresses that moved need asking; None where the node no longer knows it."""
        both = [address for address in oldest.nonces if address in newest.nonces]
        moved = [address for address in both if oldest.nonces[address] != newest.nonces[address]]
        resting = {address: oldest.nonces[address] for address in both if address not in moved}
        nonces = await self._nonces_if_kept(moved, number=number)
        return None if nonces is None else _Seen(await self._chain.block(number), resting | nonces)

    async def _nonces_if_kept(self, addresses: Sequence[str], *, number: int) -> dict[str, int] | None:
        try:
            return await self._chain.nonces(addresses, at=number)
        except RemoteError as error:
            if error.reason is FailureReason.SCHEMA:  # answered, but the state of that block is gone
                return None
            raise
