"""Journals in which people decide on the drafts that the engines make of them."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count

from monitor.engine.run import Engines, judge
from monitor.model import (
    Command,
    Delivery,
    DeliveryOutcome,
    Draft,
    DraftState,
    Observation,
    Output,
    Verb,
)
from monitor.notices.draft import sha256

PATIENCE = timedelta(seconds=30)


def with_people(entries: Iterable[Observation]) -> list[Observation]:
    """The entries, and after each that led to a draft what a person and the outbox made of it, case by case."""
    engines = Engines.fresh()
    journal: list[Observation] = []
    case = count()
    for entry in entries:
        journal.append(entry)
        for draft in _waiting(judge(engines, entry, engines.apply)):
            words = list(_words(draft, next(case), at=entry.at))
            for word in words:
                judge(engines, word, engines.apply)
            journal += words
    return journal


def command(verb: Verb, *, at: datetime, draft: Draft | None = None, text: str | None = None) -> Command:
    """An approval or edit names `text`, or the draft's own; without a draft the verb is said to the world."""
    shown = draft.text if draft is not None and text is None else text
    return Command(
        at=at,
        exchange=draft.exchange if draft is not None else "",
        probe="socket",
        verb=verb,
        actor="dana",
        subject=draft.id if draft is not None else "",
        arguments={"text": shown} if verb is Verb.EDIT and shown is not None else {},
        text_sha256=sha256(shown) if verb in (Verb.APPROVE, Verb.RETRY) and shown is not None else None,
    )


def delivery(draft: Draft, outcome: DeliveryOutcome, *, at: datetime, until: datetime | None = None) -> Delivery:
    return Delivery(
        at=at,
        exchange=draft.exchange,
        probe="outbox",
        draft=draft.id,
        channel=draft.channel,
        outcome=outcome,
        until=until,
    )


def _waiting(outputs: Iterable[Output]) -> list[Draft]:
    drafts = {output.id: output for output in outputs if type(output) is Draft}
    return [draft for draft in drafts.values() if draft.state is DraftState.PENDING]


def _words(draft: Draft, case: int, *, at: datetime) -> Iterator[Observation]:
    match case % 6:
        case 0:
            yield command(Verb.APPROVE, at=at, draft=draft)
            yield delivery(draft, DeliveryOutcome.POSTED, at=at)
        case 1:
            text = f"{draft.text}\nWe will update this post."
            yield command(Verb.EDIT, at=at, draft=draft, text=text)
            yield command(Verb.APPROVE, at=at, draft=draft)  # of the former text: refused
            yield command(Verb.APPROVE, at=at, draft=draft, text=text)
            yield delivery(draft, DeliveryOutcome.RATE_LIMITED, at=at, until=at + PATIENCE)
            yield delivery(draft, DeliveryOutcome.POSTED, at=at)
        case 2:
            yield command(Verb.REJECT, at=at, draft=draft)
        case 3:
            yield command(Verb.APPROVE, at=at, draft=draft)
            yield delivery(draft, DeliveryOutcome.UNKNOWN_OUTCOME, at=at)
        case 4:
            yield command(Verb.HOLD, at=at)
            yield command(Verb.APPROVE, at=at, draft=draft)  # refused
            yield command(Verb.RELEASE, at=at)
            yield command(Verb.APPROVE, at=at, draft=draft)
        case _:
            pass  # it expires
