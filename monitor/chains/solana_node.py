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
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

ACCOUNTS_PER_CALL = 100  # what `getMultipleAccounts` takes
SIGNATURES_PER_PAGE = 100
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
Slot = Annotated[int, Meta(ge=0)]


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
    lamports: int
    owner: str  # the program
    data: tuple[str, str]  # its beginning in base64, and "base64"

    def token_amount(self, *, mint: bytes, owner: bytes) -> int | None:
        """What an account of a token program holds; None where it is not of this mint and owner."""
        try:
            content = b64decode(self.data[0], validate=True)
        except ValueError:
            return None
        if len(content) < TOKEN_BYTES or content[:32] != mint or content[32:64] != owner:
            return None
        return int.from_bytes(content[64:72], "little")


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
    fee: int
    pre_balances: list[int]
    post_balances: list[int]
    pre_token_balances: list[TokenBalance] | None = None
    post_token_balances: list[TokenBalance] | None = None
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
        """Whether every balance is that of one of its accounts."""
        meta = self.meta
        tokens = [*(meta.pre_token_balances or []), *(meta.post_token_balances or [])]
        accounts = len(self.keys())
        listed = len(meta.pre_balances) == len(meta.post_balances) == accounts
        return listed and all(balance.account_index < accounts for balance in tokens)

    def signers(self) -> list[str]:
        """The first of them pays the fee."""
        message = self.transaction.message
        return message.account_keys[: message.header.num_required_signatures]


class _SkippedError(Exception):
    """There is no block at this slot."""


_ANSWER = msgspec.json.Decoder(_Answer)
_TEXT = msgspec.json.Decoder(str)
_NUMBER = msgspec.json.Decoder(int)
_NUMBERS = msgspec.json.Decoder(list[int])
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
        return await self.block(await self._ask("getSlot", (_Commitment(),), _NUMBER))

    async def block(self, slot: int) -> Head:
        """The block of this slot, or the nearest below where a leader skipped it. LAG where the node has none."""
        try:
            return await self._block(slot)
        except _SkippedError:
            below = await self._ask("getBlocks", (max(0, slot - LOOK_BACK_SLOTS), slot, _Commitment()), _NUMBERS)
        if not below:
            raise RemoteError(FailureReason.LAG, f"{self.host}: no block in the {LOOK_BACK_SLOTS} slots to {slot}")
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

        `until` is one at or below `after`, if any is known: a node looks no further back.
        """
        found: list[Signed] = []
        before = ""
        while True:
            question = _Page(upto, SIGNATURES_PER_PAGE, before=before, until=until)
            page = await self._ask("getSignaturesForAddress", (key, question), _SIGNED)
            found += [each for each in page if after < each.slot <= upto]
            if len(found) > most:
                return found[: most + 1]
            if len(page) < SIGNATURES_PER_PAGE or page[-1].slot <= after:
                return found
            before = page[-1].signature

    async def transaction(self, signature: str) -> Transaction:
        """Raises `RemoteError`, LAG where the node does not have it (any more)."""
        found = await self._ask("getTransaction", (signature, _Whole()), _TRANSACTION)
        if found is None:
            raise RemoteError(FailureReason.LAG, f"{self.host}: a transaction that it named is not there")
        if found.id != signature or not found.is_whole():
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: a transaction and balances of others")
        return found

    async def _block(self, slot: int) -> Head:
        block = await self._ask("getBlock", (slot, _HeaderOnly()), _BLOCK)
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
        if told.error.code in _SKIPPED:
            raise _SkippedError
        detail = f"{self.host}: {method}: {told.error.code} {told.error.message[:200]}"
        refusal = RemoteError(_reason(told.error.code), detail)
        await self._http.heed(self._endpoint.url, refusal)
        raise refusal


def _reason(code: int) -> FailureReason:
    if code in _BUSY:
        return FailureReason.RATE_LIMITED
    return FailureReason.LAG if code in (*_NOT_THERE, *_BEHIND) else FailureReason.SCHEMA
