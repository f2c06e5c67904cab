"""How X is reached for writing: tweepy makes the requests and signs them, and here they are sent, once each.

What is not a good answer is raised before tweepy sees it: it takes every refusal for JSON, and waits for ever where it
is told to wait.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp
import msgspec
from msgspec import Struct
from oauthlib.oauth1 import Client as Signer
from yarl import URL

from monitor.http.limits import seconds_to_reset
from monitor.http.refusals import failure
from monitor.model import FailureReason, RemoteError

TWEEPYS_BASE = "https://api.twitter.com"
"""tweepy signs for this one, whatever the configuration says."""
SECONDS = 15.0  # real ones, for a whole request
LARGEST_BODY = 2 * 2**20
LONGEST_REASON = 150
HIDDEN = "[hidden]"

_TRY_AGAIN = (408, 425)


class Keys(Struct, frozen=True, kw_only=True):
    """OAuth 1.0a of an app and of the account that it posts as. They do not expire."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str

    @property
    def user(self) -> str:
        """The id of the account: an access token begins with it."""
        return self.access_token.partition("-")[0]

    def hidden_in(self, text: str) -> str:
        for secret in msgspec.structs.astuple(self):
            text = text.replace(secret, HIDDEN) if secret else text
        return text


class RefusedError(Exception):
    """X has taken a request and said no: nothing was posted. `reason` is for a person."""

    def __init__(self, status: int, reason: str, *, is_duplicate: bool, reset_seconds: float | None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.is_duplicate = is_duplicate
        self.reset_seconds = reset_seconds


class _Message(Struct, frozen=True):
    message: str = ""


class _Problem(Struct, frozen=True):
    """RFC 9457 as X writes it, or the errors of its older kind."""

    title: str = ""
    detail: str = ""
    errors: list[_Message] = []

    def __str__(self) -> str:
        return self.detail or self.title or "; ".join(error.message for error in self.errors)


class Session:
    """What tweepy takes for its aiohttp session."""

    def __init__(self, session: aiohttp.ClientSession, keys: Keys, *, base: str, now: Callable[[], datetime]) -> None:
        self._session = session
        self._keys = keys
        self._base = base.rstrip("/")
        self._now = now

    def request(self, method: str, url: URL, *, params: None, json: object, headers: Mapping[str, str]) -> "_Request":
        del params  # they are in the URL, where they are signed
        if self._base != TWEEPYS_BASE:
            url, headers = self._moved(method, url, headers)
        body = msgspec.json.encode(json) if json is not None else None
        return _Request(self._session, method, url, body=body, headers=headers, keys=self._keys, now=self._now)

    def _moved(self, method: str, url: URL, headers: Mapping[str, str]) -> tuple[URL, Mapping[str, str]]:
        """To where the configuration says, and signed for there."""
        moved = str(url).replace(TWEEPYS_BASE, self._base, 1)
        keys = self._keys
        signer = Signer(keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret)
        others = {name: value for name, value in headers.items() if name != "Authorization"}
        _, signed, _ = signer.sign(moved, method, headers=others)
        return URL(moved, encoded=True), signed


class _Request:
    def __init__(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: URL,
        *,
        body: bytes | None,
        headers: Mapping[str, str],
        keys: Keys,
        now: Callable[[], datetime],
    ) -> None:
        self._session = session
        self._method = method
        self._url = url
        self._payload = body
        self._headers = headers
        self._keys = keys
        self._now = now

    async def __aenter__(self) -> "_Response":
        host = self._url.host or ""
        # aiohttp's errors carry our headers, so none of them may stand behind ours in a traceback.
        try:
            async with self._session.request(
                self._method, self._url, data=self._payload, headers=self._headers, allow_redirects=False
            ) as response:
                body = await _whole(response)
        except aiohttp.ConnectionTimeoutError:
            raise RemoteError(FailureReason.TIMEOUT, f"{host}: not connected in time", unsent=True) from None
        except TimeoutError:
            raise RemoteError(FailureReason.TIMEOUT, f"{host}: no whole answer within {SECONDS:g} s") from None
        except aiohttp.ClientError as error:
            raise failure(error, host=host) from None
        self._judge(response, body)
        return _Response(response.status, body)

    async def __aexit__(self, *error: object) -> None:
        return None

    def _judge(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        """Raises `RefusedError` for a no, and `RemoteError` for what may have been a yes."""
        status = response.status
        if 200 <= status < 300:
            return
        told = f"{response.host} answered {status}"
        if status >= 500 or status in _TRY_AGAIN:
            raise RemoteError(FailureReason.HTTP_5XX, told)
        said = self._keys.hidden_in(_said(body))
        raise RefusedError(
            status,
            f"{told}: {said}" if said else told,
            is_duplicate=status == 403 and "duplicate content" in said.casefold(),
            reset_seconds=seconds_to_reset(response.headers.get("x-rate-limit-reset", ""), now=self._now()),
        )


class _Response:
    """The parts of an aiohttp response that tweepy uses of a good one."""

    reason = "OK"

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {}
        self._body = body

    async def read(self) -> bytes:
        return self._body

    async def json(self) -> object:
        """Raises `RemoteError`: it said yes, and nobody knows to what."""
        try:
            return msgspec.json.decode(self._body)
        except msgspec.DecodeError as error:
            raise RemoteError(FailureReason.SCHEMA, "X answered what is no JSON") from error


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(65_536):
        size += len(part)
        if size > LARGEST_BODY:
            raise RemoteError(FailureReason.TOO_LARGE, f"{response.host}: more than {LARGEST_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _said(body: bytes) -> str:
    """What a refusal says, in one line; nothing where it comes from a wall before X."""
    try:
        said = str(msgspec.json.decode(body, type=_Problem))
    except msgspec.DecodeError:
        return ""
    return "".join(char for char in said if char.isprintable())[:LONGEST_REASON]
