"""One endpoint of the HTTP API of java-tron, which TronGrid has too.

Addresses go over the wire as 21 bytes in hex, whatever they look like elsewhere; amounts are sun, a millionth of a TRX.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import base58
import msgspec
from msgspec import Struct

from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Head
from monitor.chains.tron_messages import (
    Account,
    Address,
    Block,
    Blocks,
    Constant,
    ConstantCall,
    Header,
    HeaderAt,
    NewestHeader,
    Nothing,
    Number,
    Range,
    Refusal,
    TransactionInfo,
)
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

ADDRESS_PREFIX = 0x41
BLOCKS_PER_CALL = 5  # a full block is half a megabyte; java-tron allows 100

_SMALL = 4096  # bytes, of what may be a refusal: an object with `Error` alone
_WORD = re.compile(r"[0-9a-fA-F]{64}")
_ID = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"41[0-9a-fA-F]{40}")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

T = TypeVar("T")

_REFUSAL = msgspec.json.Decoder(Refusal)
_HEADER = msgspec.json.Decoder(Header)
_BLOCKS = msgspec.json.Decoder(Blocks)
_INFOS: msgspec.json.Decoder[list[TransactionInfo] | Nothing] = msgspec.json.Decoder(list[TransactionInfo] | Nothing)
_CONSTANT = msgspec.json.Decoder(Constant)


def to_hex(address: str) -> str:
    """A Tron address as it goes over the wire. Raises ValueError for what is none."""
    raw = base58.b58decode_check(address)
    if len(raw) != 21 or raw[0] != ADDRESS_PREFIX:
        raise ValueError(f"not a Tron address: {address}")
    return raw.hex()


@lru_cache(maxsize=100_000)
def from_hex(address: str) -> str:
    """The address of 21 bytes in hex as people write it; "" of what is none."""
    return base58.b58encode_check(bytes.fromhex(address)).decode() if _ADDRESS.fullmatch(address) else ""


class TronNode:
    """One endpoint. `api_key` is what TronGrid asks for beyond a few requests a second."""

    def __init__(self, http: Http, endpoint: Endpoint, *, api_key: str = "") -> None:
        self._http = http
        self._endpoint = endpoint
        self._headers = {"TRON-PRO-API-KEY": api_key} if api_key else {}

    @property
    def host(self) -> str:
        return self._endpoint.host

    async def newest(self) -> Head:
        """The newest block, not final yet."""
        return self._head(await self._ask("wallet/getblock", NewestHeader(), _HEADER.decode), "no newest block")

    async def block(self, number: int) -> Head:
        """The block at this height. Raises `RemoteError`: LAG where the node has none."""
        answer = await self._ask("wallet/getblock", HeaderAt(str(number)), _HEADER.decode)
        head = self._head(answer, f"no block {number}")
        if head.number != number:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: asked for block {number}, got {head.number}")
        return head

    async def blocks(self, first: int, last: int) -> list[Block]:
        """The blocks from `first` to `last`, whole, in order; LAG where one is missing."""
        read: list[Block] = []
        for start in range(first, last + 1, BLOCKS_PER_CALL):
            end = min(start + BLOCKS_PER_CALL, last + 1)
            answer = await self._ask("wallet/getblockbylimitnext", Range(start, end), _BLOCKS.decode)
            some = sorted(answer.block, key=lambda block: block.number)
            if [block.number for block in some] != list(range(start, end)):
                raise RemoteError(FailureReason.LAG, f"{self.host}: blocks {start} to {end - 1} are not all there")
            for block in some:
                self._assert_whole(block)
            read += some
        return read

    async def outcomes(self, block: Block) -> dict[str, TransactionInfo]:
        """What became of every transaction of `block`, by id; LAG where that is not known of each."""
        number = block.number
        if not block.transactions:
            return {}
        infos = await self._ask("wallet/gettransactioninfobyblocknum", Number(number), _INFOS.decode)
        told = {info.id: info for info in infos} if isinstance(infos, list) else {}
        if any(transaction.id not in told for transaction in block.transactions):
            raise RemoteError(FailureReason.LAG, f"{self.host}: transactions of block {number} without their outcome")
        if len(told) > len(block.transactions):
            raise RemoteError(FailureReason.SHAPE, f"{self.host}: outcomes of transactions that block {number} lacks")
        return told

    async def owned(self, address: str) -> int | None:
        """All TRX, in sun, of `address` (in hex) as of now; None where the node knows no such account.

        https://developers.tron.network/reference/account-getaccount
        """
        account = await self._ask("wallet/getaccount", Address(address), _account)
        if account is None:
            return None
        if account.address != address:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: asked for one account, got another")
        return account.owned()

    async def token_balance(self, address: str, *, contract: str) -> int | None:
        """What `balanceOf` of a TRC-20 contract tells of `address` as of now, both in hex, in smallest units.

        None where the contract tells nothing: a revert still has status 200, `result: true` and a `constant_result`.
        """
        call = ConstantCall(address, contract, "balanceOf(address)", address[2:].rjust(64, "0"))
        answer = await self._ask("wallet/triggerconstantcontract", call, _CONSTANT.decode)
        result = answer.result
        if not result.result or result.code or result.message or any(ran.ret for ran in answer.transaction.ret):
            return None
        match answer.constant_result:
            case [str() as word] if _WORD.fullmatch(word):
                return int(word, 16)
            case _:
                return None

    def _head(self, answer: Header, absent: str) -> Head:
        if not answer.id:
            raise RemoteError(FailureReason.LAG, f"{self.host}: {absent}")
        self._assert_named(answer)
        return answer.head()

    def _assert_named(self, block: Header) -> None:
        """The id of a block begins with its number, and every block but the first has a time."""
        number = block.number
        is_dated = block.header.raw_data.timestamp > 0 or number == 0
        if not _ID.fullmatch(block.id) or int(block.id[:16], 16) != number or not is_dated:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: block {number} is not {block.id:.64}")

    def _assert_whole(self, block: Block) -> None:
        self._assert_named(block)
        ids = {transaction.id for transaction in block.transactions if _ID.fullmatch(transaction.id)}
        if len(ids) < len(block.transactions) or (not ids and block.header.raw_data.transactions.strip("0")):
            raise RemoteError(FailureReason.SHAPE, f"{self.host}: transactions of block {block.number} are missing")

    async def _ask(self, path: str, question: Struct, read: Callable[[bytes], T]) -> T:
        answer = await self._http.post(
            f"{self._endpoint.url.rstrip('/')}/{path}",
            msgspec.json.encode(question),
            headers=self._headers,
            allow_private=self._endpoint.allow_private,
        )
        try:
            if len(answer.body) < _SMALL and answer.body.lstrip()[:1] == b"{":
                refusal = _REFUSAL.decode(answer.body).error
                if refusal:
                    raise RemoteError(FailureReason.SCHEMA, f"{self.host}: {path}: {refusal[:200]}")
            return read(answer.body)
        except _UNREADABLE as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: {path}: {error}") from error


def _account(body: bytes) -> Account | None:
    """An account that is not there is an empty object; any other object without an address is no answer."""
    return None if body.strip() == b"{}" else msgspec.json.decode(body, type=Account)
