"""How X is asked: tweepy knows the API, and our own HTTP makes the requests, with the limits of every other host.

The bearer token is app-only: it reads what is public.
"""

from collections.abc import Mapping
from typing import Protocol, TypeVar
from urllib.parse import urlencode

import msgspec
from tweepy.asynchronous import AsyncClient

from monitor.http import Answer
from monitor.model import FailureReason, RemoteError
from monitor.probes.answer import decode, shortened

T = TypeVar("T")


class Get(Protocol):
    """`Http.get`."""

    async def __call__(self, url: str, *, headers: Mapping[str, str]) -> Answer: ...


def client_of(get: Get, *, bearer: str) -> AsyncClient:
    client = AsyncClient(return_type=dict)
    client.session = _Session(get, bearer)
    return client


def converted(answer: object, shape: type[T]) -> T:
    """Raises `RemoteError` (schema)."""
    try:
        return msgspec.convert(answer, shape)
    except msgspec.ValidationError as error:
        raise RemoteError(FailureReason.SCHEMA, shortened(str(error))) from error


class _Session:
    """What tweepy takes for its aiohttp session: it asks through `get`, which raises what is not an answer.

    The token is put on here, so that tweepy neither keeps nor logs it.
    """

    def __init__(self, get: Get, bearer: str) -> None:
        self._get = get
        self._bearer = bearer

    def request(
        self, method: str, url: str, *, params: Mapping[str, str | int], json: None, headers: Mapping[str, str]
    ) -> "_Request":
        del method, json, headers  # reading is GET, without a body, and our own headers say who we are
        return _Request(self._get, f"{url}?{urlencode(params)}", bearer=self._bearer)


class _Request:
    def __init__(self, get: Get, url: str, *, bearer: str) -> None:
        self._get = get
        self._url = url
        self._bearer = bearer

    async def __aenter__(self) -> "_Response":
        return _Response(await self._get(self._url, headers={"Authorization": f"Bearer {self._bearer}"}))

    async def __aexit__(self, *error: object) -> None:
        return None


class _Response:
    """The parts of an aiohttp response that tweepy uses of a good one."""

    reason = "OK"

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = {}
        self._body = answer.body

    async def read(self) -> bytes:
        return self._body

    async def json(self) -> dict[str, object]:
        return decode(self._body, dict[str, object])
