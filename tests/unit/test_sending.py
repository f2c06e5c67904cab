"""What becomes of a draft at its channel: what waits, what may be tried again, and when another channel is offered."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from monitor.engine.sending import channels_of, delivered, no_retry, renewed
from monitor.model import Delivery, DeliveryOutcome, Draft, DraftState, Judging
from tests.unit.test_drafts import HALT, NOW, drafted

JUDGING = Judging(channels=("file", "x"), fallbacks={"x": "statuspage"}, fallback_seconds={"x": 300.0})
APPROVED = replace(drafted(HALT, channel="x"), state=DraftState.APPROVED)


def told(outcome: DeliveryOutcome, *, minutes: float = 0, until: float | None = None, **more: bool) -> Delivery:
    return Delivery(
        at=NOW + timedelta(minutes=minutes),
        exchange="kraken",
        probe="outbox",
        draft=APPROVED.id,
        channel="x",
        outcome=outcome,
        until=NOW + timedelta(minutes=until) if until is not None else None,
        reason="x.com answered something",
        searched=more.get("searched", False),
    )


def after(*deliveries: Delivery, draft: Draft = APPROVED) -> Draft:
    for delivery in deliveries:
        draft = delivered(draft, delivery, at=delivery.at) or draft
    return draft


LIMITED = DeliveryOutcome.RATE_LIMITED
UNKNOWN = DeliveryOutcome.UNKNOWN_OUTCOME


@pytest.mark.parametrize(
    ("deliveries", "state"),
    [
        pytest.param([told(DeliveryOutcome.POSTED)], DraftState.POSTED, id="posted"),
        pytest.param([told(DeliveryOutcome.REJECTED)], DraftState.REFUSED, id="rejected"),
        pytest.param([told(LIMITED, until=5)], DraftState.APPROVED, id="it waits"),
        pytest.param([told(UNKNOWN)], DraftState.UNKNOWN_OUTCOME, id="nobody knows"),
        pytest.param([told(UNKNOWN), told(DeliveryOutcome.POSTED, searched=True)], DraftState.POSTED, id="found"),
        pytest.param([told(DeliveryOutcome.POSTED), told(UNKNOWN)], DraftState.POSTED, id="posted stays posted"),
        pytest.param([told(DeliveryOutcome.POSTED), told(LIMITED, until=1)], DraftState.POSTED, id="for good"),
    ],
)
def test_a_draft_is_what_its_channel_made_of_it(deliveries: list[Delivery], state: DraftState) -> None:
    assert after(*deliveries).state is state


def test_what_waits_says_since_when_until_when_and_why() -> None:
    waiting = after(told(LIMITED, until=1), told(LIMITED, minutes=1, until=9))
    assert waiting.limited_since == NOW
    assert waiting.waits_until == NOW + timedelta(minutes=9)
    assert waiting.reason == "x.com answered something"
    assert after(told(DeliveryOutcome.POSTED), draft=waiting).waits_until is None


def test_a_journal_without_reasons_leads_to_what_it_led_to() -> None:
    assert delivered(APPROVED, replace(told(LIMITED, until=5), reason=""), at=NOW) is None


@pytest.mark.parametrize(
    ("draft", "others", "why"),
    [
        pytest.param(after(told(UNKNOWN), told(UNKNOWN, searched=True)), [], None, id="surely not there"),
        pytest.param(after(told(UNKNOWN)), [], "nobody has surely looked", id="nobody has looked"),
        pytest.param(after(told(DeliveryOutcome.REJECTED)), [], None, id="it was refused"),
        pytest.param(
            after(told(UNKNOWN, searched=True)), [replace(APPROVED, id="d-new")], "has taken the place", id="overtaken"
        ),
    ],
)
def test_only_what_is_surely_not_there_is_tried_again(draft: Draft, others: list[Draft], why: str | None) -> None:
    refusal = no_retry(draft, newest=[draft, *others][-1])
    assert (refusal is None) if why is None else (refusal is not None and why in refusal)


def test_another_try_begins_anew() -> None:
    later = NOW + timedelta(hours=1)
    again = renewed(after(told(UNKNOWN, searched=True)), now=later, expiry_seconds=1200.0)
    assert (again.state, again.text, again.searched, again.reason) == (DraftState.PENDING, APPROVED.text, False, "")
    assert again.expires_at == later + timedelta(minutes=20)


OFFERED = drafted(HALT, channel="statuspage")


@pytest.mark.parametrize(
    ("written", "is_offered"),
    [
        pytest.param([], False, id="nothing was said yet"),
        pytest.param([drafted(HALT)], False, id="it waits for a person"),
        pytest.param([after(told(DeliveryOutcome.POSTED))], False, id="posted"),
        pytest.param([after(told(DeliveryOutcome.REJECTED))], True, id="refused"),
        pytest.param([after(told(LIMITED, until=5))], False, id="it waits for five minutes"),
        pytest.param([after(told(LIMITED, until=6))], True, id="it waits for longer"),
        pytest.param(
            [after(told(LIMITED, until=1), told(LIMITED, minutes=1, until=3), told(LIMITED, minutes=3, until=7))],
            True,
            id="it waits again and again",
        ),
        pytest.param([after(told(UNKNOWN))], False, id="it may be up"),
        pytest.param([after(told(DeliveryOutcome.REJECTED)), OFFERED, drafted(HALT)], True, id="offered before"),
        pytest.param([OFFERED, after(told(DeliveryOutcome.POSTED))], False, id="offered, and posted after all"),
        pytest.param(
            [replace(OFFERED, state=DraftState.POSTED), after(told(DeliveryOutcome.POSTED))],
            True,
            id="it was told there, and is to its end",
        ),
    ],
)
def test_a_fall_back_is_offered_where_the_other_cannot_post(written: list[Draft], is_offered: bool) -> None:
    usual = ["file", "x"]
    assert channels_of(written, JUDGING) == ([*usual, "statuspage"] if is_offered else usual)
