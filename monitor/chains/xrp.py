"""The XRP Ledger: balances of accounts at a validated ledger, which is final, and what moved between two of them.

Only XRP. What others owe to an account (tokens of issuers) is not read.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from monitor.chains.abreast import abreast
from monitor.chains.admission import Admission
from monitor.chains.blocks import BlockLog, Transfer, Transfers
from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Head, Holding, Movements, Snapshot
from monitor.chains.xrp_moves import XRP, is_whole, transfers
from monitor.chains.xrp_node import UNREADABLE, Account, Entry, XrpNode
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

STALE_SECONDS = 60.0  # 15 ledgers
KEPT_LEDGERS = 2000  # two hours
REMEMBERED_LEDGERS = 4  # whose accounts need not be asked again


class XrpChain:
    """`network_id` is 0 for the main network."""

    coin = XRP

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        network: str,
        endpoints: Sequence[Endpoint],
        network_id: int = 0,
        stale_seconds: float = STALE_SECONDS,
    ) -> None:
        self.network = network
        self.endpoints = len(endpoints)
        self._nodes = Admission(
            [XrpNode(http, endpoint) for endpoint in endpoints],
            clock,
            network=network,
            newest=lambda node: node.newest(network_id=network_id),
            stale_seconds=stale_seconds,
        )
        # Histories are read by account: many ledgers cost as much as one.
        self._log = BlockLog(self, blocks=KEPT_LEDGERS, stride=KEPT_LEDGERS)
        self._accounts: dict[tuple[str, str], dict[str, Account | None]] = {}  # by host and ledger, newest last

    def watch(self, addresses: Iterable[str]) -> None:
        self._log.watch(addresses)

    async def head(self) -> Head:
        return await self._nodes.head()

    async def tips(self) -> list[Head]:
        return await self._nodes.tips()

    async def block(self, number: int) -> Head:
        return await self._nodes.use(lambda node: node.ledger(number))

    async def balances(self, holdings: Sequence[Holding]) -> Snapshot:
        """All balances at the newest validated ledger. An account that is not in it holds nothing."""

        async def read(node: XrpNode) -> Snapshot:
            return await self._snapshot(node, holdings, at=await self._nodes.admit(node))

        return await self._nodes.use(read)

    async def second(self, holdings: Sequence[Holding], *, first: Snapshot) -> Snapshot:
        """The same at the same ledger; DISAGREEMENT where another endpoint has another ledger of that index."""

        async def read(node: XrpNode, _: Head) -> Snapshot:
            at = await node.ledger(first.head.number)
            if at.hash != first.head.hash:
                raise RemoteError(FailureReason.DISAGREEMENT, f"{node.host}: has another ledger {at.number}")
            return await self._snapshot(node, holdings, at=at)

        return await self._nodes.use_another(read, apart_from=first.endpoint)

    async def movements(self, addresses: Collection[str], *, after: Head, upto: Head) -> Movements:
        """Every change of a balance. XRP that went into an escrow or a channel is a payment to "".

        Asks each account for the ledger that last changed it, and only those that changed for their history.
        """
        return await self._log.movements(addresses, after=after, upto=upto)

    async def read(self, addresses: Collection[str], *, after: Head, upto: Head) -> Transfers:
        """What left or reached any of `addresses`, for the log of blocks. Raises `RemoteError`."""

        async def on_node(node: XrpNode) -> Transfers:
            for head in (after, upto):
                if (await node.ledger(head.number)).hash != head.hash:
                    raise RemoteError(FailureReason.LAG, f"{node.host}: has another ledger {head.number}")
            accounts = await self._accounts_at(node, addresses, at=upto)
            # An account that is not there any more, or not yet again, may have been there in between.
            changed = [each for each, found in accounts.items() if found is None or found.touched_in > after.number]
            histories = await abreast(
                changed, lambda account: node.history(account, first=after.number + 1, last=upto.number)
            )
            unread = {address for address in addresses if address not in accounts}
            unread |= {
                address
                for address in changed
                if address not in histories
                or not is_whole(histories[address], accounts[address], address=address, after=after.number)
            }
            found = await _told(node, {entry.tx.hash: entry for each in histories.values() for entry in each})
            return Transfers(transfers=found, unread=frozenset(unread))

        return await self._nodes.use(on_node)

    async def _snapshot(self, node: XrpNode, holdings: Sequence[Holding], *, at: Head) -> Snapshot:
        addresses = [holding.address for holding in holdings if holding.token.contract is None]
        accounts = await self._accounts_at(node, addresses, at=at)
        amounts: dict[Holding, int] = {}
        for holding in holdings:
            if holding.token.contract is None and holding.address in accounts:
                account = accounts[holding.address]
                amounts[holding] = int(account.balance) if account else 0
        return Snapshot(head=at, endpoint=node.host, amounts=amounts)

    async def _accounts_at(
        self, node: XrpNode, addresses: Collection[str], *, at: Head
    ) -> Mapping[str, Account | None]:
        known = self._accounts.setdefault((node.host, at.hash), {})
        while len(self._accounts) > REMEMBERED_LEDGERS:
            del self._accounts[next(iter(self._accounts))]
        wanted = [address for address in dict.fromkeys(addresses) if address not in known]
        known |= await abreast(wanted, lambda address: node.account(address, ledger=at.number))
        return {address: known[address] for address in addresses if address in known}


async def _told(node: XrpNode, entries: Mapping[str, Entry]) -> list[Transfer]:
    """What transactions did, in the order of the ledger."""
    numbers = sorted({entry.tx.ledger_index for entry in entries.values()})
    ledgers = await abreast(numbers, node.ledger)
    if len(ledgers) < len(numbers):
        raise RemoteError(FailureReason.LAG, f"{node.host}: {len(numbers) - len(ledgers)} ledgers could not be read")
    told: list[Transfer] = []
    for entry in sorted(entries.values(), key=lambda entry: (entry.tx.ledger_index, entry.meta.transaction_index)):
        try:
            told += transfers(entry, block=ledgers[entry.tx.ledger_index])
        except UNREADABLE as error:
            raise RemoteError(FailureReason.SCHEMA, f"{node.host}: {entry.tx.hash}: {error}") from error
    return told
