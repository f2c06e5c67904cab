"""How often an exchange is spoken of, as somebody else counts it: a number in a JSON document, by JMESPath."""

import jmespath

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, Mentions, Reading, RemoteError
from monitor.probes.answer import decode, own_endpoint, shortened
from monitor.probes.http_json import found_at

LARGEST = 10**12


class JsonMentionsProbe:
    """Reads one number: the mentions within the last `window_seconds`."""

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        url: str,
        query: str,
        count: str,
        window_seconds: float,
        interval: float,
        allow_private: bool,
        token: str = "",
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._clock = clock
        self._query = query
        self._count = jmespath.compile(count)
        self._window_seconds = window_seconds
        self._endpoint = own_endpoint(http, url, token=token, allow_private=allow_private, interval=interval)

    async def observe(self) -> Reading:
        answer = await self._endpoint.fetch()
        count = await self._endpoint.read(answer, self._counted)
        return (
            Mentions(
                at=self._clock.now(),
                exchange=self.exchange,
                probe=self.name,
                query=self._query,
                count=count,
                window_seconds=self._window_seconds,
            ),
        )

    def _counted(self, body: bytes) -> int:
        match found_at(self._count, decode(body, object)):
            case bool():
                pass
            case int() | float() as count if 0 <= count <= LARGEST and count == int(count):
                return int(count)
        raise RemoteError(FailureReason.SCHEMA, shortened(f"no count at `{self._count.expression}`"))
