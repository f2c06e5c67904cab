"""A journal with all that a report shows: one exchange that stops paying and says so late, one that goes on."""

from collections.abc import Iterator
from decimal import Decimal

from msgspec.structs import replace

from monitor.model import Flow, Observation, Price, RailState, ReserveBalance, Stage, WithdrawalSample
from tests import journals
from tests.journals import at

HALTED, BACK = 420, 460  # minutes: the first empty minute that is read, and the first full one after it
COLD = 411  # when 4,000 ETH leave cold wallets
WORDS = "We are aware of an issue: withdrawals are <b>paused</b> </script>"
SOURCE = "https://status.example/incidents/1"
INCIDENT = "kraken-withdrawal_halt-20260105T070000Z"


def story() -> list[Observation]:
    entries = [*_exchange("kraken", halts=True), *_exchange("gate", halts=False)]
    entries += [_price(minute, source) for minute in range(520) for source in ("x", "y", "z")]
    return sorted(entries, key=lambda entry: entry.at)


def _price(minute: int, source: str) -> Price:
    return Price(at=at(minute), probe="prices", asset="ETH", usd=Decimal(2500), source=source)


def _exchange(name: str, *, halts: bool) -> Iterator[Observation]:
    yield from journals.rail(0, RailState.OPEN, exchange=name)
    held = Decimal(1_000_000)
    for minute in range(520):
        is_off = halts and HALTED <= minute < BACK
        yield from journals.usual(range(minute, minute + 1), factor=0.0 if is_off else 1.0, exchange=name)
        flips = {HALTED + 6: RailState.SUSPENDED, BACK + 1: RailState.OPEN} if halts else {}
        if minute in flips:
            yield from journals.rail(minute, flips[minute], exchange=name)
        yield journals.read(minute, changed=5 * (minute in flips), exchange=name)
        cold = Decimal(4000) if halts and minute == COLD else Decimal(0)
        left = cold if is_off else cold + 12
        held += 10 - left
        yield _flow(minute, name, left=left, cold=cold)
        if minute % 10 == 0:
            yield _balance(minute, name, held)
        if minute % 60 == 5 and not is_off:
            yield _paid_out(minute, name, seconds=120.0 + minute)
    if halts:
        yield from _words(name)


def _words(name: str) -> Iterator[Observation]:
    yield replace(journals.said(HALTED + 17, WORDS, Stage.INVESTIGATING, exchange=name), url=SOURCE)
    yield journals.said(BACK + 4, "Withdrawals have resumed", Stage.RESOLVED, exchange=name)


def _flow(minute: int, exchange: str, *, left: Decimal, cold: Decimal) -> Flow:
    return Flow(
        at=at(minute),
        exchange=exchange,
        probe=f"{exchange}-ethereum-flow",
        asset="ETH",
        network="ethereum",
        window_seconds=60.0,
        inflow=Decimal(10),
        outflow=left,
        inflow_count=3,
        outflow_count=4,
        internal=Decimal(0),
        from_height=1000 + 5 * minute,
        to_height=1004 + 5 * minute,
        cold_outflow=cold,
    )


def _balance(minute: int, exchange: str, amount: Decimal) -> ReserveBalance:
    return ReserveBalance(
        at=at(minute),
        exchange=exchange,
        probe=f"{exchange}-ethereum-reserves",
        asset="ETH",
        network="ethereum",
        amount=amount,
        height=1000 + 5 * minute,
        wallets=12,
        wallets_read=12,
    )


def _paid_out(minute: int, exchange: str, *, seconds: float) -> WithdrawalSample:
    return WithdrawalSample(
        at=at(minute),
        exchange=exchange,
        probe=f"{exchange}-history",
        asset="ETH",
        network="ethereum",
        state="sent",
        elapsed_seconds=seconds,
    )
