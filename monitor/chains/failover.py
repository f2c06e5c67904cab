"""Several endpoints of one chain: one is preferred until it fails, and another can be asked for a second opinion."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

import structlog

from monitor.model import FailureReason, RemoteError

log = structlog.get_logger()


class Endpoint(Protocol):
    @property
    def host(self) -> str: ...


E = TypeVar("E", bound=Endpoint)
T = TypeVar("T")


class Endpoints(Generic[E]):
    """An outage of an endpoint is one line in the log, and its end another."""

    def __init__(self, endpoints: Sequence[E], *, network: str) -> None:
        self._endpoints = list(endpoints)
        self._network = network
        self._failing: dict[str, FailureReason] = {}

    def __len__(self) -> int:
        return len(self._endpoints)

    async def use(self, work: Callable[[E], Awaitable[T]], *, apart_from: str = "") -> T:
        """Do the whole of `work` on one endpoint, so that its parts see one chain; never on the host `apart_from`.

        Raises `RemoteError` with the preferred endpoint's reason when every one fails.
        """
        failures: list[RemoteError] = []
        for endpoint in [each for each in self._endpoints if each.host != apart_from]:
            try:
                result = await work(endpoint)
            except RemoteError as error:
                self._note(endpoint, error)
                failures.append(error)
            else:
                self._recovered(endpoint)
                if not apart_from:
                    self._prefer(endpoint)
                return result
        if not failures:
            raise RemoteError(FailureReason.DISAGREEMENT, f"no endpoint of {self._network} other than {apart_from}")
        raise RemoteError(failures[0].reason, "; ".join(failure.detail for failure in failures)) from failures[-1]

    async def each(self, work: Callable[[E], Awaitable[T]]) -> list[T]:
        """Do `work` on every endpoint: the results of those that answer. Raises `RemoteError` where none does."""
        results: list[T] = []
        failures: list[RemoteError] = []
        for endpoint in tuple(self._endpoints):
            try:
                results.append(await work(endpoint))
            except RemoteError as error:
                failures.append(error)
        if not results:
            raise RemoteError(failures[0].reason, "; ".join(failure.detail for failure in failures)) from failures[-1]
        return results

    def _prefer(self, endpoint: E) -> None:
        self._endpoints.remove(endpoint)
        self._endpoints.insert(0, endpoint)

    def _note(self, endpoint: E, error: RemoteError) -> None:
        if endpoint.host not in self._failing:
            log.warning(
                "endpoint_failing",
                network=self._network,
                host=endpoint.host,
                reason=error.reason,
                detail=error.detail,
                others=len(self._endpoints) - 1,
            )
        self._failing[endpoint.host] = error.reason

    def _recovered(self, endpoint: E) -> None:
        if self._failing.pop(endpoint.host, None) is not None:
            log.info("endpoint_recovered", network=self._network, host=endpoint.host)
