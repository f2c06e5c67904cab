"""Read what an exchange answered: as a typed value, or as the `RemoteError` it is."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from monitor.http import Answer
from monitor.model import FailureReason, RemoteError

LONGEST_DETAIL = 200

T = TypeVar("T")

Fetch = Callable[[], Awaitable[Answer]]
"""Asks once for what a probe reads. Raises `RemoteError`."""

_SPENT = ("rate limit", "too many", "frequen")
_CLOSED = ("unavailable", "maintenance", "busy", "timeout", "internal", "system error")


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
    return RemoteError(FailureReason.HTTP_4XX, shortened(said))


def shortened(text: str) -> str:
    """At most 200 characters, with both ends kept: msgspec's messages end with the path."""
    if len(text) <= LONGEST_DETAIL:
        return text
    return f"{text[: LONGEST_DETAIL // 2 - 3]} ... {text[-(LONGEST_DETAIL // 2) + 2 :]}"
