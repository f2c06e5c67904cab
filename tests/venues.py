"""Exchanges as servers with behaviour: what the `venues_*` modules share.

Each of those was written from its exchange's public documentation by somebody who had not read the client it checks.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from enum import Enum
from typing import Self
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web
from msgspec import Struct

from monitor.clock import Clock


class Right(Enum):
    """What the account's owner ticked when the key was made."""

    READ = "read"
    TRADE = "trade"
    WITHDRAW = "withdraw"


class Limit(Enum):
    """How the venue treats this caller's pace. Not every exchange documents a ban."""

    NONE = "none"
    SLOW_DOWN = "slow down"
    BANNED = "banned"


class Progress(Enum):
    """How far a withdrawal is; each venue says it in its own words."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class Keys(Struct, frozen=True, kw_only=True):
    key: str
    secret: str
    passphrase: str = ""


class Rail(Struct, kw_only=True):
    """`asset` and `network` are the venue's own words; a test flips the flags."""

    asset: str
    network: str
    withdrawals: bool = True
    deposits: bool = True


class Withdrawal(Struct, kw_only=True):
    """One of the account's withdrawals; `asset` and `network` in the venue's words, times by the venue's clock."""

    number: int
    asset: str
    network: str
    amount: Decimal
    requested_at: datetime
    progress: Progress = Progress.PENDING
    updated_at: datetime | None = None
    address: str = "0x1f9090aae28b8a3dceadf281b0f12828e676c326"

    def changed_at(self) -> datetime:
        return self.requested_at if self.updated_at is None else self.updated_at

    def txid(self) -> str:
        """The transaction, once there is one."""
        return f"0x{self.number:064x}" if self.progress is Progress.SENT else ""


class Balance(Struct, kw_only=True):
    """What the account holds of an asset, in the venue's words: free, and locked in orders."""

    asset: str
    free: Decimal = Decimal(0)
    locked: Decimal = Decimal(0)

    def total(self) -> Decimal:
        return self.free + self.locked


class Received(Struct, frozen=True, kw_only=True):
    """A request as it came over the wire, nothing decoded or put in order."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes

    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    def target(self) -> str:
        """Path and query, as several exchanges want them signed."""
        return f"{self.path}?{self.query_string}" if self.query_string else self.path


class Reply(Struct, frozen=True, kw_only=True):
    """`code` is the exchange's own error code, empty for success."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = {}
    code: str = ""


class RefusedError(Exception):
    """The venue will not answer this; the reply is what its documentation says it sends instead."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.code)
        self.reply = reply


class Venue:
    """An exchange on a loopback socket.

    `requests` counts by path, `refusals` by the exchange's error code; everything else public is for a test to set.
    """

    def __init__(self, keys: Keys, dialect: "Dialect", clock: Clock | None = None) -> None:
        self.keys = keys
        self.rails: list[Rail] = []
        self.withdrawals: list[Withdrawal] = []
        self.balances: list[Balance] = []
        self.rights = {Right.READ}
        self.server_ahead = timedelta()
        self.limit = Limit.NONE
        self.retry_after = timedelta(seconds=30)
        self.weight_of_others = 0
        self.requests: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.last_nonce = 0
        self.nonces: set[str] = set()
        self.url = ""
        self._dialect = dialect
        self._clock = clock if clock is not None else Clock()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def now(self) -> datetime:
        """The time the venue believes in."""
        return self._clock.now() + self.server_ahead

    def milliseconds(self) -> int:
        return milliseconds(self.now())

    def rail(self, asset: str, network: str) -> Rail:
        return next(rail for rail in self.rails if (rail.asset, rail.network) == (asset, network))

    def rails_by_asset(self) -> dict[str, list[Rail]]:
        found: dict[str, list[Rail]] = {}
        for rail in self.rails:
            found.setdefault(rail.asset, []).append(rail)
        return found

    def newest_withdrawals(
        self, *, asset: str | None, since: datetime | None, until: datetime | None, limit: int
    ) -> list[Withdrawal]:
        """Newest first, as all of them list theirs; None leaves a bound open."""
        found = [
            withdrawal
            for withdrawal in sorted(self.withdrawals, key=lambda withdrawal: withdrawal.requested_at, reverse=True)
            if (asset is None or withdrawal.asset == asset)
            and (since is None or withdrawal.requested_at >= since)
            and (until is None or withdrawal.requested_at <= until)
        ]
        return found[:limit]

    async def _serve(self, request: web.Request) -> web.Response:
        path, _, query_string = request.raw_path.partition("?")
        self.requests[path] += 1
        got = Received(
            method=request.method,
            path=path,
            query_string=query_string,
            headers=request.headers,
            body=await request.read(),
        )
        reply = self._reply(got)
        if reply.code:
            self.refusals[reply.code] += 1
        return web.Response(
            body=msgspec.json.encode(reply.body),
            status=reply.status,
            content_type="application/json",
            headers={
                "Date": format_datetime(self.now(), usegmt=True),
                **self._dialect.headers(self, got),
                **reply.headers,
            },
        )

    def _reply(self, got: Received) -> Reply:
        answer = self._dialect.paths.get((got.method, got.path))
        if answer is None:
            known = any(path == got.path for _, path in self._dialect.paths)
            status = 405 if known else 404
            return Reply(body={"message": "no such route"}, status=status, code=str(status))
        try:
            self._dialect.admit(self, got)
            return answer(self, got)
        except RefusedError as refused:
            return refused.reply


Answer = Callable[[Venue, Received], Reply]


def no_headers(_venue: Venue, _got: Received) -> dict[str, str]:
    return {}


class Dialect(Struct, frozen=True, kw_only=True):
    """One exchange's manner: its routes, its door (raises `RefusedError` at a hurried caller), its own headers."""

    paths: Mapping[tuple[str, str], Answer]
    admit: Callable[[Venue, Received], None]
    headers: Callable[[Venue, Received], Mapping[str, str]] = no_headers


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def moment(text: str | None) -> datetime | None:
    """A bound given as Unix milliseconds."""
    return None if text is None else datetime.fromtimestamp(int(text) / 1000, UTC)
