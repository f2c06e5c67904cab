"""Status pages that are no Statuspage: one word of a JSON document, read by a mapping that a person configured."""

from collections.abc import Mapping
from functools import partial

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

from monitor.clock import Clock
from monitor.model import FailureReason, Reading, RemoteError, Source, SystemStatus
from monitor.probes.answer import Endpoint, decode, shortened
from monitor.probes.system_status import Component, SystemState

LONGEST_WORD = 200


class StatusJsonProbe:
    """Tells at every reading what the word at `state` (JMESPath) means by `states`.

    A number or boolean is its JSON, as `0` or `true`. A word that `states` does not name is a failure that names it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        interval: float,
        component: Component,
        state: str,
        states: Mapping[str, SystemState],
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._endpoint = endpoint
        self._clock = clock
        self._component = component
        self._state = state
        self._states = states

    async def observe(self) -> Reading:
        answer = await self._endpoint.fetch()
        at = self._clock.now()
        word = await self._endpoint.read(answer, partial(word_at, path=self._state))
        state = self._states.get(word)
        if state is None:
            raise RemoteError(FailureReason.SCHEMA, shortened(f"{word!r} at `{self._state}` is not in `states`"))
        return (
            SystemStatus(
                at=at,
                exchange=self.exchange,
                probe=self.name,
                component=self._component,
                state=state,
                raw=word,
                source=Source.STATUS_PAGE,
            ),
        )


def word_at(body: bytes, *, path: str) -> str:
    """What stands at `path` of the document. Raises `RemoteError` (schema) where no single word does."""
    document = decode(body, object)
    try:
        found: object = jmespath.search(path, document)
    except JMESPathError as error:
        raise RemoteError(FailureReason.SCHEMA, shortened(f"`{path}`: {error}")) from error
    match found:
        case str() if found and found.isprintable():
            return found[:LONGEST_WORD]
        case bool() | int():
            return msgspec.json.encode(found).decode()
        case _:
            raise RemoteError(FailureReason.SCHEMA, shortened(f"no word at `{path}`"))
