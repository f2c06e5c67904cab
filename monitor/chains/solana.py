"""Solana: lamports and SPL tokens of wallets, all of one slot, and their transactions, address by address.

Of a token it reads what is in the wallet's associated account, where wallets and exchanges keep it; not other token
accounts of the same owner, and not stakes, which are accounts of their own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import base58

from monitor.chains.abreast import abreast
from monitor.chains.admission import Admission
from monitor.chains.blocks import BlockLog, Transfer, Transfers
from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Head, Holding, Movements, Snapshot, Token
from monitor.chains.solana_history import Histories
from monitor.chains.solana_keys import SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, associated_account
from monitor.chains.solana_moves import SOL, Kept, transfers
from monitor.chains.solana_node import ACCOUNTS_PER_CALL, Account, SolanaNode
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

MAINNET_GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
STALE_SECONDS = 60.0  # 150 slots
KEPT_SLOTS = 9000  # an hour
TRANSACTIONS_PER_LOOK = 200  # half a minute at eight a second
ROUNDS = 8  # of asking again until all accounts are of one slot; a slot takes 0.4 s

Chunk = tuple[str, ...]
Told = tuple[int, list[Account | None]]
"""The slot, and the accounts of a chunk as of it."""


class SolanaChain:
    """`tokens` are all that are asked about; `genesis` is the hash that every endpoint must begin with.

    `transactions` is how many are read at once at most: addresses of which some are left out are not covered.
    """

    coin = SOL

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        network: str,
        endpoints: Sequence[Endpoint],
        tokens: Sequence[Token] = (),
        genesis: str = MAINNET_GENESIS,
        stale_seconds: float = STALE_SECONDS,
        transactions: int = TRANSACTIONS_PER_LOOK,
    ) -> None:
        self.network = network
        self.endpoints = len(endpoints)
        self._mints = {token.contract: token for token in tokens if token.contract}
        self._nodes = Admission(
            [SolanaNode(http, endpoint) for endpoint in endpoints],
            clock,
            network=network,
            newest=lambda node: node.newest(genesis=genesis),
            stale_seconds=stale_seconds,
        )
        # Histories are read by account: many slots cost as much as one.
        self._log = BlockLog(self, blocks=KEPT_SLOTS, stride=KEPT_SLOTS)
        self._programs: dict[str, str] = {}  # of mints, which never change theirs
        self._accounts: dict[tuple[str, str], str] = {}  # by owner and mint
        self._histories = Histories(most=transactions)

    def watch(self, addresses: Iterable[str]) -> None:
        self._log.watch(addresses)

    async def head(self) -> Head:
        return await self._nodes.head()

    async def tips(self) -> list[Head]:
        return await self._nodes.tips()

    async def block(self, number: int) -> Head:
        """The block of this slot, or the nearest below where it was skipped."""
        return await self._nodes.use(lambda node: node.block(number))

    async def balances(self, holdings: Sequence[Holding]) -> Snapshot:
        """All balances at one slot, confirmed. An account that does not exist holds nothing.

        Raises `RemoteError`, LAG where slots went by faster than all could be read.
        """

        async def read(node: SolanaNode) -> Snapshot:
            head = await self._nodes.admit(node)
            return await self._snapshot(node, holdings, min_slot=head.number)

        return await self._nodes.use(read)

    async def second(self, holdings: Sequence[Holding], *, first: Snapshot) -> Snapshot:
        """What another endpoint tells as of a later slot, less what moved since that of `first`."""

        async def read(node: SolanaNode, _: Head) -> Snapshot:
            at = await node.block(first.head.number)
            if at.hash != first.head.hash:
                raise RemoteError(FailureReason.LAG, f"{node.host}: has another block {first.head.number}")
            later = await self._snapshot(node, holdings, min_slot=first.head.number)
            addresses = {holding.address for holding in holdings}
            since = await self._read_on(node, addresses, after=first.head, upto=later.head)
            amounts = {
                holding: amount - _change(holding, since.transfers)
                for holding, amount in later.amounts.items()
                if holding.address not in since.unread
            }
            return Snapshot(head=first.head, endpoint=node.host, amounts=amounts)

        return await self._nodes.use_another(read, apart_from=first.endpoint)

    async def movements(self, addresses: Collection[str], *, after: Head, upto: Head) -> Movements:
        """What transactions did that name a wallet or its token accounts: one question for each, one a transaction."""
        return await self._log.movements(addresses, after=after, upto=upto)

    async def read(self, addresses: Collection[str], *, after: Head, upto: Head) -> Transfers:
        """What left or reached any of `addresses`, for the log of blocks. Raises `RemoteError`."""

        async def on_node(node: SolanaNode) -> Transfers:
            for head in (after, upto):
                if (await node.block(head.number)).hash != head.hash:
                    raise RemoteError(FailureReason.LAG, f"{node.host}: has another block {head.number}")
            return await self._read_on(node, addresses, after=after, upto=upto)

        return await self._nodes.use(on_node)

    async def _snapshot(self, node: SolanaNode, holdings: Sequence[Holding], *, min_slot: int) -> Snapshot:
        keys = await self._keys_of(node, holdings, min_slot=min_slot)
        slot, accounts = await _at_one_slot(node, list(dict.fromkeys(keys.values())), min_slot=min_slot)
        told = {holding: _amount(holding, accounts[key]) for holding, key in keys.items() if key in accounts}
        return Snapshot(
            head=await node.block(slot),
            endpoint=node.host,
            amounts={holding: amount for holding, amount in told.items() if amount is not None},
        )

    async def _read_on(self, node: SolanaNode, addresses: Collection[str], *, after: Head, upto: Head) -> Transfers:
        tokens = [SOL, *self._mints.values()]
        holdings = [Holding(address, token) for address in addresses for token in tokens]
        keys = await self._keys_of(node, holdings, min_slot=upto.number)
        unused = await self._unused(node, keys, min_slot=upto.number)
        by_address: dict[str, list[str]] = {address: [] for address in addresses}
        for holding, key in keys.items():
            if key not in unused:
                by_address[holding.address].append(key)
        history = await self._histories.read(node, by_address, after=after, upto=upto)
        blocks = await abreast(sorted({each.slot for each in history.transactions}), node.block)
        kept = {key: Kept(holding.address, holding.token) for holding, key in keys.items() if holding.token.contract}
        found: list[Transfer] = []
        for transaction in history.transactions:
            block = blocks.get(transaction.slot)
            if block is None or block.number != transaction.slot:  # skipped, though a transaction is in it
                raise RemoteError(FailureReason.LAG, f"{node.host}: block {transaction.slot} could not be read")
            found += transfers(transaction, block=block, kept=kept, mints=self._mints)
        mine = frozenset(addresses)
        return Transfers(transfers=[each for each in found if _touches(each, mine)], unread=history.unread)

    async def _unused(self, node: SolanaNode, keys: Mapping[Holding, str], *, min_slot: int) -> set[str]:
        """Token accounts that were never there as far as we know, and are not now: nothing names them."""
        tokens = [key for holding, key in keys.items() if holding.token.contract and not self._histories.knows(key)]
        chunks = _chunks(tokens)
        told = await _told(node, chunks, min_slot=min_slot)
        return {
            key
            for chunk, (_, accounts) in told.items()
            for key, account in zip(chunk, accounts, strict=True)
            if account is None
        }

    async def _keys_of(self, node: SolanaNode, holdings: Sequence[Holding], *, min_slot: int) -> dict[Holding, str]:
        """The account that holds each: the wallet itself, or its account for the token; none where we know no mint."""
        await self._learn_programs(node, min_slot=min_slot)
        keys: dict[Holding, str] = {}
        for holding in holdings:
            mint = holding.token.contract
            if mint is None:
                keys[holding] = holding.address
            elif mint in self._programs:
                known = self._accounts.get((holding.address, mint))
                if known is None:
                    known = associated_account(holding.address, mint=mint, program=self._programs[mint])
                    self._accounts[holding.address, mint] = known
                keys[holding] = known
        return keys

    async def _learn_programs(self, node: SolanaNode, *, min_slot: int) -> None:
        mints = [mint for mint in self._mints if mint not in self._programs]
        if not mints:
            return
        _, accounts = await node.accounts(mints, min_slot=min_slot)
        for mint, account in zip(mints, accounts, strict=True):
            if account and account.owner in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
                self._programs[mint] = account.owner


async def _told(node: SolanaNode, chunks: Sequence[Chunk], *, min_slot: int) -> dict[Chunk, Told]:
    return await abreast(chunks, lambda chunk: node.accounts(chunk, min_slot=min_slot))


def _chunks(keys: Sequence[str]) -> list[Chunk]:
    return [tuple(keys[start : start + ACCOUNTS_PER_CALL]) for start in range(0, len(keys), ACCOUNTS_PER_CALL)]


async def _at_one_slot(
    node: SolanaNode, keys: Sequence[str], *, min_slot: int
) -> tuple[int, dict[str, Account | None]]:
    """Accounts as of one slot. An account that could not be read is missing; None is one that does not exist."""
    chunks = _chunks(keys)
    for _ in range(ROUNDS):
        told = await _told(node, chunks, min_slot=min_slot)
        slots = {slot for slot, _ in told.values()}
        if len(slots) <= 1:
            accounts = {key: each for chunk, (_, some) in told.items() for key, each in zip(chunk, some, strict=True)}
            return max(slots, default=min_slot), accounts
        min_slot = max(slots)
    raise RemoteError(FailureReason.LAG, f"{node.host}: {len(keys)} accounts are of {len(slots)} slots")


def _amount(holding: Holding, account: Account | None) -> int | None:
    if account is None:
        return 0
    mint = holding.token.contract
    if mint is None:
        return account.lamports
    if account.owner == SYSTEM_PROGRAM:  # somebody sent lamports to where a token account could be
        return 0
    if account.owner not in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
        return None
    return account.token_amount(mint=base58.b58decode(mint), owner=base58.b58decode(holding.address))


def _touches(transfer: Transfer, own: Collection[str]) -> bool:
    return any(address in own for address, _ in (*transfer.sources, *transfer.destinations))


def _change(holding: Holding, moved: Sequence[Transfer]) -> int:
    return sum(
        sign * amount
        for transfer in moved
        if transfer.token.contract == holding.token.contract
        for sign, shares in ((-1, transfer.sources), (1, transfer.destinations))
        for address, amount in shares
        if address == holding.address
    )
