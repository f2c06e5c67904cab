"""The bundled scenarios, replayed: to the transitions of a file, and true to their story.

`python -m tests.replay.test_scenarios` writes the files anew, with PYTHONPATH=.; a change of them says why.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
import pytest

from monitor.model import (
    Change,
    Entry,
    IncidentKind,
    Severity,
    Transition,
)
from monitor.replay.replay import replay
from monitor.replay.scenarios import SCENARIOS
from monitor.replay.scenarios.reconstruction import entries

GOLDEN = Path(__file__).parent / "golden"
NAMES = tuple(SCENARIOS)
EVERY = pytest.mark.parametrize("name", NAMES)
MINUTE = timedelta(minutes=1)

HALT, RUN, EXPLOIT = IncidentKind.WITHDRAWAL_HALT, IncidentKind.BANK_RUN, IncidentKind.SUSPECTED_EXPLOIT
Told = Sequence[Transition]


@cache
def told(name: str) -> tuple[Transition, ...]:
    journal = (Entry(seq, entry) for seq, entry in enumerate(entries(SCENARIOS[name]), start=1))
    return tuple(output for _, outputs in replay(journal) for output in outputs if type(output) is Transition)


def lines(transitions: Told) -> bytes:
    return b"".join(msgspec.json.encode(transition) + b"\n" for transition in transitions)


@EVERY
def test_transitions_are_those_of_the_file(name: str) -> None:
    assert lines(told(name)) == (GOLDEN / f"{name}.jsonl").read_bytes()


def paged(transitions: Told) -> Iterator[Transition]:
    """What wakes somebody: critical, and new."""
    changes = (Change.OPENED, Change.REOPENED, Change.ESCALATED)
    return (t for t in transitions if t.transition in changes and t.severity is Severity.CRITICAL)


def first_page(transitions: Told, kind: IncidentKind) -> datetime:
    return next(t.at for t in paged(transitions) if t.kind is kind)


def incidents(transitions: Told, kind: IncidentKind) -> set[str]:
    return {t.incident for t in transitions if t.kind is kind}


def utc(year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def paged_minutes_before_the_post(transitions: Told) -> bool:
    page = first_page(transitions, HALT)
    return page - utc(2026, 2, 3, 2, 19) <= 4 * MINUTE and utc(2026, 2, 3, 2, 36) - page >= 12 * MINUTE


def ends_within_minutes(transitions: Told) -> bool:
    resolved = next(t.at for t in transitions if t.kind is HALT and t.transition is Change.RESOLVED)
    return resolved - utc(2026, 2, 3, 2, 39) <= 20 * MINUTE


def nobody_is_paged(transitions: Told) -> bool:
    return not list(paged(transitions))


def campaign_is_information(transitions: Told) -> bool:
    campaigns = [t for t in transitions if t.kind is IncidentKind.CAMPAIGN]
    return bool(campaigns) and all(t.severity is Severity.INFO for t in campaigns)


def reserves_are_told_to_rise(transitions: Told) -> bool:
    """While it lasts, with coins, and never that they fall."""
    summaries = [t.summary for t in transitions if t.kind is IncidentKind.CAMPAIGN and t.at < utc(2026, 2, 4, 18, 0)]
    return any("reserves rising: " in s for s in summaries) and not any("net outflow" in s for s in summaries)


def paged_before_the_post_of_2023(transitions: Told) -> bool:
    page = first_page(transitions, HALT)
    return utc(2023, 10, 25, 10, 45) < page <= utc(2023, 10, 25, 10, 49)


def bitcoin_alone_is_told(transitions: Told) -> bool:
    suspended = [t for t in transitions if t.kind is IncidentKind.RAIL_SUSPENDED]
    return bool(suspended) and {rail for t in suspended for rail in t.scope} == {"BTC@bitcoin"}


def no_halt(transitions: Told) -> bool:
    return not incidents(transitions, HALT)


def one_incident(transitions: Told) -> bool:
    return len(incidents(transitions, HALT)) == 1


def comes_back_once(transitions: Told) -> bool:
    """Closed again while it still is the same incident, and paged at once as a reopening or never let go."""
    reopened = [t.at for t in transitions if t.transition is Change.REOPENED]
    return len(reopened) <= 1 and all(utc(2021, 11, 1, 9, 2) <= at <= utc(2021, 11, 1, 9, 6) for at in reopened)


def is_never_over_in_between(transitions: Told) -> bool:
    resolved = [t.at for t in transitions if t.transition is Change.RESOLVED]
    return bool(resolved) and min(resolved) > utc(2021, 11, 1, 9, 27)


def run_is_paged_within_half_a_day(transitions: Told) -> bool:
    return first_page(transitions, RUN) - utc(2022, 11, 7, 11, 0) <= timedelta(hours=12)


def run_is_no_exploit(transitions: Told) -> bool:
    """20,000 BTC in 6,000 payments of three: many left, and nobody stole."""
    return bool(incidents(transitions, RUN)) and not incidents(transitions, EXPLOIT)


def drip_comes_before_the_halt(transitions: Told) -> bool:
    drip = next(t.at for t in transitions if t.kind is IncidentKind.DRIP)
    return utc(2022, 11, 8, 10, 59) < drip < first_page(transitions, HALT)


def halt_of_ftx_is_paged_within_minutes(transitions: Told) -> bool:
    return first_page(transitions, HALT) - utc(2022, 11, 8, 11, 37) <= 4 * MINUTE


def exploit_is_paged_at_once(transitions: Told) -> bool:
    return first_page(transitions, EXPLOIT) - utc(2025, 2, 21, 14, 13) <= 2 * MINUTE


def run_follows_the_exploit(transitions: Told) -> bool:
    """While it lasts: within ten hours a seventh of the bitcoin leaves, in fifteen times as many payments as usual."""
    return utc(2025, 2, 21, 15, 20) < first_page(transitions, RUN) < utc(2025, 2, 22, 2, 0)


STORIES: dict[str, dict[str, Callable[[Told], bool]]] = {
    "2026-02-03-halt": {
        "paged within 4 minutes, 12 before the post": paged_minutes_before_the_post,
        "over within 20 minutes of the last payment": ends_within_minutes,
        "one incident": one_incident,
    },
    "2026-02-04-campaign": {
        "nobody is paged": nobody_is_paged,
        "the campaign is information": campaign_is_information,
        "reserves are told to rise": reserves_are_told_to_rise,
    },
    "2025-02-21-exploit": {
        "the exploit is paged at once": exploit_is_paged_at_once,
        "the run is paged too": run_follows_the_exploit,
        "withdrawals are not halted": no_halt,
    },
    "2023-10-25-halt": {"paged before the post": paged_before_the_post_of_2023, "one incident": one_incident},
    "2022-11-08-drip": {
        "the run is paged within half a day": run_is_paged_within_half_a_day,
        "the run is not taken for an exploit": run_is_no_exploit,
        "the drip is told before the halt": drip_comes_before_the_halt,
        "the halt is paged within 4 minutes": halt_of_ftx_is_paged_within_minutes,
    },
    "2022-06-13-network": {
        "bitcoin alone is told": bitcoin_alone_is_told,
        "the exchange is not halted": no_halt,
        "nobody is paged": nobody_is_paged,
    },
    "2021-11-01-flapping": {
        "one incident": one_incident,
        "it comes back once": comes_back_once,
        "it is not over before the last reopening": is_never_over_in_between,
    },
}

TOLD = [(name, words) for name, stories in STORIES.items() for words in stories]


@pytest.mark.parametrize(
    ("name", "words"),
    [pytest.param(name, words, id=f"{name}: {words}") for name, words in TOLD],
)
def test_the_story_is_told(name: str, words: str) -> None:
    try:
        came_true = STORIES[name][words](told(name))
    except StopIteration:
        pytest.fail("nothing of the kind was told")
    assert came_true


def test_every_scenario_has_a_story() -> None:
    assert set(STORIES) == set(NAMES)


@EVERY
def test_nobody_is_paged_in_the_weeks_before(name: str) -> None:
    assert all(t.at >= SCENARIOS[name].begins for t in paged(told(name)))


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for each in NAMES:
        (GOLDEN / f"{each}.jsonl").write_bytes(lines(told(each)))
