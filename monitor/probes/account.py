"""A read-only key in use. Before its first call we look what it may do: one that can trade or pay out is not used."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from monitor.clock import Clock
from monitor.http import Answer, Http
from monitor.model import FailureReason, RemoteError
from monitor.probes.answer import read_heeding

RIGHTS_SECONDS = 86_400.0
SERVER_TIME_SECONDS = 600.0
LEAST_STEP = timedelta(milliseconds=1)
LEAP = timedelta(minutes=1)
"""An exchange's clock that is off by more than that from where it was is asked twice."""

_OF_A_WRONG_TIME = (FailureReason.AUTH, FailureReason.HTTP_4XX)  # some say it with 401, Binance with 400 and -1021

Method = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """A read-only key. No part of it shows in `repr`."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)  # where the exchange asks for one

    @property
    def parts(self) -> tuple[str, str, str]:
        return self.api_key, self.api_secret, self.passphrase


class Call(Struct, frozen=True, kw_only=True):
    """A request: `path` with its query, from the base of the API."""

    path: str
    method: Method = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = {}


Sign = Callable[[Call, Credentials, datetime], Call]
"""The call as it is sent. The time is the exchange's and later than that of every call before, so it can be a nonce."""


class Rights(Struct, frozen=True, kw_only=True):
    """Where the exchange tells what a key may do. `decode`: the rights beyond reading, in the exchange's words."""

    call: Call
    decode: Callable[[bytes], tuple[str, ...]]


class ServerTime(Struct, frozen=True, kw_only=True):
    path: str
    decode: Callable[[bytes], datetime]


class Account:
    """Signs calls with the exchange's own time and only with a key that can do nothing but read."""

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        base: str,
        allow_private: bool,
        credentials: Credentials,
        sign: Sign,
        rights: Rights | None,
        server_time: ServerTime | None,
    ) -> None:
        self._http = http
        self._clock = clock
        self._base = base
        self._allow_private = allow_private
        self._credentials = credentials
        self._sign = sign
        self._rights = rights
        self._server_time = server_time
        self._offset = timedelta()
        self._asked_at: float | None = None
        self._harmless_until = 0.0
        self._signed_at: datetime | None = None
        self._seat = asyncio.Semaphore(1)  # a call that overtakes another one has the older nonce

    async def ask(self, call: Call) -> Answer:
        """Send `call` signed. Raises `RemoteError`; `auth` for a key that may do more than read."""
        async with self._seat:
            await self._keep_time()
            await self._look_at_rights()
            return await self._send(call)

    async def heed(self, error: RemoteError) -> None:
        """What the exchange said inside an answer with a good status. A refused key may be one of another time."""
        self._doubt(error)
        await self._http.heed(self._base, error)

    @property
    def offset_seconds(self) -> float:
        """By how much the exchange's clock is ahead of ours, as last asked."""
        return self._offset.total_seconds()

    async def _look_at_rights(self) -> None:
        if self._rights is None or self._clock.monotonic() < self._harmless_until:
            return
        answer = await self._send(self._rights.call)
        beyond = await read_heeding(answer, self._rights.decode, heed=self.heed)
        if beyond:
            told = (
                f"the key may do more than read ({', '.join(beyond)}): it is not used, give it one that can only read"
            )
            raise RemoteError(FailureReason.AUTH, told, permanent=True)
        self._harmless_until = self._clock.monotonic() + RIGHTS_SECONDS

    async def _keep_time(self) -> None:
        asked = self._asked_at
        if self._server_time is None or (asked is not None and self._clock.monotonic() < asked + SERVER_TIME_SECONDS):
            return
        offset = await self._told_offset(self._server_time)
        if abs(offset - self._offset) > LEAP:
            first, offset = offset, await self._told_offset(self._server_time)
            if min(abs(offset - first), abs(offset - self._offset)) > LEAP:
                raise RemoteError(FailureReason.SCHEMA, "its clock says another time whenever it is asked")
        self._offset = offset
        self._asked_at = self._clock.monotonic()

    async def _told_offset(self, server_time: ServerTime) -> timedelta:
        answer = await self._http.get(self._base + server_time.path, allow_private=self._allow_private)
        told = await read_heeding(answer, server_time.decode, heed=self.heed)
        return told + timedelta(seconds=answer.elapsed_seconds / 2) - self._clock.now()

    async def _send(self, call: Call) -> Answer:
        signed = self._sign(call, self._credentials, self._moment())
        url, headers = self._base + signed.path, signed.headers
        try:
            if signed.method == "POST":
                answer = await self._http.post(url, signed.body, headers=headers, allow_private=self._allow_private)
            else:
                answer = await self._http.get(url, headers=headers, allow_private=self._allow_private)
        except RemoteError as error:
            self._doubt(error)
            raise
        return answer.without(self._credentials.parts)

    def _doubt(self, error: RemoteError) -> None:
        """After a refusal we ask for the time anew, and sign with it even where that is earlier than before.

        Not where a nonce alone counts: no time is too late there, so nothing is refused for it.
        """
        if error.reason in _OF_A_WRONG_TIME:
            self._asked_at = self._signed_at = None

    def _moment(self) -> datetime:
        moment = self._clock.now() + self._offset
        if self._signed_at is not None:
            moment = max(moment, self._signed_at + LEAST_STEP)
        self._signed_at = moment
        return moment
