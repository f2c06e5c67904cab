"""A scenario in words: what was published, what is assumed, what happens in it, and what should have been told."""

from collections.abc import Iterator

from monitor.replay.scenarios.reconstruction import LABEL
from monitor.replay.scenarios.scenario import (
    Chain,
    Claim,
    Event,
    Flags,
    Move,
    Pace,
    Rush,
    Scenario,
    Talk,
    Words,
)
from monitor.replay.truth import Event as Happened


def about(scenario: Scenario) -> str:
    """All of it, as lines of text."""
    return "\n".join(_lines(scenario)) + "\n"


def _lines(scenario: Scenario) -> Iterator[str]:
    yield f"{scenario.name}: {scenario.title}"
    yield f"A {LABEL}: nobody recorded these readings. What no source gives is assumed."
    yield "\nPublished:"
    yield from (f"- {_claim(claim)}" for claim in scenario.claims)
    yield "\nAssumed:"
    yield from (f"- {words}" for words in scenario.assumed)
    yield "\nOn an ordinary day (four weeks of it come first):"
    yield from (f"- {_chain(chain)}" for chain in scenario.chains)
    yield f"\nWhat happens (UTC), from {scenario.begins:%Y-%m-%d %H:%M} to {scenario.ends:%Y-%m-%d %H:%M}:"
    yield from (f"- {_event(event)}" for event in scenario.events)
    yield "\nWhat should have been told:"
    yield from (f"- {_truth(truth)}" for truth in scenario.truth)


def _claim(claim: Claim) -> str:
    published = f", {claim.published:%Y-%m-%d}" if claim.published is not None else ""
    return f"{claim.what} [{claim.source}{published}] {claim.url}".rstrip()


def _chain(chain: Chain) -> str:
    pace = f"{chain.payments:g} outgoing transactions a minute, {chain.typical} {chain.asset} the median"
    blocks = f", a block in {chain.block_seconds:g} s" if chain.block_seconds is not None else ""
    reserve = f", {chain.reserve:,} {chain.asset} held" if chain.reserve is not None else ""
    return f"{chain.network}: {pace}{blocks}{reserve}"


def _event(event: Event) -> str:
    match event:
        case Pace():
            networks = ", ".join(event.networks) or "every network"
            largest = f", none above {event.largest} coins" if event.largest is not None else ""
            return f"{_span(event)} payments on {networks} at {event.factor:g} times the usual{largest}"
        case Rush():
            coins = f"{event.coins:,} coins in {event.transactions:,} transactions"
            return f"{_span(event)} {event.network}: {coins} go {event.way}, on top of the usual"
        case Move():
            where = "to a wallet of its own" if event.internal else "to an unknown address"
            cold = " out of a cold wallet" if event.cold else ""
            return f"{event.at:%d %H:%M} {event.network}: {event.coins:,} coins{cold} {where}"
        case Flags():
            rails = ", ".join(map(str, event.rails)) or "every rail"
            return f"{event.at:%d %H:%M} the list says {rails} {event.state}"
        case Words():
            return f"{event.at:%d %H:%M} they say: {event.text}"
        case Talk():
            return f"{_span(event)} mentions at {event.factor:g} times the usual"


def _span(event: Pace | Rush | Talk) -> str:
    return f"{event.start:%d %H:%M} to {event.end:%d %H:%M}"


def _truth(truth: Happened) -> str:
    paged = "a page" if truth.must_page else "no page"
    return f"{truth.start:%d %H:%M} to {truth.end:%d %H:%M} {truth.kind}, {paged}: {truth.note}"
