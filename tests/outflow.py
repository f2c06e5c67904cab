"""Flows for tests of outflow: a quiet exchange whose payments come as luck has it, and what stands out of it."""

import math
import random
from collections.abc import Iterable
from decimal import Decimal

import tests.journals as j
import tests.money as m
from monitor.engine.engine import Engine
from monitor.model import Flow, Observation, Transition

RESERVE = 1_000_000.0
DAYS = 11
STEP = 10  # minutes a reading
RATE = 5.0  # payments a minute
MEAN = 2.8  # coins a payment


def flow(
    minute: float,
    payments: list[float],
    *,
    inflow: float = 0.0,
    arrivals: int = 0,
    seconds: float = 60.0 * STEP,
    scale: float = 1.0,
    asset: str = "ETH",
    unlabelled: float | None = None,
    cold: float | None = None,
) -> Flow:
    return Flow(
        at=j.at(minute),
        exchange=m.EXCHANGE,
        probe=m.FLOWS,
        asset=asset,
        network="ethereum",
        window_seconds=seconds,
        inflow=_coins(inflow * scale),
        outflow=_coins(sum(payments) * scale),
        inflow_count=arrivals,
        outflow_count=len(payments),
        outflow_sum_of_squares=_coins(sum((v * scale) ** 2 for v in payments)),
        outflow_max=_coins(max(payments, default=0.0) * scale),
        internal=Decimal(0),
        unlabelled_outflow=None if unlabelled is None else _coins(unlabelled * scale),
        cold_outflow=None if cold is None else _coins(cold * scale),
    )


def _coins(amount: float) -> Decimal:
    return Decimal(f"{amount:.6f}")


class Story:
    """Readings of one asset as time goes by, with its reserve."""

    def __init__(self, seed: int, *, scale: float = 1.0, asset: str = "ETH") -> None:
        self.entries: list[Observation] = []
        self.minute = 0
        self.reserve = RESERVE
        self._dice = random.Random(seed)
        self._scale = scale
        self._asset = asset

    def calm(self, minutes: int, *, times: float = 1.0) -> "Story":
        """`times`: payments out, over what is usual."""
        for _ in range(minutes // STEP):
            self.read(self._payments(times))
        return self

    def read(
        self, payments: list[float], *, is_seen: bool = True, unlabelled: float | None = None, cold: float | None = None
    ) -> "Story":
        """One reading. `is_seen`: the reserve falls by what left."""
        self.minute += STEP
        came = self._payments(1.0)
        self.reserve += sum(came) - (sum(payments) if is_seen else 0.0)
        told = flow(
            self.minute,
            payments,
            inflow=sum(came),
            arrivals=len(came),
            scale=self._scale,
            asset=self._asset,
            unlabelled=unlabelled,
            cold=cold,
        )
        self.entries += [told, m.balance(self.minute, round(self.reserve * self._scale, 6), asset=self._asset)]
        return self

    def move(self, share: float, *, is_seen: bool = True, is_labelled: bool = False, cold: bool = False) -> "Story":
        """One payment of so much of the reserve, among the usual ones."""
        coins = share * RESERVE
        usual = self._payments(1.0)
        unlabelled = sum(usual) + (0.0 if is_labelled else coins)
        return self.read([*usual, coins], is_seen=is_seen, unlabelled=unlabelled, cold=coins if cold else 0.0)

    def gap(self, minutes: int) -> "Story":
        self.minute += minutes
        return self

    def _payments(self, times: float) -> list[float]:
        mean = RATE * STEP * times
        count = max(0, round(self._dice.gauss(mean, 1.4 * math.sqrt(mean))))
        return [MEAN * self._dice.expovariate(1.0) for _ in range(count)]


def told(entries: Iterable[Observation]) -> list[Transition]:
    """Transitions about outflow, with a tick at the end so that the last instant is judged."""
    engine, entries = Engine.fresh(m.EXCHANGE), list(entries)
    end = j.tick((entries[-1].at - j.START).total_seconds() / 60 + 1)
    found = [output for entry in [*entries, end] for output in engine.apply(entry)]
    return [t for t in found if type(t) is Transition and t.kind in KINDS]


KINDS = ("outflow_spike", "unconfirmed_move", "slow_bleed", "bank_run", "suspected_exploit")


def said(entries: Iterable[Observation]) -> list[str]:
    return [f"{t.transition} {t.kind} {t.severity}" for t in told(entries)]
