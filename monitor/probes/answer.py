"""Read what an exchange answered: as a typed value, or as the `RemoteError` it is."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from monitor.http import Answer, Http
from monitor.model import FailureReason, RemoteError

LONGEST_DETAIL = 200

T = TypeVar("T")

LARGE_BODY = 256 * 1024
"""Bytes from which an answer is decoded beside the event loop."""
STALE_SECONDS = 180.0
LEAP = 1000
STALE_INTERVALS = 3.0

Fetch = Callable[[], Awaitable[Answer]]
"""Asks once for what a probe reads. Raises `RemoteError`."""

Heed = Callable[[RemoteError], Awaitable[None]]
"""Leaves the host alone for a while when an error says so."""

_SPENT = ("rate limit", "too many", "frequen")
_KEY = ("signature", "api key", "api-key", "apikey", "access key", "passphrase", "permission", "unauthorized")
_CLOSED = ("unavailable", "maintenance", "busy", "timeout", "internal", "system error")


class Endpoint:
    """What a probe asks. An answer from long ago is refused, and a refusal in disguise closes the host."""

    def __init__(self, fetch: Fetch, heed: Heed, *, interval: float) -> None:
        self._fetch = fetch
        self._heed = heed
        self._patience = max(STALE_SECONDS, STALE_INTERVALS * interval)
        self._dated: Answer | None = None
        """The first answer that had the newest Date."""

    async def fetch(self) -> Answer:
        """Raises `RemoteError`; `stale` for what a cache kept too long, or a Date that stands still."""
        answer = await self._fetch()
        if answer.age_seconds > self._patience:
            raise RemoteError(FailureReason.STALE, f"a cache kept this answer for {answer.age_seconds:.0f} s")
        dated = self._dated
        if dated is None or dated.date is None or answer.date is None or answer.date > dated.date:
            self._dated = answer
        elif answer.read_at - dated.read_at > self._patience:
            raise RemoteError(FailureReason.STALE, f"dated {dated.date:%H:%M:%S} UTC since {self._patience:.0f} s")
        return answer

    async def read(self, answer: Answer, decode: Callable[[bytes], T]) -> T:
        """As `read_heeding`."""
        return await read_heeding(answer, decode, heed=self._heed)


def own_endpoint(http: Http, url: str, *, token: str, allow_private: bool, interval: float) -> Endpoint:
    """A document of the user's own, asked with a bearer token where there is one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    fetch = partial(http.get, url, headers=headers, allow_private=allow_private)
    return Endpoint(fetch, partial(http.heed, url), interval=interval)


async def read_heeding(answer: Answer, decode: Callable[[bytes], T], *, heed: Heed) -> T:
    """What `decode` makes of an answer, of a large one beside the event loop: it must be a pure function.

    Raises `RemoteError` from `decode`, after it was heeded.
    """
    try:
        if len(answer.body) < LARGE_BODY:
            return decode(answer.body)
        return await asyncio.to_thread(decode, answer.body)
    except RemoteError as error:
        await heed(error)
        raise


class Envelope(Struct, Generic[T], frozen=True):
    """An answer that says by `code` whether it is one."""

    code: str
    msg: str = ""
    data: T | None = None

    def content(self, *, fine: str) -> T:
        """Raises `RemoteError` where `code` is not the one that means fine."""
        if self.code != fine:
            raise refusal(f"{self.code} {self.msg}")
        return present(self.data, field="data")


def enveloped(body: bytes, shape: type[Envelope[T]], *, fine: str) -> T:
    """What `body` holds. Raises `RemoteError` as `decode` does, or for the error that it tells of itself."""
    try:
        return decode(body, shape).content(fine=fine)
    except RemoteError:
        said = decode(body, _Said)  # beside an error `data` may be something else than usual
        if said.code != fine:
            raise refusal(f"{said.code} {said.msg}") from None
        raise


class _Said(Struct, frozen=True):
    code: str
    msg: str = ""


def decode(body: bytes, shape: type[T]) -> T:
    """`body` as `shape`. Raises `RemoteError` (schema, encoding) that names the path in the body, never the body."""
    try:
        return msgspec.json.decode(body, type=shape)
    except UnicodeDecodeError as error:
        raise RemoteError(FailureReason.ENCODING, f"not UTF-8: {error.reason} at byte {error.start}") from error
    except msgspec.DecodeError as error:
        raise RemoteError(FailureReason.SCHEMA, shortened(str(error))) from error
    except RecursionError as error:
        raise RemoteError(FailureReason.SCHEMA, "nested too deeply") from error


def present(value: T | None, *, field: str) -> T:
    """What an answer that claims to be fine must hold. Raises `RemoteError` (schema)."""
    if value is None:
        raise RemoteError(FailureReason.SCHEMA, f"no error and no `{field}` either - at `$`")
    return value


def refusal(said: str) -> RemoteError:
    """An exchange's own error inside a 200, as what an honest status code would have been."""
    words = said.lower()
    if any(word in words for word in _SPENT):
        return RemoteError(FailureReason.RATE_LIMITED, shortened(said))
    if any(word in words for word in _CLOSED):
        return RemoteError(FailureReason.HTTP_5XX, shortened(said))
    if any(word in words for word in _KEY):
        return RemoteError(FailureReason.AUTH, shortened(said))
    return RemoteError(FailureReason.HTTP_4XX, shortened(said))


def is_leap(before: Decimal, after: Decimal) -> bool:
    """A thousand times more or less, as when the unit changed. From and to nothing is no leap between units."""
    return before > 0 and after > 0 and not before / LEAP < after < before * LEAP


def shortened(text: str) -> str:
    """At most 200 characters, with both ends kept: msgspec's messages end with the path."""
    if len(text) <= LONGEST_DETAIL:
        return text
    return f"{text[: LONGEST_DETAIL // 2 - 3]} ... {text[-(LONGEST_DETAIL // 2) + 2 :]}"
