"""An incident of ours is one at Atlassian Statuspage (management API v1), and each later stage updates it.

Ours are known by a mark in their metadata, so that one whose making was never answered is found and not made again.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from monitor.channels.channel import Receipt, posted
from monitor.clock import Clock
from monitor.http import Answer, Http
from monitor.model import Attempt, DeliveryOutcome, Draft, FailureReason, RemoteError, Stage

BASE = "https://api.statuspage.io"
PER_SECOND = 1.0  # of a token, over a minute
LIMITED_SECONDS = 60.0
LARGEST_PAGE = 100
MARK = "cexwatch"

T = TypeVar("T")
Named = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Page(Struct, frozen=True, kw_only=True):
    """What is written where. `statuses`: what each stage makes of the components; `impact` None is computed there."""

    base: str
    page: str
    key: str
    title: str
    components: Sequence[str]
    statuses: Mapping[Stage, str]
    impact: str | None
    notifies: bool
    allow_private: bool


class _Update(Struct, frozen=True):
    body: str | None = None


class _Incident(Struct, frozen=True):
    """https://developer.statuspage.io/#tag/incidents"""

    id: Named
    metadata: dict[str, object] = {}
    incident_updates: list[_Update] = []

    def is_of(self, incident: str) -> bool:
        match self.metadata.get(MARK):
            case {"incident": str(named)}:
                return named == incident
            case _:
                return False

    def says(self, text: str) -> bool:
        return any(update.body is not None and update.body.strip() == text.strip() for update in self.incident_updates)


class StatuspageChannel:
    name = "statuspage"
    public = True

    def __init__(self, http: Http, clock: Clock, *, page: Page) -> None:
        self._http = http
        self._clock = clock
        self._page = page
        self._incidents = f"{page.base.rstrip('/')}/v1/pages/{page.page}/incidents"

    async def publish(self, draft: Draft, *, first: str | None) -> Receipt:
        """Make the incident, or update it. Raises RemoteError where that failed or may have failed."""
        try:
            mine = first or await self._made_before(draft)
        except RemoteError as error:
            # Until here we have only looked.
            raise RemoteError(error.reason, error.detail, permanent=error.permanent, unsent=True) from error
        try:
            answer = await self._sent(draft, mine)
        except RemoteError as error:
            return self._limited(error)
        return posted(_decoded(answer, _Incident).id)

    async def find(self, attempt: Attempt, *, first: str | None) -> Receipt | None:
        """Whether an incident of ours has exactly this text among its updates."""
        incident = await self._one(first) if first is not None else await self._marked(attempt.draft.incident)
        if incident is None or not incident.says(attempt.draft.text):
            return None
        return posted(incident.id)

    async def _made_before(self, draft: Draft) -> str | None:
        """The incident that a try made whose answer never came."""
        found = await self._marked(draft.incident)
        return found.id if found is not None else None

    async def _sent(self, draft: Draft, mine: str | None) -> Answer:
        headers, private = self._headers(), self._page.allow_private
        body = msgspec.json.encode({"incident": self._written(draft, is_new=mine is None)})
        if mine is None:
            return await self._http.post(self._incidents, body, headers=headers, allow_private=private)
        return await self._http.patch(f"{self._incidents}/{mine}", body, headers=headers, allow_private=private)

    def _written(self, draft: Draft, *, is_new: bool) -> dict[str, object]:
        page = self._page
        written: dict[str, object] = {
            "status": str(draft.stage),
            "body": draft.text,
            "deliver_notifications": page.notifies,
            "metadata": {MARK: {"incident": draft.incident}},
        }
        if page.components:
            written["component_ids"] = list(page.components)
            written["components"] = dict.fromkeys(page.components, page.statuses[draft.stage])
        if page.impact is not None:
            written["impact_override"] = page.impact
        return {"name": page.title, **written} if is_new else written

    async def _marked(self, incident: str) -> _Incident | None:
        """Among the unresolved ones, then among the newest of all: what we resolved is in no list of open ones."""
        for where in (f"{self._incidents}/unresolved", self._incidents):
            answer = await self._asked(f"{where}?per_page={LARGEST_PAGE}")
            found = [each for each in _decoded(answer, list[_Incident]) if each.is_of(incident)]
            if found:
                return found[0]
        return None

    async def _one(self, name: str) -> _Incident:
        return _decoded(await self._asked(f"{self._incidents}/{name}"), _Incident)

    async def _asked(self, url: str) -> Answer:
        return await self._http.get(url, headers=self._headers(), allow_private=self._page.allow_private)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"OAuth {self._page.key}"}

    def _limited(self, error: RemoteError) -> Receipt:
        """It lets us wait, and has taken nothing. Raises `error` where that is not what it says."""
        if error.reason is not FailureReason.RATE_LIMITED:
            raise error
        until = self._http.closed_until(self._incidents)
        soon = self._clock.now() + timedelta(seconds=LIMITED_SECONDS)
        return Receipt(outcome=DeliveryOutcome.RATE_LIMITED, until=until or soon, reason=str(error))


def _decoded(answer: Answer, shape: type[T]) -> T:
    """Raises `RemoteError` (schema): it said yes, and nobody knows to what."""
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except msgspec.MsgspecError as error:
        raise RemoteError(FailureReason.SCHEMA, f"Statuspage: {error}") from error
