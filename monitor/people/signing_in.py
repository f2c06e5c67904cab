"""Signing in: a password becomes a session of one device, and guessing becomes slower with every miss."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import Account, Deed, PersonRole, Session
from monitor.people.passwords import Passwords
from monitor.store.people import Failures, PeopleStore

FREE = 3  # misses in a row that cost no time
LONGEST_WAIT = {"account": 60.0, "address": 900.0}  # short for an account: others must not lock its owner out
SEEN_EVERY = timedelta(minutes=1)
WRONG = "that name and password do not go together"


class SignInError(Exception):
    """Nobody is signed in. `seconds`: how long to wait before trying again, 0 where that would not help."""

    def __init__(self, message: str, *, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class Person(Struct, frozen=True, kw_only=True):
    """Who asks, and the token that their forms must carry."""

    name: str
    role: PersonRole
    csrf: str


class Device(Struct, frozen=True, kw_only=True):
    """What asks: where from, and the name that its browser gives itself."""

    address: str
    agent: str

    def mark(self) -> str:
        return hashlib.sha256(self.agent.encode()).hexdigest()[:16]


class SignIns:
    """A session ends after `idle` without a request, and after `longest` in any case."""

    def __init__(
        self, store: PeopleStore, clock: Clock, passwords: Passwords, *, idle: timedelta, longest: timedelta
    ) -> None:
        self.longest = longest
        self._store = store
        self._clock = clock
        self._passwords = passwords
        self._idle = idle
        self._key = secrets.token_bytes(32)

    async def is_open(self) -> bool:
        """Whether anybody can sign in at all."""
        return any(not account.disabled for account in await self._store.accounts())

    async def check(self, name: str, password: str, *, address: str) -> Account:
        """The account that this is the password of. Raises SignInError."""
        name = name.strip().casefold()[:64]
        now = self._clock.now()
        keys = (f"account:{name}", f"address:{_network(address)}")
        wait = await self._store.reserve(keys, now=now, wait=lambda key, failed: _wait(key, failed, now))
        if wait > 0:
            raise SignInError(f"too many wrong passwords: wait {wait:.0f} s", seconds=wait)
        account = await self._store.account(name)
        known = account.password if account is not None and not account.disabled else None
        if not await self._passwords.fits(password, known) or account is None:
            await self._store.note(Deed(at=now, actor=name, what="sign-in refused", detail=f"from {address}"))
            raise SignInError(WRONG)
        await self._store.forgive(*keys)
        return account

    async def sign_in(self, name: str, password: str, *, device: Device) -> str:
        """The token of a new session, which only the device keeps. Raises SignInError."""
        account = await self.check(name, password, address=device.address)
        token, now = secrets.token_urlsafe(32), self._clock.now()
        session = Session(
            digest=_digest(token),
            id=f"s-{secrets.token_hex(4)}",
            account=account.name,
            device=device.mark(),
            address=device.address,
            began_at=now,
            seen_at=now,
        )
        deed = Deed(at=now, actor=account.name, what="signed in", subject=session.id, detail=f"from {device.address}")
        await self._store.begin_session(session, deed)
        return token

    async def whose(self, token: str, *, device: Device) -> Person | None:
        """Who is signed in with this token on this device; None for nobody."""
        session = await self._store.session(_digest(token)) if token else None
        if session is None:
            return None
        now = self._clock.now()
        why = self._over(session, device, now)
        account = await self._store.account(session.account)
        if why is not None or account is None or account.disabled:
            deed = Deed(at=now, actor=session.account, what="session ended", subject=session.id, detail=why or "")
            await self._store.end_session(session, deed)
            return None
        if now - session.seen_at >= SEEN_EVERY:
            await self._store.seen(session.digest, now)
        return Person(name=account.name, role=account.role, csrf=_token(token.encode()))

    async def named(self, name: str) -> Person | None:
        """Whom a trusted proxy names; None where there is no such account."""
        account = await self._store.account(name.strip().casefold())
        if account is None or account.disabled:
            return None
        return Person(name=account.name, role=account.role, csrf=_token(self._key + account.name.encode()))

    async def sign_out(self, token: str) -> None:
        session = await self._store.session(_digest(token)) if token else None
        if session is not None:
            deed = Deed(at=self._clock.now(), actor=session.account, what="signed out", subject=session.id)
            await self._store.end_session(session, deed)

    def _over(self, session: Session, device: Device, now: datetime) -> str | None:
        if now - session.began_at >= self.longest:
            return "as long ago as a sign-in lasts"
        if now - session.seen_at >= self._idle:
            return "nothing was asked for a long time"
        return None if session.device == device.mark() else "another device showed its token"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _token(key: bytes) -> str:
    return hmac.new(key, b"cexwatch form", hashlib.sha256).hexdigest()


def _wait(key: str, failed: Failures, now: datetime) -> float:
    failures, at = failed
    if failures < FREE:
        return 0.0
    longest = LONGEST_WAIT[key.partition(":")[0]]
    delay = min(longest, 2.0 ** min(failures - FREE, 20))
    return max(0.0, delay - (now - at).total_seconds())


def _network(address: str) -> str:
    """One customer of a provider has 2**64 addresses."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    match parsed:
        case IPv6Address(ipv4_mapped=None):
            return f"{parsed.exploded[:19]}::/64"
        case _:
            return str(parsed)
