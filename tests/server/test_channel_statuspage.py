"""Incidents at Statuspage against a server that behaves as documented."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from monitor.channels.channel import Receipt
from monitor.channels.statuspage import PER_SECOND, Page, StatuspageChannel
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import Attempt, DeliveryOutcome, Draft, FailureReason, RemoteError, Stage
from monitor.voices import STATUSES
from tests.server.test_outbox import draft_of
from tests.statuspage_api import COMPONENTS, KEY, PAGE, StatuspageApi, Way

START = datetime(2026, 2, 3, 2, 21, tzinfo=UTC)
SPEED = 10.0  # the pace of a request a second is kept on the clock


class Desk:
    def __init__(self, http: Http, clock: Clock, server: StatuspageApi, key: str) -> None:
        self.server = server
        page = Page(
            base=server.url,
            page=PAGE,
            key=key,
            title="Withdrawals",
            components=COMPONENTS[:1],
            statuses=STATUSES,
            impact="major",
            notifies=True,
            allow_private=True,
        )
        self.channel = StatuspageChannel(http, clock, page=page)

    async def publish(self, draft: Draft, first: str | None = None) -> Receipt:
        return await self.channel.publish(draft, first=first)

    async def find(self, draft: Draft, first: str | None = None) -> Receipt | None:
        return await self.channel.find(Attempt(draft=draft, began_at=START), first=first)


Make = Callable[[str], Desk]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    clock = Clock(start=START, speed=SPEED)
    async with (
        StatuspageApi(monotonic=clock.monotonic) as server,
        Http(clock, per_second={"127.0.0.1": PER_SECOND}) as http,
    ):
        yield lambda key: Desk(http, clock, server, key)


@pytest.fixture
def desk(make: Make) -> Desk:
    return make(KEY)


def words(stage: Stage = Stage.INVESTIGATING, text: str = "Withdrawals are halted.", name: str = "d-1") -> Draft:
    return replace(draft_of(name, channel="statuspage"), text=text, stage=stage)


STORY = [
    (Stage.INVESTIGATING, "Withdrawals are halted.", "major_outage"),
    (Stage.IDENTIFIED, "The cause is found.", "major_outage"),
    (Stage.MONITORING, "Withdrawals are processed again.", "degraded_performance"),
    (Stage.RESOLVED, "Withdrawals are normal.", "operational"),
]


async def test_an_incident_is_one_there_and_goes_through_its_stages(desk: Desk) -> None:
    first = None
    for n, (stage, text, status) in enumerate(STORY):
        receipt = await desk.publish(words(stage, text, f"d-{n}"), first)
        assert receipt.outcome is DeliveryOutcome.POSTED
        first = first or receipt.remote_id
        [incident] = desk.server.incidents
        assert (incident.id, incident.status) == (receipt.remote_id, stage)
        assert incident.components == {COMPONENTS[0]: status}
    assert desk.server.texts() == [text for _, text, _ in STORY]
    assert (desk.server.incidents[0].name, desk.server.incidents[0].impact) == ("Withdrawals", "major")
    assert desk.server.too_fast == 0


@pytest.mark.parametrize("way", [Way.DROP_AFTER, Way.NO_JSON_AFTER])
async def test_one_whose_making_was_not_answered_is_found_and_not_made_again(desk: Desk, way: Way) -> None:
    desk.server.ways = [way]
    with pytest.raises(RemoteError) as raised:
        await desk.publish(words())
    assert not raised.value.unsent
    assert not raised.value.permanent
    found = await desk.find(words())
    assert found is not None
    assert found.remote_id == desk.server.incidents[0].id
    later = words(Stage.RESOLVED, "Withdrawals are normal.", "d-2")
    assert (await desk.publish(later)).remote_id == found.remote_id
    assert len(desk.server.incidents) == 1
    assert (await desk.find(later)) == found  # it is resolved now, and in no list of open ones


@pytest.mark.parametrize("way", [Way.HTML, Way.EMPTY, Way.DROP_BEFORE])
async def test_what_was_not_taken_is_surely_not_there(desk: Desk, way: Way) -> None:
    desk.server.ways = [way]
    with pytest.raises(RemoteError) as raised:
        await desk.publish(words())
    assert not raised.value.unsent
    assert await desk.find(words()) is None
    assert desk.server.writes == 1


async def test_an_update_that_was_not_taken_is_not_taken_for_the_first_words(desk: Desk) -> None:
    first = (await desk.publish(words())).remote_id
    desk.server.ways = [Way.HTML]
    later = words(Stage.IDENTIFIED, "The cause is found.", "d-2")
    with pytest.raises(RemoteError):
        await desk.publish(later, first)
    assert await desk.find(later, first) is None
    assert await desk.find(words(), first) is not None


@pytest.mark.parametrize("way", [Way.CALM_DOWN, Way.TOO_MANY])
async def test_it_waits_where_it_is_too_fast(desk: Desk, way: Way) -> None:
    desk.server.ways = [way]
    receipt = await desk.publish(words())
    assert receipt.outcome is DeliveryOutcome.RATE_LIMITED
    assert receipt.until is not None
    assert receipt.until >= START + timedelta(seconds=20)
    assert desk.server.incidents == []


@pytest.mark.parametrize("way", [Way.UNPROCESSABLE, Way.UNAUTHORIZED])
async def test_a_no_is_for_good(desk: Desk, way: Way) -> None:
    desk.server.ways = [way]
    with pytest.raises(RemoteError) as raised:
        await desk.publish(words())
    assert raised.value.permanent
    assert desk.server.incidents == []


async def test_a_wrong_key_is_told_without_it(make: Make) -> None:
    with pytest.raises(RemoteError, match="answered 401") as raised:
        await make("another-key").publish(words())
    assert raised.value.permanent
    assert "another-key" not in str(raised.value)


@pytest.mark.parametrize("way", [Way.HTML, Way.EMPTY, Way.DROP_BEFORE])
async def test_while_nobody_knows_what_is_there_nothing_is_sent(desk: Desk, way: Way) -> None:
    desk.server.list_ways = [way, way]  # a look that was cut off is taken once more
    with pytest.raises(RemoteError) as raised:
        await desk.publish(words())
    assert raised.value.unsent
    assert desk.server.writes == 0


async def test_the_incident_of_another_is_left_alone(desk: Desk) -> None:
    mine, other = words(), replace(words(name="d-2"), incident="i-2")
    await desk.publish(mine)
    await desk.publish(other)
    assert len(desk.server.incidents) == 2
    found = await desk.find(other)
    assert found is not None
    assert found.remote_id == desk.server.incidents[1].id


async def test_an_incident_that_somebody_deleted_is_told(desk: Desk) -> None:
    with pytest.raises(RemoteError, match="404") as raised:
        await desk.publish(words(), "gone")
    assert (raised.value.permanent, raised.value.reason) == (True, FailureReason.HTTP_4XX)
