"""Range queries to a Prometheus, in pieces that it answers: `GET /api/v1/query_range`."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from monitor.probes import promql
from monitor.probes.answer import shortened

POINTS = 10_000  # of a series in one answer; Prometheus refuses more than 11,000
TIMEOUT_SECONDS = 120.0
SHORTER = 0.001  # than a step, for older servers count both ends of a range

Progress = Callable[[int, int], None]

_SELECTOR = re.compile(r"[a-zA-Z_:][\w:]*(?:\{[^{}]*\})?|\{[^{}]*\}", re.ASCII)
_FRESH = re.compile(r"_over_time\s*\(|\b(?:increase|rate|delta|changes|resets)\s*\(")


class Span(Struct, frozen=True):
    """The times that are asked for: `begin`, `begin` + `step`, ... up to `end`."""

    begin: datetime
    end: datetime
    step: timedelta

    @property
    def points(self) -> int:
        return math.floor((self.end - self.begin) / self.step) + 1

    def pieces(self, points: int) -> Iterator["Span"]:
        """One after the other, each of at most so many points."""
        for first in range(0, self.points, points):
            last = min(first + points, self.points) - 1
            yield Span(self.begin + first * self.step, self.begin + last * self.step, self.step)


class Series(Struct):
    """Values by unix second, oldest first."""

    labels: dict[str, str]
    values: list[tuple[float, float]] = []


class _Matrix(Struct, frozen=True):
    metric: dict[str, str]
    values: list[tuple[float, str]]


class Prometheus:
    """A server as a person names it. `token` is sent as a bearer's."""

    def __init__(self, http: Http, url: str, *, token: str = "") -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def series(self, query: str, span: Span, *, progress: Progress) -> list[Series]:
        """Everything it keeps of `query`, by labels. NaN and infinities are no values. Raises RemoteError.

        A sample of a plain selector counts for one step and no longer: what was not scraped is missing.
        """
        found: dict[tuple[tuple[str, str], ...], Series] = {}
        done = 0
        for piece in span.pieces(POINTS):
            for each in await self._piece(query, piece):
                key = tuple(sorted(each.metric.items()))
                series = found.setdefault(key, Series(each.metric))
                read = ((at, promql.number(text)) for at, text in each.values)
                series.values += [(at, number) for at, number in read if math.isfinite(number)]
            done += piece.points
            progress(done, span.points)
        return [found[key] for key in sorted(found)]

    async def _piece(self, query: str, piece: Span) -> Sequence[_Matrix]:
        """In halves, where an answer would be too large."""
        try:
            return await self._ask(query, piece)
        except RemoteError as error:
            if error.reason is not FailureReason.TOO_LARGE or piece.points < 2:
                raise
        halves = piece.pieces((piece.points + 1) // 2)
        return [each for half in halves for each in await self._piece(query, half)]

    async def _ask(self, query: str, piece: Span) -> Sequence[_Matrix]:
        address = promql.address(
            self._url,
            "query_range",
            query=fresh(query, piece.step),
            start=f"{piece.begin.timestamp():.3f}",
            end=f"{piece.end.timestamp():.3f}",
            step=f"{piece.step.total_seconds():g}",
            lookback_delta=f"{piece.step.total_seconds() - SHORTER:.3f}",
        )
        answer = await self._http.get(address, headers=self._headers, allow_private=True, timeout=TIMEOUT_SECONDS)
        try:
            return [msgspec.json.decode(each, type=_Matrix) for each in promql.result(answer.body, "matrix")]
        except msgspec.DecodeError as error:
            raise RemoteError(FailureReason.SCHEMA, shortened(f"{query}: {error}")) from error


def fresh(query: str, step: timedelta) -> str:
    """A plain selector as the newest sample of each step: a server holds a sample for five minutes after the last
    scrape, and a counter that was not scraped would look like one that stands still.
    """
    if _SELECTOR.fullmatch(query.strip()) is None:
        return query
    return f"last_over_time({query.strip()}[{round((step.total_seconds() - SHORTER) * 1000)}ms])"


def may_hold(query: str) -> bool:
    """Whether a sample may count for longer than a step: neither a plain selector nor one over a range."""
    return _SELECTOR.fullmatch(query.strip()) is None and _FRESH.search(query) is None
