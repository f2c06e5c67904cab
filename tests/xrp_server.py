"""A public rippled server, on a real socket, telling an `XrpLedger` over JSON-RPC (xrpl.org: HTTP / WebSocket APIs).

Its errors come inside a 200, except of limits and of requests that cannot be parsed.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from types import TracebackType
from typing import Self

import base58
import msgspec

from monitor.clock import Clock
from tests.loopback import Answer, Asked, Loopback, as_json, as_text
from tests.xrp_ledger import Ledger, XrpLedger
from tests.xrp_pages import Page, page_of
from tests.xrp_state import RIPPLE_EPOCH, State
from tests.xrp_texts import account_json, entry_json, ledger_json

BASE_RESERVE = 1_000_000
OWNER_RESERVE = 200_000

ERRORS = {
    "actMalformed": (35, "Account malformed."),
    "actNotFound": (19, "Account not found."),
    "amendmentBlocked": (14, "Amendment blocked, need upgrade."),
    "invalidParams": (31, "Invalid parameters."),
    "lgrIdxMalformed": (58, "Ledger index malformed."),
    "lgrIdxsInvalid": (57, "Ledger indexes invalid."),
    "lgrNotFound": (21, "ledgerNotFound"),
    "noCurrent": (16, "Current ledger is unavailable."),
    "noNetwork": (17, "Not synced to the network."),
    "slowDown": (10, "You are placing too much load on the server."),
    "tooBusy": (9, "The server is too busy to help you now."),
    "unknownCmd": (32, "Unknown method."),
}


class Standing(Enum):
    """How far the server is, as it words it."""

    FULL = "full"
    SYNCING = "syncing"  # knows old ledgers only
    CONNECTED = "connected"  # knows none


class RefusedError(Exception):
    """An error of the documented list, by its code."""


def error_json(code: str, request: Mapping[str, object]) -> dict[str, object]:
    number, message = ERRORS[code]
    return {"error": code, "error_code": number, "error_message": message, "request": request, "status": "error"}


SLOW_DOWN = as_json({"result": error_json("slowDown", {})})
SLOW_DOWN_503 = as_json({"result": error_json("slowDown", {})}, status=503)
TOO_BUSY = as_json({"result": error_json("tooBusy", {})})
OVERLOADED = as_text("Server is overloaded\n", status=503)

Params = dict[str, object]


class _Call(msgspec.Struct):
    method: str | None = None
    params: list[Params] = []


class XrpServer:
    """One endpoint of a ledger; several may tell the same one.

    `lag` is how many ledgers it is behind, `missing` ledgers it does not have, `lies` drops it adds to a balance,
    `page` the most entries of a history it gives at once. `network_id` is 0 for the main network; None leaves it out.
    `methods` counts by method. Outages and limits go through `door`.
    """

    def __init__(self, ledger: XrpLedger, clock: Clock, *, network_id: int | None = 0, host: str = "127.0.0.1") -> None:
        self.ledger = ledger
        self.network_id = network_id
        self.standing = Standing.FULL
        self.lag = 0
        self.page = 200
        self.missing: set[int] = set()
        self.lies: dict[str, int] = {}
        self.is_near_limit = False
        self.methods: dict[str, int] = {}
        self.door = Loopback(self._answer, host=host)
        self._clock = clock

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
    def validated(self) -> Ledger:
        """The newest ledger this endpoint knows to be validated."""
        return self.ledger.ledgers[-1 - self.lag]

    def complete_ledgers(self) -> str:
        """Ranges like `100000000-100000004,100000007-100000009`, or `empty`."""
        if self.standing is Standing.CONNECTED:
            return "empty"
        ranges: list[list[int]] = []
        for ledger in self.ledger.ledgers:
            if ledger.index in self.missing or ledger.index > self.validated.index:
                continue
            if ranges and ranges[-1][1] == ledger.index - 1:
                ranges[-1][1] = ledger.index
            else:
                ranges.append([ledger.index, ledger.index])
        return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges) or "empty"

    def _answer(self, asked: Asked) -> Answer:
        if asked.method != "POST":
            return as_text("Forbidden\n", status=403)
        try:
            call = msgspec.json.decode(asked.body, type=_Call)
        except msgspec.DecodeError:
            return as_text("Unable to parse request: \n", status=400)
        if call.method is None:
            return as_text("Null method\n", status=400)
        self.methods[call.method] = self.methods.get(call.method, 0) + 1
        params = call.params[0] if call.params else {}
        try:
            result = {**self._result(call.method, params), "status": "success"}
        except RefusedError as refused:
            result = error_json(str(refused), {"command": call.method, **params})
        body: dict[str, object] = {"result": result}
        return as_json({**body, "warning": "load"} if self.is_near_limit else body)

    def _result(self, method: str, params: Params) -> dict[str, object]:
        methods: dict[str, Callable[[Params], dict[str, object]]] = {
            "server_info": lambda _: {"info": self._info()},
            "server_state": lambda _: {"state": self._state()},
            "ledger": self._ledger,
            "account_info": self._account_info,
            "account_tx": self._account_tx,
        }
        if method not in methods:
            raise RefusedError("unknownCmd")
        if not method.startswith("server_") and self.standing is not Standing.FULL:
            raise RefusedError("noCurrent" if self.standing is Standing.SYNCING else "noNetwork")
        return methods[method](params)

    def _server(self) -> dict[str, object]:
        told: dict[str, object] = {
            "build_version": "2.6.2",
            "complete_ledgers": self.complete_ledgers(),
            "io_latency_ms": 1,
            "jq_trans_overflow": "0",
            "peers": 22,
            "pubkey_node": "n9KQK8yvTDcZdGyhu2EGdDnFPEBSsY5wEgpU5GgpygTgLFsjQyPt",
            "server_state": self.standing.value,
            "server_state_duration_us": "91758491912",
            "time": f"{self._clock.now():%Y-%b-%d %H:%M:%S.%f} UTC",
            "uptime": 91948,
            "validation_quorum": 28,
        }
        if self.network_id is not None:
            told["network_id"] = self.network_id
        if self.standing is not Standing.FULL:
            told["network_ledger"] = "waiting"
        return told

    def _info(self) -> dict[str, object]:
        """XRP as decimal numbers, seconds."""
        told = {**self._server(), "hostid": "LEST", "load_factor": 1}
        if self.standing is not Standing.CONNECTED:
            told["validated_ledger"] = {
                "age": self._age(self.validated),
                "base_fee_xrp": 0.00001,
                "hash": self.validated.hash,
                "reserve_base_xrp": BASE_RESERVE / 1_000_000,
                "reserve_inc_xrp": OWNER_RESERVE / 1_000_000,
                "seq": self.validated.index,
            }
        return told

    def _state(self) -> dict[str, object]:
        """Drops, and the time of closing by the Ripple epoch."""
        told = {**self._server(), "load_base": 256, "load_factor": 256}
        if self.standing is not Standing.CONNECTED:
            told["validated_ledger"] = {
                "base_fee": 10,
                "close_time": self.validated.close_time,
                "hash": self.validated.hash,
                "reserve_base": BASE_RESERVE,
                "reserve_inc": OWNER_RESERVE,
                "seq": self.validated.index,
            }
        return told

    def _age(self, ledger: Ledger) -> int:
        closed = datetime.fromtimestamp(ledger.close_time + RIPPLE_EPOCH, UTC)
        return max(0, int((self._clock.now() - closed).total_seconds()))

    def _found(self, params: Params) -> Ledger | None:
        """None is the open ledger, which is also what is meant where none is named. Raises `RefusedError`."""
        match params:
            case {"ledger_hash": str(wanted)}:
                found = [one for one in self.ledger.ledgers if one.hash == wanted]
            case {"ledger_index": "validated" | "closed"}:
                return self.validated
            case {"ledger_index": int() | str() as index} if str(index).isdecimal():
                found = [one for one in self.ledger.ledgers if one.index == int(index)]
            case {"ledger_index": "current"}:
                return None
            case {"ledger_index": _}:
                raise RefusedError("invalidParams")
            case _:
                return None
        if not found or found[0].index > self.validated.index or found[0].index in self.missing:
            raise RefusedError("lgrNotFound")
        return found[0]

    def _ledger(self, params: Params) -> dict[str, object]:
        ledger = self._found(params)
        if ledger is None:
            return {"ledger_current_index": self.validated.index + 1, "validated": False, "ledger": {"closed": False}}
        return ledger_json(
            ledger,
            version=_version(params),
            transactions=params.get("transactions") is True,
            expand=params.get("expand") is True,
        )

    def _account_info(self, params: Params) -> dict[str, object]:
        address = _account(params)
        ledger = self._found(params)
        state: State = self.ledger.open_state() if ledger is None else ledger.state
        root = state.roots.get(address)
        if root is None:
            raise RefusedError("actNotFound")
        data = {"account_data": account_json(address, root, more=self.lies.get(address, 0))}
        if ledger is None:
            return {**data, "ledger_current_index": self.validated.index + 1, "validated": False}
        return {**data, "ledger_hash": ledger.hash, "ledger_index": ledger.index, "validated": True}

    def _account_tx(self, params: Params) -> dict[str, object]:
        address, version = _account(params), _version(params)
        low, high = self._range(params, version=version)
        entries = [
            (ledger, one)
            for ledger in self.ledger.ledgers
            for one in ledger.transactions
            if low <= ledger.index <= high and address in one.accounts
        ]
        page: Page = page_of(entries, params, largest=self.page)
        told: dict[str, object] = {
            "account": address,
            "ledger_index_min": low,
            "ledger_index_max": high,
            "limit": page.limit,
            "transactions": [entry_json(ledger, one, version=version) for ledger, one in page.entries],
            "validated": True,
        }
        return told if page.marker is None else {**told, "marker": page.marker}

    def _range(self, params: Params, *, version: int) -> tuple[int, int]:
        """What can be searched without a gap. Version 1 narrows what was asked to it without a word."""
        low, high = _bound(params, "ledger_index_min"), _bound(params, "ledger_index_max")
        if {"ledger_index", "ledger_hash"} & set(params):
            ledger = self._found(params)
            if ledger is None or (version > 1 and {"ledger_index_min", "ledger_index_max"} & set(params)):
                raise RefusedError("invalidParams")
            low = high = ledger.index
        oldest, newest = self._without_gap()
        if version > 1 and ((low is not None and low > newest) or (high is not None and high > newest)):
            raise RefusedError("lgrIdxMalformed")
        first = oldest if low is None else max(low, oldest)
        last = newest if high is None else min(high, newest)
        if last < first:
            raise RefusedError("lgrIdxsInvalid")
        return first, last

    def _without_gap(self) -> tuple[int, int]:
        newest = oldest = self.validated.index
        while oldest - 1 >= self.ledger.ledgers[0].index and oldest - 1 not in self.missing:
            oldest -= 1
        return oldest, newest


def _version(params: Params) -> int:
    return 2 if params.get("api_version") == 2 else 1


def _bound(params: Params, name: str) -> int | None:
    match params.get(name, -1):
        case -1:
            return None
        case int(index):
            return index
        case _:
            raise RefusedError("invalidParams")


def _account(params: Params) -> str:
    match params.get("account"):
        case str(address):
            try:
                base58.b58decode_check(address, alphabet=base58.XRP_ALPHABET)
            except ValueError as error:
                raise RefusedError("actMalformed") from error
            return address
        case _:
            raise RefusedError("invalidParams")
