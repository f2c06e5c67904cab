"""What must hold of money for every journal: restarts, order within an instant, and that the parts are the whole."""

import random
from collections.abc import Iterable
from decimal import Context

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import tests.journals as j
import tests.money as m
from monitor.engine.engine import Engine
from monitor.model import ConfigApplied, Control, ExposureView, Flow, Observation, Rail, RailState, Reorg

CALM = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
RAILS = [Rail("ETH", "ethereum"), Rail("ETH", "base"), Rail("SOL", "solana")]
MINUTES = 130
WIDE = Context(prec=80)


SEEDS = st.integers(0, 2**32)


def _happens(minute: int, dice: random.Random) -> list[Observation]:
    rail, amount = dice.choice(RAILS), dice.randrange(400)
    match dice.randrange(12):
        case 0:
            return m.prices(minute, dice.choice([3000, 3010, 0.1, 0]))
        case 1:
            return m.prices(minute, dice.randrange(1, 300), asset="SOL", sources=["kraken", "a", "b"])
        case 2:
            return [m.hot(minute, amount)]
        case 3:
            return [m.balance(minute, amount, read=dice.randrange(6))]
        case 4:
            return [m.mine(minute, amount, asset=rail.asset)]
        case 5:
            return j.rail(minute, dice.choice(list(RailState)), rails=[rail])
        case 6:
            return [m.terms(minute, remaining=dice.choice([None, amount]))]
        case 7:
            return [m.chain(minute, dice.choice(["moving", "stalled"]))]
        case 8:
            return [m.reorg(minute, 1000 + minute - dice.randrange(9))]
        case 9:
            return [m.judged_by(minute, stuck_usd=500.0)]
        case 10:
            return [j.control(minute, ok=dice.random() < 0.5)]
        case _:
            return []


def history(seed: int) -> list[Observation]:
    """Two hours in which something leaves every minute, but for some, and anything else happens."""
    dice = random.Random(seed)
    entries: list[Observation] = [*j.rail(0, RailState.OPEN, rails=RAILS), j.read(0), m.mine(0, 500)]
    for minute in range(1, MINUTES):
        entries += [m.flow(minute, dice.randrange(9))] if dice.random() < 0.99 else []
        entries += [*_happens(minute, dice), *_happens(minute, dice), j.read(minute)]
    return [*entries, j.tick(MINUTES)]


@CALM
@given(seed=SEEDS, cut=st.floats(0, 1))
def test_a_checkpoint_and_the_tail_lead_to_what_the_whole_journal_leads_to(seed: int, cut: float) -> None:
    entries = history(seed)
    place = int(cut * len(entries))
    engine = Engine.fresh(m.EXCHANGE)
    first = [output for entry in entries[:place] for output in engine.apply(entry)]
    restored = Engine.restore(engine.checkpoint())
    assert restored.view() == engine.view()
    rest = [output for entry in entries[place:] for output in restored.apply(entry)]
    whole = Engine.fresh(m.EXCHANGE)
    assert j.encoded(first + rest) == j.encoded(output for entry in entries for output in whole.apply(entry))
    assert (restored.checkpoint(), restored.view()) == (whole.checkpoint(), whole.view())


def _shuffled(entries: list[Observation], seed: int) -> list[Observation]:
    """Within each instant; a probe's own flows and reorgs keep the order in which it told them."""
    order = entries[:]
    random.Random(seed).shuffle(order)
    order.sort(key=lambda entry: (entry.at, type(entry).__name__ == "ListRead"))
    flows = iter([entry for entry in entries if type(entry) in (Flow, Reorg)])
    return [next(flows) if type(entry) in (Flow, Reorg) else entry for entry in order]


@CALM
@given(seed=SEEDS)
def test_the_order_within_an_instant_does_not_matter(seed: int) -> None:
    once = _once_an_instant(entry for entry in history(seed) if type(entry) not in (Control, ConfigApplied))
    assert m.told(_shuffled(once, seed)) == m.told(once)


def _once_an_instant(entries: Iterable[Observation]) -> list[Observation]:
    """Without a second word of a probe on the same thing at the same moment."""
    first: dict[object, Observation] = {}
    for entry in entries:
        about = [getattr(entry, name, None) for name in ("asset", "network", "role", "source")]
        first.setdefault((type(entry), entry.at, entry.probe, *about), entry)
    return list(first.values())


@CALM
@given(seed=SEEDS)
def test_the_parts_of_an_exposure_are_the_whole_at_every_moment(seed: int) -> None:
    engine = Engine.fresh(m.EXCHANGE)
    for entry in history(seed):
        engine.apply(entry)
        for view in engine.view().exposures:
            assert _whole(view) == view.amount


def _whole(view: ExposureView) -> object:
    return WIDE.add(WIDE.add(view.withdrawable, view.stuck), view.unknown)
