"""Chance that anybody can draw again: a draw depends on its key and its place, and on nothing that was drawn before.

Draw i of a key is SplitMix64's output for the state key + (i + 1) * gamma (Steele, Lea and Flood, "Fast Splittable
Pseudorandom Number Generators", OOPSLA 2014); its upper 53 bits, and a half, over 2^53 are a uniform number in (0, 1).
Everything else is a quantile of such numbers, so that it is the same with every version of numpy.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

GAMMA = 0x9E3779B97F4A7C15
MASK = 2**64 - 1


def key(*words: str) -> int:
    """64 bits of BLAKE2b over the words, joined by "/"."""
    return int.from_bytes(hashlib.blake2b("/".join(words).encode(), digest_size=8).digest(), "big")


def uniform(drawn_by: int, count: int) -> Floats:
    """The first `count` draws of a key."""
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA) + np.uint64(drawn_by & MASK)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    drawn: Floats = ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return drawn


def negative_binomial(chance: Floats, *, mean: Floats, shape: float) -> Counts:
    """Quantiles of counts with variance mean + mean^2 / shape, added up term by term; `mean` per draw."""
    term = (shape / (shape + mean)) ** shape
    below, ratio = term.copy(), mean / (mean + shape)
    count: Counts = np.zeros(chance.size, np.int64)
    open_ = np.flatnonzero(below < chance)
    number = 0
    while open_.size:
        term[open_] *= (shape + number) / (number + 1) * ratio[open_]
        below[open_] += term[open_]
        number += 1
        count[open_] = number
        # Rounding may keep the sum of all terms below a draw close to 1: what adds nothing any more ends it.
        open_ = open_[(below[open_] < chance[open_]) & (term[open_] > 1e-18)]
    return count


def log_logistic(chance: Floats, *, median: float, shape: float) -> Floats:
    """Quantiles of a heavy-tailed size: median * (u / (1 - u))^(1 / shape). Its mean is finite above shape 1."""
    sizes: Floats = median * (chance / (1 - chance)) ** (1 / shape)
    return sizes


def exponential(chance: Floats, *, mean: float) -> Floats:
    waits: Floats = -mean * np.log(1 - chance)
    return waits
