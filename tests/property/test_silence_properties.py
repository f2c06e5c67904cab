"""What must always hold of silence: more of it is never less evidence, and what is missing is no evidence at all."""

from functools import cache

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.journals as j
from monitor.engine.detectors import joint
from monitor.engine.detectors.joint import Joint, Reading
from monitor.engine.run import Engines, judge
from monitor.model import Observation, Transition

STREAMS = {network: (network, f"examplex-{network}-hot", "") for network in j.RATES}
LEARNED = 8 * 60
CALM = settings(max_examples=25, deadline=None)

Counts = list[list[int]]
"""Minute by minute, what each stream sent."""


def counts(minutes: int) -> st.SearchStrategy[Counts]:
    return st.lists(
        st.tuples(*(st.integers(0, 2 * rate) for rate in j.RATES.values())).map(list), min_size=1, max_size=minutes
    )


def levels(sent: Counts, *, windows: list[int]) -> list[joint.Level]:
    """The statistic after each minute, where each stream's usual rate is known. A window may span several minutes."""
    test, found = Joint(), []
    joint.begin(test, 0.0)
    for minute, row in enumerate(sent, 1):
        for (network, rate), count in zip(j.RATES.items(), row, strict=True):
            window = windows[minute % len(windows)]
            if minute % window == 0:
                seen = Reading(
                    STREAMS[network], 60.0 * minute, 60.0 * window, count, float(rate * window), 5.0 * window
                )
                joint.add(test, seen)
        joint.prune(test, 60.0 * minute)
        found.append(joint.level(test, dict.fromkeys(STREAMS.values(), True), 5.0))
        joint.begin(test, 60.0 * minute)
    return found


@settings(deadline=None)
@given(sent=counts(25), less=st.floats(0, 1), windows=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_more_silence_never_lowers_the_statistic(sent: Counts, less: float, windows: list[int]) -> None:
    fewer = [[int(count * less) for count in row] for row in sent]
    for usual, silent in zip(levels(sent, windows=windows), levels(fewer, windows=windows), strict=True):
        assert silent.plain >= usual.plain - 1e-6
        assert silent.rail >= usual.rail - 1e-6


@cache
def learned() -> dict[str, bytes]:
    """Engines that know what is usual."""
    engines = Engines.fresh()
    for entry in j.usual(range(1, LEARNED)):
        judge(engines, entry, engines.apply)
    return {name: engines.checkpoint(name) for name in engines.names()}


def transitions(entries: list[Observation]) -> list[Transition]:
    engines = Engines.restore(learned())
    outputs = [output for entry in entries for output in judge(engines, entry, engines.apply)]
    return [output for output in outputs if type(output) is Transition]


@CALM
@given(gaps=st.lists(st.lists(st.sampled_from(list(j.RATES)), unique=True), min_size=1, max_size=60))
def test_missing_readings_open_nothing(gaps: list[list[str]]) -> None:
    """Each stream tells in one number what it could not tell before."""
    owed = dict.fromkeys(j.RATES, 0)
    entries: list[Observation] = []
    for minute, missing in enumerate(gaps, LEARNED):
        for network, rate in j.RATES.items():
            owed[network] += 1
            if network in missing:
                entries.append(j.failed(minute, f"examplex-{network}-hot"))
            else:
                entries.append(j.paid(minute, network, rate * owed[network], window=60.0 * owed[network]))
                owed[network] = 0
    assert transitions([*entries, j.tick(LEARNED + len(gaps) + 30)]) == []


@CALM
@given(silent=st.integers(3, 10), unseen=st.integers(1, 600))
def test_missing_readings_resolve_nothing(silent: int, unseen: int) -> None:
    entries: list[Observation] = [
        j.paid(minute, network, 0) for minute in range(LEARNED, LEARNED + silent) for network in j.RATES
    ]
    entries += [
        j.failed(minute, f"examplex-{network}-hot")
        for minute in range(LEARNED + silent, LEARNED + silent + unseen)
        for network in j.RATES
    ]
    told = transitions([*entries, j.tick(LEARNED + silent + unseen)])
    assert [str(t.transition) for t in told if t.exchange == "examplex"] == ["opened"]


@CALM
@given(sent=counts(20), order=st.permutations(list(j.RATES)))
def test_the_order_within_an_instant_decides_nothing(sent: Counts, order: list[str]) -> None:
    def entries(networks: list[str]) -> list[Observation]:
        rows = [dict(zip(j.RATES, row, strict=True)) for row in sent]
        told = [j.paid(minute, n, row[n]) for minute, row in enumerate(rows, LEARNED) for n in networks]
        return [*told, j.tick(LEARNED + len(sent))]

    usual, other = (transitions(entries(networks)) for networks in (list(j.RATES), order))
    assert msgspec.json.encode(usual) == msgspec.json.encode(other)
