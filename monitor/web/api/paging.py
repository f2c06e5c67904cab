"""Pages and the cursors that lead from one to the next. A cursor is checked, and opens nothing that is closed."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct, UnsetType
from msgspec.structs import asdict

from monitor.model.records import Place
from monitor.web.api.problem import RefusedError

MOST = 200
USUAL = 50
NAME = "^[!-~]{1,200}$"
"""What a name in a path or a query is made of: what is not is the name of nothing."""
_NOT_ASKED = ("limit", "cursor")
_OTHER = "cursor: it is of another list, or of one that was asked for in another way"

_Item = TypeVar("_Item")

Name = Annotated[str, Meta(pattern=NAME)]
Cursor = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,600}$", description="`next` of the page before")]
Limit = Annotated[int, Meta(ge=1, le=MOST, description="Items of a page")]

After = Place | Annotated[int, Meta(ge=0, le=10**9)]
"""Where a page ended: behind a record, or behind so many of a list that only grows at its end."""


class Page(Struct, Generic[_Item], frozen=True, kw_only=True):
    """`next` is the cursor of the page that follows; null at the end."""

    items: tuple[_Item, ...]
    next: str | None


class _Mark(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    listing: str
    asked: str
    after: After


def cursor(listing: str, asked: Struct, after: After) -> str:
    """A cursor that holds for this listing, asked for in this way."""
    mark = msgspec.json.encode(_Mark(listing, _digest(asked), after))
    return base64.urlsafe_b64encode(mark).rstrip(b"=").decode()


def place(listing: str, asked: Struct, text: str | UnsetType) -> Place | None:
    """Behind which record a page begins; None without a cursor. Raises RefusedError for nonsense, or another list's."""
    match _after(listing, asked, text):
        case int():
            raise RefusedError(HTTPStatus.BAD_REQUEST, _OTHER)
        case after:
            return after


def skipped(listing: str, asked: Struct, text: str | UnsetType) -> int:
    """Behind how many a page begins. Raises RefusedError as `place` does."""
    match _after(listing, asked, text):
        case int(after):
            return after
        case None:
            return 0
        case Place():
            raise RefusedError(HTTPStatus.BAD_REQUEST, _OTHER)


def split(read: Sequence[_Item], limit: int) -> tuple[Sequence[_Item], _Item | None]:
    """The page, and its last item if others follow: of `read`, one more was asked for than a page has."""
    return read[:limit], read[limit - 1] if len(read) > limit else None


def given(value: _Item | UnsetType) -> _Item | None:
    """What was asked for; None where nothing was."""
    match value:
        case UnsetType():
            return None
        case _:
            return value


def _after(listing: str, asked: Struct, text: str | UnsetType) -> After | None:
    match text:
        case UnsetType():
            return None
        case _:
            mark = _read(text)
    if (mark.listing, mark.asked) != (listing, _digest(asked)):
        raise RefusedError(HTTPStatus.BAD_REQUEST, _OTHER)
    return mark.after


def _read(text: str) -> _Mark:
    try:
        return msgspec.json.decode(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_"), type=_Mark)
    except (msgspec.MsgspecError, binascii.Error, UnicodeDecodeError) as error:
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, "cursor: it is not one that a page of ours told as `next`"
        ) from error


def _digest(asked: Struct) -> str:
    """Of the conditions alone: a page may be longer than the one before."""
    conditions = {name: value for name, value in asdict(asked).items() if name not in _NOT_ASKED}
    told = {name: value for name, value in conditions.items() if value is not msgspec.UNSET}
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:16]
