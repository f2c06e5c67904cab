"""A Tron full node behind TronGrid, on a real socket, telling a `TronChain` in java-tron's HTTP API.

Errors mostly come inside a 200, and a field that holds its default (0, false, the first of an enum) is left out.
"""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import base58
import msgspec

from tests.loopback import NOT_FOUND, Answer, Asked, Loopback, as_json, as_text
from tests.tron_chain import Block, TronChain
from tests.tron_json import account_json, block_json, info_json, writes
from tests.tron_vm import constant_call

MAINNET = "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc"
NILE = "0000000000000000d698d4192c56cb6be724a558448e2684802de4d6cd8690dc"
CONFIRMATIONS = 19  # a block is solid when this many are on top of it
LARGEST_RANGE = 100

TOO_MANY_REQUESTS = as_json({"Error": "request rate exceeded the allowed_rps(15), please retry later"}, status=429)
SUSPENDED = as_json(
    {"Error": "The key exceeds the frequency limit(15), and the query server is suspended for 30s"}, status=403
)
OVERLOADED = as_json({"Error": "request rate exceeded"}, status=503)
UNKNOWN_KEY = as_json({"Error": "ApiKey not exists"}, status=401)
LITE_NODE = as_text("this API is closed because this node is a lite fullnode")
JAVA_ERROR = as_json({"Error": "class java.lang.NullPointerException : null"})

Values = Mapping[str, object]


class JavaError(Exception):
    """An exception of the node, as it words it."""


class TronServer:
    """One endpoint of a chain; several may tell the same chain.

    `lag` is how many blocks it is behind, `lies` what it adds to a balance, by (address, TRC-20 contract or None).
    With an `api_key` it wants that as `TRON-PRO-API-KEY`. Outages and limits go through `door`.
    """

    def __init__(
        self, chain: TronChain, *, genesis: str = MAINNET, api_key: str | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.chain = chain
        self.genesis = genesis
        self.lag = 0
        self.lies: dict[tuple[str, str | None], int] = {}
        self.door = Loopback(self._answer, host=host)
        self._api_key = api_key

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
        """The newest block this endpoint knows."""
        return self.chain.blocks[-1 - self.lag]

    @property
    def solid(self) -> Block:
        """The newest block that cannot be replaced any more."""
        return self.chain.blocks[max(0, len(self.chain.blocks) - 1 - self.lag - CONFIRMATIONS)]

    def _answer(self, asked: Asked) -> Answer:
        if self._api_key is not None and asked.headers.get("TRON-PRO-API-KEY") != self._api_key:
            return UNKNOWN_KEY
        _, service, method, *_ = (*asked.path.split("/"), "", "")
        answer = self._methods().get(method)
        if service not in ("wallet", "walletsolidity") or answer is None or asked.method not in ("GET", "POST"):
            return NOT_FOUND
        try:
            values = _values(asked)
            return as_json(answer(self.solid if service == "walletsolidity" else self.head, values))
        except JavaError as error:
            return as_json({"Error": str(error)})

    def _methods(self) -> dict[str, Callable[[Block, Values], object]]:
        return {
            "getnowblock": lambda newest, values: block_json(newest, writes(values)),
            "getblock": self._block_by_either,
            "getblockbynum": self._block_by_number,
            "getblockbyid": self._block_by_id,
            "getblockbylimitnext": self._blocks,
            "gettransactioninfobyblocknum": self._infos,
            "gettransactioninfobyid": self._info,
            "getaccount": self._account,
            "triggerconstantcontract": lambda newest, values: constant_call(newest, values, self.lies),
            "getnodeinfo": lambda newest, _: self._node_info(newest),
        }

    def _known(self, newest: Block, number: int) -> Block | None:
        return self.chain.block(number) if number <= newest.number else None

    def _block_by_number(self, newest: Block, values: Values) -> object:
        number = _number(values, "num")
        if number == 0:
            return _genesis(self.genesis)
        block = self._known(newest, number)
        return {} if block is None else block_json(block, writes(values))

    def _block_by_id(self, newest: Block, values: Values) -> object:
        wanted = str(values.get("value", ""))
        if wanted == self.genesis:
            return _genesis(self.genesis)
        found = [block for block in self.chain.blocks if block.id == wanted and block.number <= newest.number]
        return block_json(found[0], writes(values)) if found else {}

    def _block_by_either(self, newest: Block, values: Values) -> object:
        wanted = str(values.get("id_or_num", ""))
        if not wanted:
            whole: object = block_json(newest, writes(values))
        elif wanted.isdecimal() and len(wanted) < 64:
            whole = self._block_by_number(newest, {**values, "num": int(wanted)})
        elif len(wanted) != 64:
            return {"Error": "id must be legal block hash."}
        else:
            whole = self._block_by_id(newest, {**values, "value": wanted})
        match whole:
            case {"transactions": _, **header} if values.get("detail") not in (True, "true"):
                return header
            case _:
                return whole

    def _blocks(self, newest: Block, values: Values) -> object:
        start, end = _number(values, "startNum"), _number(values, "endNum")
        if not 0 <= start < end <= start + LARGEST_RANGE:
            return {}
        known = (self._known(newest, number) for number in range(start, end))
        found = [block_json(block, writes(values)) for block in known if block is not None]
        return {"block": found} if found else {}

    def _infos(self, newest: Block, values: Values) -> object:
        """A block that is not there looks like one without transactions."""
        number = _number(values, "num")
        if number <= 0:
            return {}
        block = self._known(newest, number)
        return [] if block is None else [info_json(block, tx, writes(values)) for tx in block.transactions]

    def _info(self, newest: Block, values: Values) -> object:
        for block in self.chain.blocks:
            for tx in block.transactions:
                if tx.id == values.get("value") and block.number <= newest.number:
                    return info_json(block, tx, writes(values))
        return {}

    def _account(self, newest: Block, values: Values) -> object:
        if not values.get("address"):
            return {}
        address = _address(values, "address")
        found = newest.state.accounts.get(address)
        if found is None:
            return {}
        return account_json(address, found, writes(values), more=self.lies.get((address, None), 0))

    def _node_info(self, newest: Block) -> object:
        return {
            "activeConnectCount": 3,
            "beginSyncNum": newest.number - CONFIRMATIONS,
            "block": f"Num:{newest.number},ID:{newest.id}",
            "solidityBlock": f"Num:{self.solid.number},ID:{self.solid.id}",
            "currentConnectCount": 60,
            "passiveConnectCount": 57,
            "totalFlow": 0,
            "peerList": [],
            "configNodeInfo": {
                "codeVersion": "4.8.1",
                "versionNum": "18636",
                "p2pVersion": "11111" if self.genesis == MAINNET else "201910292",
                "listenPort": 18888,
                "supportConstant": True,
            },
            "machineInfo": {"cpuCount": 16, "javaVersion": "1.8.0_291", "osName": "Linux"},
        }


def _genesis(block_id: str) -> object:
    """Number and time are 0, so they are not there."""
    return {
        "blockID": block_id,
        "block_header": {
            "raw_data": {
                "txTrieRoot": "8ef446bf3f395af929c218014f6101ec86576c5f61b2ae3236bf3a2ab5e2fecd",
                "parentHash": "e58f33f9baf9305dc6f82b9f1934ea8f0ade2defb951258d50167028c780351f",
            }
        },
    }


def _values(asked: Asked) -> Values:
    if asked.method == "GET":
        return {**asked.query(), "visible": asked.query().get("visible") == "true"}
    if not asked.body:
        return {}
    try:
        return msgspec.json.decode(asked.body, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise JavaError("class org.tron.json.JSONException : syntax error") from error


def _number(values: Values, name: str) -> int:
    try:
        return int(str(values.get(name, 0)))
    except ValueError as error:
        raise JavaError(f'class java.lang.NumberFormatException : For input string: "{values[name]}"') from error


def _address(values: Values, name: str) -> str:
    """The `T...` form of what was asked in hexadecimal, or, with `visible`, as it is."""
    text = str(values.get(name, ""))
    if values.get("visible") is True:
        try:
            base58.b58decode_check(text)
        except ValueError as error:
            raise JavaError("class java.lang.NullPointerException : null") from error
        return text
    try:
        return base58.b58encode_check(bytes.fromhex(text)).decode()
    except ValueError as error:
        raise JavaError(
            "class org.tron.core.services.http.JsonFormat$ParseException : 1:13: INVALID hex String"
        ) from error
