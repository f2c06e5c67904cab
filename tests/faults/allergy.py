"""Engines of which one cannot take an entry, for the borders that keep the others going."""

from collections.abc import Callable, Iterable

from monitor.engine.run import Engines, judge
from monitor.model import Observation, Output

Refuses = Callable[[str, Observation], bool]
"""Whether an engine, by name, cannot take an entry."""


class Allergic(Engines):
    """Engines of which one raises on an entry, after it has taken it in: the worst moment."""

    refuses: Refuses

    def apply(self, name: str, observation: Observation) -> list[Output]:
        outputs = super().apply(name, observation)
        if self.refuses(name, observation):
            raise ZeroDivisionError("cannot take this")
        return outputs


def led_to(entries: Iterable[Observation], refuses: Refuses) -> tuple[Engines, list[Output]]:
    """Fresh engines after a journal that left out what one of them refuses, and what they concluded."""
    engines = Engines.fresh()

    def attempt(name: str, entry: Observation) -> list[Output]:
        return [] if refuses(name, entry) else engines.apply(name, entry)

    return engines, [output for entry in entries for output in judge(engines, entry, attempt)]
