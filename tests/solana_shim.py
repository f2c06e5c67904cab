"""Solana's JSON-RPC over a cluster of ours. Written from https://solana.com/docs/rpc."""

from base64 import b64encode
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct
from solders.account import Account
from solders.pubkey import Pubkey

from tests.loopback import Answer, Asked, Loopback, as_json
from tests.solana_cluster import Block, Cluster, Value

GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
TOO_MANY_REQUESTS = as_json({"jsonrpc": "2.0", "error": {"code": 429, "message": "Too many requests"}, "id": 1})
UNHEALTHY = as_json({"jsonrpc": "2.0", "error": {"code": -32005, "message": "Node is behind by 168 slots"}, "id": 1})


class RefusedError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Slice(Struct):
    offset: int
    length: int


class _Config(Struct, rename="camel"):
    commitment: str = "finalized"
    encoding: str = "base58"
    transaction_details: str = "full"
    min_context_slot: int | None = None
    data_slice: _Slice | None = None
    before: str | None = None
    until: str | None = None
    limit: int = 1_000


class _Call(Struct):
    method: str
    id: int
    params: list[Value]

    def config(self) -> _Config:
        return msgspec.convert(self.params[-1], type=_Config) if self.params else _Config()


class SolanaShim:
    """One endpoint of a cluster; several may tell the same one.

    `lag` is how many blocks it is behind, `lies` lamports that it adds to an account, `before` is called as a method
    is asked, `forgets` transactions that it names and does not have. `served` counts what it named of histories.
    """

    def __init__(self, cluster: Cluster, *, genesis: str = GENESIS, host: str = "127.0.0.1") -> None:
        self.cluster = cluster
        self.genesis = genesis
        self.lag = 0
        self.lies: dict[str, int] = {}
        self.forgets: set[str] = set()
        self.before: Callable[[str], None] = lambda _: None
        self.methods: dict[str, int] = {}
        self.served = 0
        self.door = Loopback(self._answer, host=host)

    async def __aenter__(self) -> Self:
        await self.door.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.door.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        return self.door.url

    @property
    def head(self) -> Block:
        return self.cluster.blocks[-1 - self.lag]

    def _answer(self, asked: Asked) -> Answer:
        call = msgspec.json.decode(asked.body, type=_Call)
        self.methods[call.method] = self.methods.get(call.method, 0) + 1
        self.before(call.method)
        try:
            result = self._result(call)
        except RefusedError as error:
            return as_json({"jsonrpc": "2.0", "error": {"code": error.code, "message": str(error)}, "id": call.id})
        return as_json({"jsonrpc": "2.0", "result": result, "id": call.id})

    def _result(self, call: _Call) -> Value:
        config = call.config()
        if call.method != "getGenesisHash" and config.commitment != "confirmed":
            raise RefusedError(-32602, "a test is of confirmed blocks")
        if (config.min_context_slot or 0) > self.head.slot:
            raise RefusedError(-32016, "Minimum context slot has not been reached")
        match call.method, call.params:
            case "getGenesisHash", []:
                return self.genesis
            case "getSlot", [_]:
                return self.head.slot
            case "getBlock", [int(slot), _] if config.transaction_details == "none":
                return self._block(slot)
            case "getBlocks", [int(first), int(last), _]:
                return [b.slot for b in self.cluster.blocks if first <= b.slot <= min(last, self.head.slot)]
            case "getMultipleAccounts", [list(keys), _] if len(keys) <= 100 and config.encoding == "base64":
                return self._accounts([str(key) for key in keys], config)
            case "getSignaturesForAddress", [str(key), _]:
                return self._signatures(key, config)
            case "getTransaction", [str(signature), _] if config.encoding == "json":
                return self._transaction(signature)
            case _:
                raise RefusedError(-32602, f"Invalid params: {call.method}")

    def _block(self, slot: int) -> Value:
        if slot > self.head.slot:
            raise RefusedError(-32004, f"Block not available for slot {slot}")
        for block in self.cluster.blocks:
            if block.slot == slot:
                return {"blockhash": block.hash, "blockTime": block.time, "parentSlot": slot - 1, "blockHeight": slot}
        raise RefusedError(-32007, f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot")

    def _accounts(self, keys: list[str], config: _Config) -> Value:
        try:
            found = [(key, self.cluster.svm.get_account(Pubkey.from_string(key))) for key in keys]
        except ValueError as error:
            raise RefusedError(-32602, "Invalid param: WrongSize") from error
        value = [None if each is None or not each.lamports else self._account(key, each, config) for key, each in found]
        return {"context": {"apiVersion": "2.2.7", "slot": self.head.slot}, "value": value}

    def _account(self, key: str, account: Account, config: _Config) -> Value:
        cut = config.data_slice
        data = account.data[cut.offset : cut.offset + cut.length] if cut else account.data
        return {
            "lamports": account.lamports + self.lies.get(key, 0),
            "owner": str(account.owner),
            "data": [b64encode(data).decode(), "base64"],
            "executable": account.executable,
            "rentEpoch": 2**64 - 1,
            "space": len(account.data),
        }

    def _signatures(self, key: str, config: _Config) -> Value:
        named = [each for each in reversed(self.cluster.done) if key in each.keys and each.slot <= self.head.slot]
        signatures = [each.signature for each in named]
        start = signatures.index(config.before) + 1 if config.before else 0
        end = signatures.index(config.until) if config.until in signatures else len(named)
        told = named[start : min(end, start + config.limit)]
        self.served += len(told)
        return [
            {
                "signature": each.signature,
                "slot": each.slot,
                "err": None,
                "memo": None,
                "blockTime": each.time,
                "confirmationStatus": "confirmed",
            }
            for each in told
        ]

    def _transaction(self, signature: str) -> Value:
        if signature in self.forgets:
            return None
        return next((each.told for each in self.cluster.done if each.signature == signature), None)
