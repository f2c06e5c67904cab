"""A staged EVM chain: the Ethereum JSON-RPC methods that show blocks, nonces and balances, and nothing else.

Shapes and errors follow the execution API specification, EIP-1898 and JSON-RPC 2.0. No contract exists here: calls
and code answer "0x", which is not a zero.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from monitor.replay.payments import SENDERS, Network, Payments
from monitor.replay.script import Script

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
RESOURCE_NOT_FOUND = -32001  # recommended by EIP-1898 for a block that is not there

SAFE_DEPTH = 32
FINAL_DEPTH = 64

SHARES = (2, 1, 30, 27, 24, 16)  # of the reserve, per cent, by wallet; the first wallets send
COLD_NONCES = (41, 17, 6, 3)
WEI = 10**18
PARTS = 10**9  # precision of the reserve factor

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]*)")
HASH = re.compile(r"0x[0-9a-fA-F]{64}")
ZERO_HASH = "0x" + "0" * 64

Id = str | int | float | None


class RpcError(Exception):
    """What a call answers instead of a result."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Request(Struct):
    jsonrpc: Literal["2.0"]
    method: str
    params: list[object] | dict[str, object] = []
    id: Id | UnsetType = UNSET


class _Result(Struct):
    id: Id
    result: object
    jsonrpc: str = "2.0"


class _Error(Struct):
    code: int
    message: str


class _Failure(Struct):
    id: Id
    error: _Error
    jsonrpc: str = "2.0"


class _Block(Struct, rename="camel"):
    number: str
    hash: str
    parent_hash: str
    timestamp: str
    miner: str = "0x" + "0" * 40
    nonce: str = "0x0000000000000000"
    sha3_uncles: str = msgspec.field(name="sha3Uncles", default=ZERO_HASH)
    logs_bloom: str = "0x" + "0" * 512
    transactions_root: str = ZERO_HASH
    state_root: str = ZERO_HASH
    receipts_root: str = ZERO_HASH
    mix_hash: str = ZERO_HASH
    difficulty: str = "0x0"
    extra_data: str = "0x"
    size: str = "0x21c"
    gas_limit: str = "0x1c9c380"
    gas_used: str = "0x0"
    base_fee_per_gas: str = "0x3b9aca00"
    transactions: list[str] = []
    uncles: list[str] = []


class StagedChain:
    """One network as its node answers at a given moment."""

    def __init__(self, network: Network, *, script: Script, payments: Payments) -> None:
        self._network = network
        self._script = script
        self._payments = payments
        self._anchor = int(script.start.timestamp())
        self.wallets = tuple(_address(network, index) for index in range(len(SHARES)))

    def answer(self, body: bytes, now: datetime) -> bytes | None:
        """A request or a batch in, the response out; None where every request was a notification."""
        try:
            payload: object = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return msgspec.json.encode(_Failure(None, _Error(PARSE_ERROR, "parse error")))
        head = self.height(now)
        match payload:
            case list() if payload:
                responses = [response for item in payload if (response := self._respond(item, head))]
                return msgspec.json.encode(responses) if responses else None
            case _:
                single = self._respond(payload, head)
                return msgspec.json.encode(single) if single else None

    def height(self, at: datetime) -> int:
        """The newest block at a moment."""
        return self._network.height + (int(at.timestamp()) - self._anchor) // self._network.block_seconds

    def time(self, height: int) -> datetime:
        return datetime.fromtimestamp(self._timestamp(height), UTC)

    def _respond(self, item: object, head: int) -> _Result | _Failure | None:
        try:
            request = msgspec.convert(item, type=_Request)
        except msgspec.ValidationError:
            return _Failure(None, _Error(INVALID_REQUEST, "invalid request"))
        if request.id is UNSET:
            return None
        try:
            return _Result(request.id, self._call(request, head))
        except RpcError as error:
            return _Failure(request.id, _Error(error.code, error.message))

    def _call(self, request: _Request, head: int) -> object:
        match request.method, request.params:
            case "eth_chainId", []:
                return hex(self._network.chain_id)
            case "eth_blockNumber", []:
                return hex(head)
            case "eth_getBlockByNumber", [str(tag), bool()]:
                height = self._height(tag, head)
                return self._block(height) if height <= head else None
            case "eth_getTransactionCount", [str(address), *block] if len(block) < 2:
                return hex(self._nonce(_checked(address), self._state(block, head)))
            case "eth_getBalance", [str(address), *block] if len(block) < 2:
                return hex(self._balance(_checked(address), self._state(block, head)))
            case "eth_call", [dict(), *block] if len(block) < 2:
                self._state(block, head)
                return "0x"
            case "eth_getCode", [str(address), *block] if len(block) < 2:
                _checked(address)
                self._state(block, head)
                return "0x"
            case (
                (
                    "eth_chainId"
                    | "eth_blockNumber"
                    | "eth_getBlockByNumber"
                    | "eth_getTransactionCount"
                    | "eth_getBalance"
                    | "eth_call"
                    | "eth_getCode"
                ),
                _,
            ):
                raise RpcError(INVALID_PARAMS, "invalid or missing arguments")
        raise RpcError(METHOD_NOT_FOUND, f"the method {request.method} does not exist/is not available")

    def _state(self, block: list[object], head: int) -> int:
        """The height a state method asks for; without one the newest, as the specification lets it be left out."""
        height = self._height(block[0], head) if block else head
        if height > head:
            raise RpcError(RESOURCE_NOT_FOUND, "block not found")
        return height

    def _height(self, block: object, head: int) -> int:
        match block:
            case "latest" | "pending":
                return head
            case "safe":
                return head - SAFE_DEPTH
            case "finalized":
                return head - FINAL_DEPTH
            case "earliest":
                return 0
            case str() if HASH.fullmatch(block):
                return self._height_of(block)
            case str() if QUANTITY.fullmatch(block):
                return int(block, 16)
            case {"blockHash": str(digest)} if HASH.fullmatch(digest):
                return self._height_of(digest)
            case {"blockNumber": str(number)} if QUANTITY.fullmatch(number):
                return int(number, 16)
        raise RpcError(INVALID_PARAMS, "invalid block number, tag or hash")

    def _height_of(self, digest: str) -> int:
        height = int(digest[-16:], 16)
        if self._hash(height) != digest.lower():
            raise RpcError(RESOURCE_NOT_FOUND, "block not found")
        return height

    def _block(self, height: int) -> _Block:
        return _Block(
            number=hex(height),
            hash=self._hash(height),
            parent_hash=self._hash(height - 1) if height else ZERO_HASH,
            timestamp=hex(self._timestamp(height)),
        )

    def _timestamp(self, height: int) -> int:
        return self._anchor + (height - self._network.height) * self._network.block_seconds

    def _hash(self, height: int) -> str:
        """It ends with the height, so that a block is found by its hash."""
        seed = f"{self._network.chain_id} {height}".encode()
        return "0x" + hashlib.sha256(seed).digest()[:24].hex() + f"{height:016x}"

    def _nonce(self, address: str, height: int) -> int:
        if address not in self.wallets:
            return 0
        wallet = self.wallets.index(address)
        if wallet >= SENDERS:
            return COLD_NONCES[wallet - SENDERS]
        return self._payments.nonce(self._network.name, sender=wallet, at=self.time(height))

    def _balance(self, address: str, height: int) -> int:
        if address not in self.wallets:
            return 0
        share = SHARES[self.wallets.index(address)]
        parts = round(self._script.reserve_factor(self.time(height)) * PARTS)
        return self._network.reserve * WEI * share * parts // (100 * PARTS)


def _checked(address: str) -> str:
    if not ADDRESS.fullmatch(address):
        raise RpcError(INVALID_PARAMS, "invalid address")
    return address.lower()


def _address(network: Network, index: int) -> str:
    return "0x" + hashlib.sha256(f"{network.name} wallet {index}".encode()).digest()[:20].hex()
