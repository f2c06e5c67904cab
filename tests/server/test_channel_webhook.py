"""The webhook against a server that checks the signature, remembers keys and may fall silent after it has taken one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from monitor.channels.outbox import Outbox
from monitor.channels.webhook import BodyError, Hook, WebhookChannel, rendered
from monitor.clock import Clock
from monitor.config.channels import DEFAULT_BODY
from monitor.http import Http
from monitor.model import DeliveryOutcome, Draft, RemoteError
from tests.server.test_outbox import MemoryStore, draft_of, running
from tests.webhook_receiver import SECRET, Receiver, Way

START = datetime(2026, 2, 3, 2, 21, tzinfo=UTC)


class Desk:
    def __init__(self, receiver: Receiver, http: Http, clock: Clock) -> None:
        self.receiver = receiver
        self.clock = clock
        self.http = http
        self.channel = self.made()

    def made(self, *, secret: str = SECRET, body: str = DEFAULT_BODY, allow_private: bool = True) -> WebhookChannel:
        hook = Hook(
            url=self.receiver.url, secret=secret, body=body, content_type="application/json",
            allow_private=allow_private,
        )  # fmt: skip
        return WebhookChannel(self.http, self.clock, hook=hook)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    clock = Clock(start=START, speed=1000.0)
    async with Receiver() as receiver, Http(clock, per_second={"127.0.0.1": 1000.0}) as http:
        yield Desk(receiver, http, clock)


def words(name: str = "d-1") -> Draft:
    return draft_of(name, channel="webhook")


async def test_the_body_is_the_draft_and_is_signed(desk: Desk) -> None:
    receipt = await desk.channel.publish(words(), first=None)
    assert receipt.outcome is DeliveryOutcome.POSTED
    told = msgspec.json.decode(desk.receiver.bodies[0])
    assert (told["id"], told["text"], told["stage"]) == ("d-1", words().text, "investigating")
    assert desk.receiver.heard == ["d-1"]


async def test_a_wrong_secret_is_for_good(desk: Desk) -> None:
    with pytest.raises(RemoteError, match="401") as raised:
        await desk.made(secret="another-secret").publish(words(), first=None)  # noqa: S106
    assert raised.value.permanent


async def test_a_private_address_needs_leave(desk: Desk) -> None:
    with pytest.raises(RemoteError, match="private address"):
        await desk.made(allow_private=False).publish(words(), first=None)
    assert desk.receiver.heard == []


@pytest.mark.parametrize(
    ("ways", "outcomes"),
    [
        pytest.param([Way.DROP_AFTER], ["rate_limited", "posted"], id="cut off after it was taken"),
        pytest.param(
            [Way.ERROR_AFTER, Way.ERROR_AFTER], ["rate_limited"] * 2 + ["posted"], id="500 after it was taken"
        ),
        pytest.param([Way.ERROR, Way.ERROR], ["rate_limited"] * 2 + ["posted"], id="500 twice"),
        pytest.param([Way.LIMITED], ["rate_limited", "posted"], id="429"),
        pytest.param([Way.GONE], ["rejected"], id="gone for good"),
    ],
)
async def test_it_arrives_and_is_acted_on_once(desk: Desk, ways: list[Way], outcomes: list[str]) -> None:
    desk.receiver.ways = ways
    store = MemoryStore()
    store.approve(words())
    async with running(Outbox(store, {"webhook": desk.channel}, desk.clock, store.deliver)):
        assert await store.outcomes(len(outcomes)) == outcomes
    assert set(desk.receiver.heard) == {"d-1"}
    assert desk.receiver.taken == ({} if outcomes == ["rejected"] else {"d-1": 1})
    assert all(d.reason for d in store.deliveries if d.outcome is not DeliveryOutcome.POSTED)


async def test_it_waits_as_long_as_it_is_told(desk: Desk) -> None:
    desk.receiver.ways = [Way.LIMITED]
    receipt = await desk.channel.publish(words(), first=None)
    assert receipt.until is not None
    assert receipt.until - desk.clock.now() > timedelta(seconds=10)


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{{ nothing }}", id="a word there is not"),
        pytest.param("{{ text", id="not a template"),
        pytest.param("{{ text.__class__.__mro__ }}", id="out of the sandbox"),
        pytest.param("{{ 'x' * 300000 }}", id="too long"),
        pytest.param("{{ 1 / 0 }}", id="arithmetic"),
    ],
)
def test_a_body_that_does_not_hold_is_told(template: str) -> None:
    with pytest.raises(BodyError):
        rendered(template, words(), first=None)


def test_a_text_cannot_break_out_of_the_body() -> None:
    text = 'He said "no", {{ 7 * 7 }} \\ \n </script> \u2028'
    told = msgspec.json.decode(rendered(DEFAULT_BODY, replace(words(), text=text), first=None))
    assert told["text"] == text
