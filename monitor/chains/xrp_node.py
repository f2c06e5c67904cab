"""One endpoint of the XRP Ledger's public API, over JSON-RPC: https://xrpl.org/docs/references/http-websocket-apis

rippled and Clio both answer it. Their errors mostly come with status 200. Amounts are drops, a millionth of an XRP.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct, field

from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Head
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

RIPPLE_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
PAGE = 200  # transactions; a server gives fewer where it likes
MOST_TRANSACTIONS = 100_000  # of one account, in a question

# "tracking" follows the network already; Clio, which serves validated ledgers only, tells no state.
_FOLLOWS = ("", "full", "validating", "proposing", "tracking")
_BEHIND = ("noNetwork", "noCurrent", "noClosed", "notReady", "notSynced", "lgrNotFound", "amendmentBlocked")
_BUSY = ("slowDown", "tooBusy")
_NO_ACCOUNT = "actNotFound"
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading an answer, or what of it was left as it came, raises."""

T = TypeVar("T")
P = TypeVar("P")

Seconds = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Drops = Annotated[str, Meta(pattern=r"^[0-9]{1,18}\Z")]
Hash = Annotated[str, Meta(pattern=r"^[0-9A-F]{64}\Z")]
Index = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class _Nothing(Struct, frozen=True):
    pass


class _LedgerAt(Struct, frozen=True):
    ledger_index: int | str


class _AccountAt(Struct, frozen=True):
    account: str
    ledger_index: int


class _HistoryOf(Struct, frozen=True):
    account: str
    ledger_index_min: int
    ledger_index_max: int
    limit: int
    forward: bool


class _HistoryFrom(_HistoryOf, frozen=True):
    marker: Raw  # whatever it is, it is handed back


class _Request(Struct, Generic[P], frozen=True):
    method: str
    params: tuple[P]


class _Echo(Struct, frozen=True):
    account: str = ""


class _Outcome(Struct, frozen=True):
    request: _Echo = _Echo()  # beside an error
    error: str = ""
    error_message: str = ""


class _Answer(Struct, frozen=True):
    result: Raw


class _Info(Struct, frozen=True):
    network_id: int = 0  # the main network, also where a server is too old to tell
    server_state: str = ""


class _ServerInfo(Struct, frozen=True):
    info: _Info


class _LedgerHeader(Struct, frozen=True):
    close_time: Seconds  # since RIPPLE_EPOCH


class _Ledger(Struct, frozen=True):
    ledger: _LedgerHeader
    ledger_hash: Hash
    ledger_index: Index
    validated: bool = False


class Account(Struct, frozen=True, rename="pascal"):
    """An account as of a ledger. `balance` is all of it, also what the ledger keeps for as long as the account lives.

    That reserve is `reserve_base_xrp` and `reserve_inc_xrp` for each object it owns, both told by `server_info`.
    """

    account: str
    balance: Drops
    touched_in: Annotated[int, Meta(ge=0)] = field(
        default=2**32, name="PreviousTxnLgrSeq"
    )  # the ledger that last changed it
    touched_by: str = field(default="", name="PreviousTxnID")  # the transaction that did


class _AccountInfo(Struct, frozen=True):
    account_data: Account
    ledger_index: int
    validated: bool = False


class Fields(Struct, frozen=True, rename="pascal"):
    account: str = ""
    balance: Raw = Raw()  # drops of an account, an object of a trust line


class Node(Struct, frozen=True, rename="pascal"):
    ledger_entry_type: str
    new_fields: Fields = Fields()
    final_fields: Fields = Fields()
    previous_fields: Fields = Fields()
    touched_by: str = field(default="", name="PreviousTxnID")  # the transaction that changed it before this one
    touched_in: Annotated[int, Meta(ge=0)] = field(default=0, name="PreviousTxnLgrSeq")


class AffectedNode(Struct, frozen=True, rename="pascal"):
    """One of the three."""

    created_node: Node | None = None
    modified_node: Node | None = None
    deleted_node: Node | None = None


class Metadata(Struct, frozen=True, rename="pascal"):
    """What a transaction did, whatever it says it would: https://xrpl.org/docs/references/protocol/transactions/metadata"""

    affected_nodes: list[AffectedNode]
    transaction_index: int


class Sent(Struct, frozen=True, rename="pascal"):
    account: str
    fee: Drops
    hash: Hash = field(name="hash")
    ledger_index: Index = field(name="ledger_index")
    transaction_type: str = ""
    delegate: str = ""  # who signed and paid the fee in the account's place

    @property
    def payer(self) -> str:
        return self.delegate or self.account


class Entry(Struct, frozen=True):
    """A transaction in an account's history."""

    tx: Sent
    meta: Metadata
    validated: bool = False


class _History(Struct, frozen=True):
    account: str
    ledger_index_min: int
    ledger_index_max: int
    transactions: list[Entry]
    validated: bool = False
    marker: Raw = Raw()  # where the next page begins; none is the last page


_OUTCOME = msgspec.json.Decoder(_Outcome)
_ANSWER = msgspec.json.Decoder(_Answer)
_SERVER_INFO = msgspec.json.Decoder(_ServerInfo)
_LEDGER = msgspec.json.Decoder(_Ledger)
_ACCOUNT_INFO = msgspec.json.Decoder(_AccountInfo)
_HISTORY = msgspec.json.Decoder(_History)


class _NoSuchAccountError(Exception):
    """The ledger that was asked has no account of this address, which is "" where it does not say of which."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class XrpNode:
    def __init__(self, http: Http, endpoint: Endpoint) -> None:
        self._http = http
        self._endpoint = endpoint

    @property
    def host(self) -> str:
        return self._endpoint.host

    async def newest(self, *, network_id: int) -> Head:
        """The newest validated ledger. Raises `RemoteError`: WRONG_CHAIN, LAG where the server does not follow."""
        info = (await self._tell("server_info", _Nothing(), _SERVER_INFO)).info
        if info.network_id != network_id:
            detail = f"{self.host}: expected network {network_id}, this is {info.network_id}"
            raise RemoteError(FailureReason.WRONG_CHAIN, detail)
        if info.server_state not in _FOLLOWS:
            raise RemoteError(FailureReason.LAG, f"{self.host}: is {info.server_state}")
        return await self._ledger("validated")

    async def ledger(self, index: int) -> Head:
        """The validated ledger of this index. Raises `RemoteError`, LAG where the server has none."""
        head = await self._ledger(index)
        if head.number != index:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: asked for ledger {index}, got {head.number}")
        return head

    async def account(self, address: str, *, ledger: int) -> Account | None:
        """The account as of a validated ledger; None where that ledger has no such account."""
        try:
            answer = await self._ask("account_info", _AccountAt(address, ledger), _ACCOUNT_INFO)
        except _NoSuchAccountError as error:
            # A server that lacks the ledger says `lgrNotFound` instead, so this is known of the ledger.
            self._assert_meant(error, address)
            return None
        if not answer.validated or answer.ledger_index != ledger or answer.account_data.account != address:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: another account or ledger than was asked for")
        return answer.account_data

    async def history(self, address: str, *, first: int, last: int) -> list[Entry]:
        """The validated transactions that touched an account in ledgers `first` to `last`, oldest first.

        Raises `RemoteError`, LAG where the server did not search them all: it narrows the range without a word.
        """
        entries: dict[str, Entry] = {}
        question = _HistoryOf(address, first, last, PAGE, forward=True)
        while True:
            try:
                page = await self._ask("account_tx", question, _HISTORY)
            except _NoSuchAccountError as error:
                self._assert_meant(error, address)
                return []
            if not page.validated or page.account != address or not all(entry.validated for entry in page.transactions):
                raise RemoteError(FailureReason.SCHEMA, f"{self.host}: a history that is not validated")
            if page.ledger_index_min > first or page.ledger_index_max < last:
                searched = f"{page.ledger_index_min} to {page.ledger_index_max}"
                raise RemoteError(FailureReason.LAG, f"{self.host}: searched {searched}, not {first} to {last}")
            if any(not first <= entry.tx.ledger_index <= last for entry in page.transactions):
                raise RemoteError(FailureReason.SCHEMA, f"{self.host}: transactions of other ledgers")
            known = len(entries)
            entries |= {entry.tx.hash: entry for entry in page.transactions}
            if not bytes(page.marker):
                return list(entries.values())
            if len(entries) == known:
                raise RemoteError(
                    FailureReason.SCHEMA, f"{self.host}: a page without anything new that is not the last"
                )
            if len(entries) > MOST_TRANSACTIONS:
                raise RemoteError(FailureReason.TOO_LARGE, f"{self.host}: more than {MOST_TRANSACTIONS} transactions")
            question = _HistoryFrom(address, first, last, PAGE, forward=True, marker=page.marker)

    async def _ledger(self, index: int | str) -> Head:
        answer = await self._tell("ledger", _LedgerAt(index), _LEDGER)
        if not answer.validated:
            raise RemoteError(FailureReason.LAG, f"{self.host}: ledger {answer.ledger_index} is not validated")
        closed = RIPPLE_EPOCH + timedelta(seconds=answer.ledger.close_time)
        return Head(number=answer.ledger_index, hash=answer.ledger_hash, timestamp=closed)

    def _assert_meant(self, error: _NoSuchAccountError, address: str) -> None:
        if error.address not in ("", address):
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: another account than was asked for") from error

    async def _tell(self, method: str, question: Struct, decoder: msgspec.json.Decoder[T]) -> T:
        """As `_ask` does, of what is about no account."""
        try:
            return await self._ask(method, question, decoder)
        except _NoSuchAccountError as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: {method}: {_NO_ACCOUNT}") from error

    async def _ask(self, method: str, question: Struct, decoder: msgspec.json.Decoder[T]) -> T:
        body = msgspec.json.encode(_Request(method, (question,)))
        answer = await self._http.post(self._endpoint.url, body, allow_private=self._endpoint.allow_private)
        try:
            result = _ANSWER.decode(answer.body).result
            outcome = _OUTCOME.decode(result)
            if not outcome.error:
                return decoder.decode(result)
        except UNREADABLE as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: {method}: {error}") from error
        if outcome.error == _NO_ACCOUNT:
            raise _NoSuchAccountError(outcome.request.account)
        words = f"{outcome.error:.40} {outcome.error_message:.200}"
        refusal = RemoteError(_reason(outcome.error), f"{self.host}: {method}: {words}")
        await self._http.heed(self._endpoint.url, refusal)
        raise refusal


def _reason(error: str) -> FailureReason:
    if error in _BUSY:
        return FailureReason.RATE_LIMITED
    return FailureReason.LAG if error in _BEHIND else FailureReason.SCHEMA
