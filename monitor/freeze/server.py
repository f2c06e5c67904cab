"""The gate's API: the exchange's app freezes, the exchange's withdrawal service asks or fetches, the monitor counts.

What freezes is signed for one account; what reads has a bearer token. Nothing can be asked that makes an end earlier.
"""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware
from msgspec import Struct

from monitor.clock import Clock
from monitor.freeze import bodies, requests
from monitor.freeze import lock as locking
from monitor.freeze.entry import Origin
from monitor.freeze.gate import Gate, TooOldError
from monitor.freeze.keyring import Hashed, Keyring, is_account
from monitor.freeze.lock import Lock
from monitor.freeze.problem import Answer, Problem
from monitor.freeze.sparing import Sparing
from monitor.freeze.telemetry import Telemetry

LONGEST_BODY = 4_096
LONGEST_BATCH = 1_000
BATCH_BODY = LONGEST_BATCH * 160
AGAIN_A_MINUTE = 6  # of an account that is frozen already; a first freeze is never refused for being one too many
CHUNK = 1 << 18
_AFTER = re.compile(r"[0-9]{1,15}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    duration_seconds: int | None = None


class LinkWanted(Struct, frozen=True, forbid_unknown_fields=True):
    holder: str = "owner"
    remind: bool = False


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    accounts: list[str]


class Frozen(Struct, frozen=True):
    """Whether an account is frozen. `until` has whole seconds; the freeze holds until that has passed."""

    frozen: bool
    until: datetime | None
    reason: str = ""


class Activated(Struct, frozen=True):
    frozen: bool
    until: datetime
    extended: bool


class MadeLink(Struct, frozen=True):
    id: str
    path: str
    url: str


class ShownLink(Struct, frozen=True):
    id: str
    holder: str
    remind: bool


class Summary(Struct, frozen=True):
    active: int
    activations_total: int
    accounts_total: int
    latest_until: datetime | None
    time: datetime | None
    ledger_intact: bool


class Shown(Struct, kw_only=True):
    """What is counted in the background, for the summary and for health."""

    active: int = 0
    latest_until: datetime | None = None
    intact: bool = True
    wrong: str = ""


class Api:
    def __init__(
        self,
        lock: Lock,
        gate: Gate,
        keyring: Keyring,
        *,
        app_secrets: Sequence[bytes],
        reader_tokens: Sequence[str],
        usual: timedelta,
        longest: timedelta,
        public_url: str,
        shown: Shown,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._lock = lock
        self._gate = gate
        self._keyring = keyring
        self._secrets = app_secrets
        self._readers = [hashlib.sha256(token.encode()).digest() for token in reader_tokens]
        self._usual = usual
        self._longest = longest
        self._public_url = public_url.rstrip("/")
        self._shown = shown
        self._telemetry = telemetry
        self._clock = clock
        self._again = Sparing(AGAIN_A_MINUTE, clock=clock)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/v1/freezes", self.freeze),
            web.get("/api/v1/freezes/{account}", self._reading(self.one)),
            web.post("/api/v1/freezes/query", self._reading(self.batch)),
            web.get("/api/v1/snapshot", self._reading(self.snapshot)),
            web.get("/api/v1/deltas", self._reading(self.delta)),
            web.get("/api/v1/summary", self._reading(self.summary)),
            web.post("/api/v1/links", self.make_link),
            web.get("/api/v1/links", self.links),
            web.delete("/api/v1/links/{id}", self.revoke),
        ]

    async def freeze(self, request: web.Request) -> web.Response:
        """201 for a freeze that begins, 200 for one that is made longer or was asked for before."""
        started = self._clock.monotonic()
        signed, body = await self._signed(request)
        chosen = self._chosen(_decoded(body or b"{}", Wanted))
        accounts = self._keyring.accounts(signed.account)
        hashes = _hashes(accounts)
        if self._lock.frozen_until(hashes) is not None and (wait := self._again.wait(hashes[0])):
            raise Problem(
                429, "too_often", "the account is frozen already; it is made longer a few times a minute", wait=wait
            )
        try:
            outcome = await self._lock.freeze(
                accounts,
                duration=chosen,
                requested_at=signed.at,
                origin=Origin.APP,
                request=signed.request,
                attempt=signed.attempt,
            )
        except locking.ReplayedError as error:
            why = "this signed request was used before, and nothing was done; sign anew to make the freeze longer"
            raise Problem(409, "replayed", why, until=_told(error.until)) from error
        except locking.NotWrittenError as error:
            raise _not_written() from error
        if not outcome.repeated:
            seconds = self._clock.monotonic() - started
            self._telemetry.activated(outcome, Origin.APP, chosen=chosen, seconds=seconds)
        extended = outcome.former is not None and outcome.former > outcome.at
        status = 200 if extended or outcome.repeated else 201
        return Answer(Activated(frozen=True, until=outcome.until, extended=extended), status).response()

    async def one(self, request: web.Request) -> web.Response:
        account = request.match_info["account"]
        if not is_account(account):
            raise Problem(400, "bad_account", "expected an account of 1 to 128 printable characters")
        self._telemetry.asked(1)
        return Answer(self._looked_up(account)).response()

    async def batch(self, request: web.Request) -> web.Response:
        """The answers stand in the order of the accounts."""
        wanted = _decoded(await _body(request, BATCH_BODY), Batch)
        if len(wanted.accounts) > LONGEST_BATCH or not all(map(is_account, wanted.accounts)):
            raise Problem(400, "bad_account", f"expected at most {LONGEST_BATCH} accounts of 1 to 128 characters")
        self._telemetry.asked(len(wanted.accounts))
        return Answer({"freezes": [self._looked_up(account) for account in wanted.accounts]}).response()

    async def snapshot(self, request: web.Request) -> web.StreamResponse:
        pieces = await self._gate.snapshot()
        self._telemetry.published("snapshot")
        self._telemetry.put("snapshot_build_seconds", value=self._gate.build_seconds)
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        response.content_length = sum(map(len, pieces))
        await response.prepare(request)
        waiting = bytearray()
        for piece in pieces:
            waiting += piece
            if len(waiting) >= CHUNK:
                await response.write(bytes(waiting))
                waiting.clear()
        await response.write(bytes(waiting))
        await response.write_eof()
        return response

    async def delta(self, request: web.Request) -> web.Response:
        """410 where a snapshot is needed: what came after is not kept, or the entry before is none of this ledger."""
        after, challenge, digest, ledger = (
            request.query.get(name, "") for name in ("after", "challenge", "digest", "ledger")
        )
        if _AFTER.fullmatch(after) is None or _DIGEST.fullmatch(digest) is None or len(challenge) > 64:
            expected = "expected after=SEQ&digest=64 HEX DIGITS&ledger=NAME&challenge=AT MOST 64 CHARACTERS"
            raise Problem(400, "bad_query", expected)
        try:
            body = await self._gate.delta(int(after), challenge, ledger=ledger, digest=bytes.fromhex(digest))
        except TooOldError as error:
            raise Problem(410, "too_old", "fetch a snapshot, and go on from its seq") from error
        self._telemetry.published("delta")
        return web.Response(body=body, content_type="application/octet-stream")

    async def summary(self, _: web.Request) -> web.Response:
        state = self._lock.state
        return Answer(
            Summary(
                active=self._shown.active,
                activations_total=state.activations,
                accounts_total=state.accounts,
                latest_until=self._shown.latest_until,
                time=self._lock.moment().passed(),
                ledger_intact=self._shown.intact,
            )
        ).response()

    async def make_link(self, request: web.Request) -> web.Response:
        """201, with the address. It is told once; the gate keeps a hash of it."""
        signed, body = await self._signed(request)
        wanted = _decoded(body or b"{}", LinkWanted)
        if wanted.holder not in ("owner", "guardian"):
            raise Problem(400, "bad_body", "holder: expected owner or guardian")
        guards = wanted.holder == "guardian"
        accounts = self._keyring.accounts(signed.account)
        try:
            token, link = await self._lock.make_link(
                accounts, is_guardian=guards, remind=guards and wanted.remind, request=signed.request
            )
        except locking.TooManyLinksError as error:
            raise Problem(409, "too_many_links", f"an account has at most {locking.LINKS} links") from error
        except locking.ReplayedError as error:
            raise Problem(409, "replayed", "this signed request was used before") from error
        except locking.NotWrittenError as error:
            raise _not_written() from error
        path = f"/{'g' if guards else 'f'}/{token}"
        return Answer(MadeLink(id=link.hex(), path=path, url=self._public_url + path), 201).response()

    async def links(self, request: web.Request) -> web.Response:
        signed, _ = await self._signed(request)
        found = self._lock.links(_hashes(self._keyring.accounts(signed.account)))
        shown = [
            ShownLink(name.hex(), "guardian" if link.is_guardian else "owner", link.remind) for name, link in found
        ]
        return Answer({"links": shown}).response()

    async def revoke(self, request: web.Request) -> web.Response:
        signed, _ = await self._signed(request)
        accounts = self._keyring.accounts(signed.account)
        try:
            await self._lock.revoke(accounts, _link_name(request.match_info["id"]))
        except KeyError as error:
            raise Problem(404, "no_such_link", "the account has no such link") from error
        except locking.StillFrozenError as error:
            why = "a link is taken back only while the account is not frozen"
            raise Problem(409, "frozen", why, until=_told(error.until)) from error
        except locking.NotWrittenError as error:
            raise _not_written() from error
        return web.Response(status=204)

    def _looked_up(self, account: str) -> Frozen:
        now = self._lock.moment()
        until = self._lock.frozen_until(_hashes(self._keyring.accounts(account)), now)
        return Frozen(True, until, now.reason()) if until is not None else _FREE

    def _chosen(self, wanted: Wanted) -> timedelta:
        if wanted.duration_seconds is None:
            return self._usual
        shortest = int(locking.SHORTEST.total_seconds())
        longest = int(self._longest.total_seconds())
        if not shortest <= wanted.duration_seconds <= longest:
            raise Problem(400, "bad_duration", f"duration_seconds: expected {shortest} to {longest}")
        return timedelta(seconds=wanted.duration_seconds)

    async def _signed(self, request: web.Request) -> tuple[requests.Signed, bytes]:
        body = await _body(request, LONGEST_BODY)
        now = self._lock.moment().plausible()
        try:
            signed = requests.checked(
                request.headers,
                method=request.method,
                path=request.rel_url.raw_path,
                body=body,
                secrets=self._secrets,
                now=now,
            )
        except requests.UnsignedError as error:
            raise Problem(401, "unsigned", str(error)) from error
        except requests.WrongSignatureError as error:
            raise Problem(401, "bad_signature", str(error)) from error
        except requests.StaleError as error:
            raise Problem(401, "stale", f"{error}; sign again by this time", time=_told(now)) from error
        return signed, body

    def _reading(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
            if scheme.lower() != "bearer" or not any(hmac.compare_digest(given, known) for known in self._readers):
                raise Problem(401, "unauthorized", "expected Authorization: Bearer with a token of `readers`")
            return await handler(request)

        return checked


_FREE = Frozen(False, None)


def middleware(telemetry: Telemetry) -> Middleware:
    @web.middleware
    async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except Problem as problem:
            telemetry.refused(problem.word)
            response = problem.response()
        except web.HTTPException as error:
            if error.status < 400 or not request.path.startswith("/api/"):
                raise
            response = Problem(error.status, error.reason.lower().replace(" ", "_"), error.reason).response()
        if not response.prepared:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return told


async def _body(request: web.Request, longest: int) -> bytes:
    try:
        return await bodies.read(request, longest=longest)
    except bodies.TooLargeError as error:
        raise Problem(413, "too_large", f"expected at most {longest} bytes") from error
    except bodies.TooSlowError as error:
        raise Problem(408, "too_slow", f"expected the whole body within {bodies.SECONDS:.0f} s") from error


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "bad_body", f"the body is not as expected: {error}") from error


def _hashes(accounts: Sequence[Hashed]) -> list[bytes]:
    return [each.account for each in accounts]


def _link_name(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _not_written() -> Problem:
    return Problem(503, "not_written", "NOT frozen: the ledger cannot be written now; try again at once", wait=1)


def _told(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")
