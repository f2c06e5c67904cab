"""Halts and flags on simulated journals: the rows, and what they are measured on."""

from collections.abc import Mapping, Sequence
from statistics import median_high

from benchmarks.evaluation.rows import Row, judged
from benchmarks.evaluation.simulated import Outcomes, Setting

HALT = "withdrawal_halt"
GRID = (
    ("--gaps", "300"),
    ("--k", "1.25"),
    ("--k", "20"),
    ("--lulls", "0"),
    ("--lulls", "6"),
    ("--rate", "0.3"),
    ("--rate", "3"),
)
"""Readings missing; k a quarter and four times of the usual 5; natural silences; how much is paid."""


class Plan:
    """Which settings the rows need: all of them, or the fewest that say something."""

    def __init__(self, *, quick: bool) -> None:
        bursty, slow = ("--k", "1.5", "--lulls", "6", "--gaps", "6"), ("--rate", "0.4")
        self.five = _halt(6, 12, (1,)) if quick else _halt(30, 104, (11, 12, 13, 14))
        self.bursty = None if quick else _halt(17, 52, (21, 22), *bursty)
        # One false page in six months says nothing of one in ten: two years do.
        self.slow = None if quick else _halt(30, 104, (21, 22, 23, 24), *slow)
        self.grid = () if quick else tuple(_halt(17, 52, (31,), *options) for options in GRID)
        self.flags = Setting(
            scenario="flags", seeds=(1,) if quick else tuple(range(1, 7)), length=20, warm_up=2, events=6
        )

    @property
    def settings(self) -> list[Setting]:
        chosen = [setting for setting in (self.bursty, self.slow) if setting is not None]
        return [self.five, *chosen, *self.grid, self.flags]

    def rows(self, found: Mapping[Setting, Outcomes]) -> list[Row]:
        rows = [_five(found[self.five])]
        if self.bursty is not None:
            rows.append(_nine_tenths(found[self.bursty], what="bursty wallets", false=1.0))
        if self.slow is not None:
            rows.append(_nine_tenths(found[self.slow], what="slow wallets", false=0.1))
        rows += [_grid(found[setting]) for setting in self.grid]
        return [*rows, _flags(found[self.flags])]


def _halt(weeks: int, halts: int, seeds: tuple[int, ...], *options: str) -> Setting:
    return Setting(scenario="halt", seeds=seeds, length=weeks, warm_up=4, events=halts, options=options)


def share(delays: Sequence[float], minutes: float) -> float:
    """Of all events: one that was never found is not within any time."""
    return sum(delay <= minutes for delay in delays) / len(delays) if delays else 0.0


def told(delays: Sequence[float]) -> str:
    if not delays:
        return "no event"
    found = sum(delay != float("inf") for delay in delays)
    return f"{found}/{len(delays)} found, median {minutes(median_high(delays))}, longest {minutes(delays[-1])}"


def minutes(delay: float) -> str:
    return f"{delay:g} min" if delay != float("inf") else "never"


def _five(outcomes: Outcomes) -> Row:
    delays, false = outcomes.delays(HALT), outcomes.false_a_month
    holds = bool(delays) and median_high(delays) <= 2 and share(delays, 2) >= 0.85 and share(delays, 4) == 1
    return Row(
        what=f"exchange halt, five streams ({outcomes.setting})",
        aim="median <= 2 min, 85 % <= 2, all <= 4, <= 0.1 false a month",
        measured=f"{told(delays)}, {share(delays, 2):.0%} <= 2, {share(delays, 4):.0%} <= 4, {false:.2f} false a month",
        verdict=judged(holds and false <= 0.1, on=len(delays)),
    )


def _nine_tenths(outcomes: Outcomes, *, what: str, false: float) -> Row:
    delays, measured = outcomes.delays(HALT), outcomes.false_a_month
    return Row(
        what=f"{what} ({outcomes.setting})",
        aim=f"90 % <= 5 min, <= {false:g} false a month",
        measured=f"{told(delays)}, {share(delays, 5):.0%} <= 5, {measured:.2f} false a month",
        verdict=judged(share(delays, 5) >= 0.9 and measured <= false, on=len(delays)),
    )


def _grid(outcomes: Outcomes) -> Row:
    delays, false = outcomes.delays(HALT), outcomes.false_a_month
    return Row(
        what=f"other settings ({outcomes.setting})",
        aim="<= 1 false page a month",
        measured=f"{false:.2f} false a month; {told(delays)}",
        verdict=judged(false <= 1),
    )


def _flags(outcomes: Outcomes) -> Row:
    delays, whole = outcomes.delays(HALT), outcomes.score
    other = len(whole.false) + len(whole.unwanted)
    return Row(
        what=f"flags ({outcomes.setting})",
        aim="all within 2 polls (2 min), no other page",
        measured=f"{told(delays)}, {other} other pages",
        verdict=judged(share(delays, 2) == 1 and other == 0, on=len(delays)),
    )
