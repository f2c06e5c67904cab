"""One endpoint of Solana's JSON-RPC: https://solana.com/docs/rpc. Only confirmed blocks; amounts are lamports.

Its own codes say that a slot was skipped or that a node is behind, so they are read here.
"""

from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct, field

from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Head
from monitor.chains.solana_keys import is_key
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

ACCOUNTS_PER_CALL = 100  # what `getMultipleAccounts` takes
SIGNATURES_PER_PAGE = 100
PAGES = 500  # two hours of eight transactions a second
MOST = 2**63 - 1  # of slots, lamports or tokens; all lamports together are a tenth of it
TOKEN_BYTES = 72  # of a token account: mint, owner, and the amount as 8 bytes
LOOK_BACK_SLOTS = 50  # for the block below a skipped slot; leaders have four slots in a row

_CONFIRMED = "confirmed"
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)

# Of `rpc_custom_error.rs` of Agave.
_NOT_THERE = (-32004, -32014)  # block not available (yet)
_SKIPPED = (-32007, -32009)
_BEHIND = (-32005, -32016)  # unhealthy, and behind the slot we asked for at least
_BUSY = (429, -32429)

T = TypeVar("T")
Param = str | int | Struct | Sequence[str]
Seconds = Annotated[int, Meta(ge=0, le=253402300799)]
Slot = Annotated[int, Meta(ge=0, le=MOST)]
Lamports = Annotated[int, Meta(ge=0, le=MOST)]


class _Request(Struct):
    method: str
    params: tuple[Param, ...]
    id: int = 1
    jsonrpc: str = "2.0"


class _Refusal(Struct):
    code: int = 0
    message: str = ""


class _Answer(Struct):
    result: Raw = Raw()
    error: _Refusal | None = None


class _Commitment(Struct, rename="camel"):
    commitment: str = _CONFIRMED


class _HeaderOnly(Struct, rename="camel"):
    commitment: str = _CONFIRMED
    transaction_details: str = "none"
    rewards: bool = False
    max_supported_transaction_version: int = 0


class _Slice(Struct, frozen=True):
    offset: int = 0
    length: int = TOKEN_BYTES


class _AccountsAt(Struct, rename="camel"):
    min_context_slot: int
    commitment: str = _CONFIRMED
    encoding: str = "base64"
    data_slice: _Slice = _Slice()


class _Page(Struct, rename="camel", omit_defaults=True):
    min_context_slot: int
    limit: int
    before: str = ""
    until: str = ""
    commitment: str = field(default_factory=lambda: _CONFIRMED)  # said even so: another is the node's default


class _Whole(Struct, rename="camel"):
    commitment: str = _CONFIRMED
    encoding: str = "json"
    max_supported_transaction_version: int = 0


class _Block(Struct, rename="camel"):
    blockhash: str
    block_time: Seconds


class _Context(Struct):
    slot: Slot


class Account(Struct, frozen=True):
    lamports: Lamports
    owner: str  # the program
    data: tuple[str, str]  # its beginning in base64, and "base64"

    def token_amount(self, *, mint: bytes, owner: bytes) -> int | None:
        """What an account of a token program holds; None where it is not of this mint and owner, or too much."""
        try:
            content = b64decode(self.data[0], validate=True)
        except ValueError:
            return None
        if len(content) < TOKEN_BYTES or content[:32] != mint or content[32:64] != owner:
            return None
        amount = int.from_bytes(content[64:72], "little")
        return amount if amount <= MOST else None


class _Accounts(Struct):
    context: _Context
    value: list[Account | None]


class Signed(Struct, frozen=True):
    """A transaction that names an account."""

    signature: str
    slot: Slot


class _MessageHeader(Struct, frozen=True, rename="camel"):
    num_required_signatures: Annotated[int, Meta(ge=1)]


class _Message(Struct, frozen=True, rename="camel"):
    account_keys: Annotated[list[str], Meta(min_length=1)]
    header: _MessageHeader


class _Body(Struct, frozen=True):
    message: _Message
    signatures: Annotated[list[str], Meta(min_length=1)]


class _Loaded(Struct, frozen=True):
    writable: list[str] = []
    readonly: list[str] = []


class _Amount(Struct, frozen=True):
    amount: Annotated[str, Meta(pattern="^[0-9]{1,20}$")]


class TokenBalance(Struct, frozen=True, rename="camel"):
    account_index: Annotated[int, Meta(ge=0)]
    mint: str
    ui_token_amount: _Amount
    owner: str = ""


class _TransactionMeta(Struct, frozen=True, rename="camel"):
    """Token balances that are null or left out were not recorded: such a transaction is refused."""

    fee: Lamports
    pre_balances: list[Lamports]
    post_balances: list[Lamports]
    pre_token_balances: list[TokenBalance]
    post_token_balances: list[TokenBalance]
    loaded_addresses: _Loaded | None = None


class Transaction(Struct, frozen=True):
    """A transaction that was included, also one that failed: it paid its fee."""

    slot: Slot
    transaction: _Body
    meta: _TransactionMeta

    @property
    def id(self) -> str:
        return self.transaction.signatures[0]

    def keys(self) -> list[str]:
        """The accounts in the order of the balances: those of the message, then those of lookup tables."""
        loaded = self.meta.loaded_addresses or _Loaded()
        return [*self.transaction.message.account_keys, *loaded.writable, *loaded.readonly]

    def is_whole(self) -> bool:
        """Whether every balance is that of one of its accounts, which are told once, and all that must sign did."""
        meta, body = self.meta, self.transaction
        accounts = len(self.keys())
        listed = len(meta.pre_balances) == len(meta.post_balances) == len(set(self.keys())) == accounts
        signed = len(body.signatures) == body.message.header.num_required_signatures <= len(body.message.account_keys)
        tokens = (meta.pre_token_balances, meta.post_token_balances)
        return listed and signed and all(_are_of(accounts, balances) for balances in tokens)

    def names_keys(self) -> bool:
        """Whether all that it names as accounts, mints and owners could be."""
        tokens = [*self.meta.pre_token_balances, *self.meta.post_token_balances]
        named = {*self.keys(), *(each.mint for each in tokens), *(each.owner for each in tokens if each.owner)}
        return all(map(is_key, named))

    def signers(self) -> list[str]:
        """The first of them pays the fee."""
        message = self.transaction.message
        return message.account_keys[: message.header.num_required_signatures]


def _are_of(accounts: int, balances: Sequence[TokenBalance]) -> bool:
    """Whether each is of another of so many accounts, and not too much."""
    places = {balance.account_index for balance in balances}
    amounts = [int(balance.ui_token_amount.amount) for balance in balances]
    return len(places) == len(balances) and max(places, default=-1) < accounts and max(amounts, default=0) <= MOST


class _SkippedError(RemoteError):
    """There is no block at this slot. From a question that is not about one it is a refusal like others."""


_ANSWER = msgspec.json.Decoder(_Answer)
_TEXT = msgspec.json.Decoder(str)
_SLOT: msgspec.json.Decoder[int] = msgspec.json.Decoder(Slot)
_SLOTS: msgspec.json.Decoder[list[int]] = msgspec.json.Decoder(list[Slot])
_BLOCK = msgspec.json.Decoder(_Block)
_ACCOUNTS = msgspec.json.Decoder(_Accounts)
_SIGNED = msgspec.json.Decoder(list[Signed])
_TRANSACTION: msgspec.json.Decoder[Transaction | None] = msgspec.json.Decoder(Transaction | None)


class SolanaNode:
    def __init__(self, http: Http, endpoint: Endpoint) -> None:
        self._http = http
        self._endpoint = endpoint

    @property
    def host(self) -> str:
        return self._endpoint.host

    async def newest(self, *, genesis: str) -> Head:
        """The newest confirmed block. Raises `RemoteError`, WRONG_CHAIN where the first block is another."""
        first = await self._ask("getGenesisHash", (), _TEXT)
        if first != genesis:
            raise RemoteError(FailureReason.WRONG_CHAIN, f"{self.host}: begins with {first}, not with {genesis}")
        return await self.block(await self._ask("getSlot", (_Commitment(),), _SLOT))

    async def block(self, slot: int) -> Head:
        """The block of this slot, or the nearest below where a leader skipped it. LAG where the node has none."""
        try:
            return await self._block(slot)
        except _SkippedError:
            lowest = max(0, slot - LOOK_BACK_SLOTS)
            below = await self._ask("getBlocks", (lowest, slot, _Commitment()), _SLOTS)
        if not below:
            raise RemoteError(FailureReason.LAG, f"{self.host}: no block in the {LOOK_BACK_SLOTS} slots to {slot}")
        if not lowest <= below[-1] <= slot:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: asked for blocks to {slot}, got {below[-1]}")
        try:
            return await self._block(below[-1])
        except _SkippedError as error:
            raise RemoteError(FailureReason.LAG, f"{self.host}: slot {below[-1]} is and is not skipped") from error

    async def accounts(self, keys: Sequence[str], *, min_slot: int) -> tuple[int, list[Account | None]]:
        """At most ACCOUNTS_PER_CALL accounts, None where there is none, and the slot that they are all of.

        Raises `RemoteError`, LAG where the node has not reached `min_slot`.
        """
        answer = await self._ask("getMultipleAccounts", (keys, _AccountsAt(min_slot)), _ACCOUNTS)
        if len(answer.value) != len(keys) or answer.context.slot < min_slot:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: asked for {len(keys)} accounts at {min_slot}")
        return answer.context.slot, answer.value

    async def signatures(self, key: str, *, after: int, upto: int, until: str, most: int) -> list[Signed]:
        """The transactions above slot `after` up to `upto` that name an account, newest first, at most one over `most`.

        `until` is one at or below `after`, if any is known: a node looks no further back. Raises `RemoteError`,
        TOO_LARGE where it takes more than PAGES pages.
        """
        found: list[Signed] = []
        before = ""
        for _ in range(PAGES):
            question = _Page(upto, SIGNATURES_PER_PAGE, before=before, until=until)
            page = await self._ask("getSignaturesForAddress", (key, question), _SIGNED)
            slots = [each.slot for each in page]
            if len(page) > SIGNATURES_PER_PAGE or slots != sorted(slots, reverse=True):
                raise RemoteError(FailureReason.SCHEMA, f"{self.host}: transactions of {key} not newest first")
            if page and page[-1].signature == before:
                raise RemoteError(FailureReason.SCHEMA, f"{self.host}: transactions of {key} told again")
            found += [each for each in page if after < each.slot <= upto]
            if len(found) > most:
                return found[: most + 1]
            if len(page) < SIGNATURES_PER_PAGE or page[-1].slot <= after:
                return found
            before = page[-1].signature
        raise RemoteError(FailureReason.TOO_LARGE, f"{self.host}: over {PAGES} pages of transactions of {key}")

    async def transaction(self, listed: Signed) -> Transaction:
        """Raises `RemoteError`, LAG where the node does not have it (any more)."""
        found = await self._ask("getTransaction", (listed.signature, _Whole()), _TRANSACTION)
        if found is None:
            raise RemoteError(FailureReason.LAG, f"{self.host}: a transaction that it named is not there")
        is_it = (found.id, found.slot) == (listed.signature, listed.slot)
        if not (is_it and found.is_whole() and found.names_keys()):
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: a transaction and balances of others")
        return found

    async def _block(self, slot: int) -> Head:
        block = await self._ask("getBlock", (slot, _HeaderOnly()), _BLOCK)
        if not is_key(block.blockhash):
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: block {slot} has a hash that is none")
        return Head(number=slot, hash=block.blockhash, timestamp=datetime.fromtimestamp(block.block_time, UTC))

    async def _ask(self, method: str, params: tuple[Param, ...], decoder: msgspec.json.Decoder[T]) -> T:
        body = msgspec.json.encode(_Request(method, params))
        answer = await self._http.post(self._endpoint.url, body, allow_private=self._endpoint.allow_private)
        try:
            told = _ANSWER.decode(answer.body)
            if told.error is None:
                return decoder.decode(told.result)
        except _UNREADABLE as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: {method}: {error}") from error
        detail = f"{self.host}: {method}: {told.error.code} {told.error.message[:200]}"
        if told.error.code in _SKIPPED:
            raise _SkippedError(FailureReason.LAG, detail)
        refusal = RemoteError(_reason(told.error.code), detail)
        await self._http.heed(self._endpoint.url, refusal)
        raise refusal


def _reason(code: int) -> FailureReason:
    if code in _BUSY:
        return FailureReason.RATE_LIMITED
    return FailureReason.LAG if code in (*_NOT_THERE, *_BEHIND) else FailureReason.SCHEMA
