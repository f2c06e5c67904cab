"""The operator's own queue of withdrawals, from a JSON document of theirs by JMESPath (https://jmespath.org)."""

from collections.abc import Mapping

import jmespath
from jmespath.parser import ParsedResult
from msgspec import Struct
from msgspec.structs import asdict

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, Rail, Reading, RemoteError
from monitor.probes.answer import decode, own_endpoint
from monitor.probes.queue import QueueFlaw, QueueRow, queue_reading, rail_of, row_of

# A comparison of unlike things and a rounded infinity leave jmespath as they are raised in it.
_NO_ANSWER = (ValueError, TypeError, ArithmeticError, RecursionError)


class QueuePaths(Struct, frozen=True, kw_only=True):
    """JMESPath in an item of the list."""

    asset: str
    network: str
    requested: str
    broadcast: str
    pending: str
    oldest_seconds: str


class JsonQueueProbe:
    """Reads an item for each asset and network; one that does not fit costs itself and not the others."""

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        url: str,
        rows: str,
        paths: QueuePaths,
        window_seconds: float,
        interval: float,
        allow_private: bool,
        token: str = "",
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._clock = clock
        self._rows = jmespath.compile(rows)
        self._paths = {key: jmespath.compile(path) for key, path in asdict(paths).items()}
        self._window_seconds = window_seconds
        self._endpoint = own_endpoint(http, url, token=token, allow_private=allow_private, interval=interval)

    async def observe(self) -> Reading:
        answer = await self._endpoint.fetch()
        items = await self._endpoint.read(answer, self._items)
        read = [self._row(item, place=place) for place, item in enumerate(items)]
        return queue_reading(
            [each for each in read if type(each) is QueueRow],
            [each for each in read if type(each) is QueueFlaw],
            at=self._clock.now(),
            exchange=self.exchange,
            probe=self.name,
            window_seconds=self._window_seconds,
        )

    def _items(self, body: bytes) -> list[object]:
        document = decode(body, object)
        match found_at(self._rows, document):
            case list() as items:
                return items
            case _:
                raise RemoteError(FailureReason.SCHEMA, f"`{self._rows.expression}` is not a list")

    def _row(self, item: object, *, place: int) -> QueueRow | QueueFlaw:
        values: dict[str, object] = {}
        try:
            for key, path in self._paths.items():
                values[key] = found_at(path, item)
            return row_of(values)
        except RemoteError as error:
            return QueueFlaw(detail=f"item {place}: {error.detail}", rail=_rail(values))


def _rail(values: Mapping[str, object]) -> Rail | None:
    match values:
        case {"asset": str(asset), "network": str(network)}:
            return rail_of(asset, network)
        case _:
            return None


def found_at(path: ParsedResult, document: object) -> object:
    """What an expression finds. Raises `RemoteError` (schema) where it cannot be evaluated on `document`."""
    try:
        found: object = path.search(document)
    except _NO_ANSWER as error:
        raise RemoteError(FailureReason.SCHEMA, f"`{path.expression}` does not fit: {error}") from error
    return found
