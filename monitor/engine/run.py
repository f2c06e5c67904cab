"""Many engines under one journal: who reads which entry, and how an engine begins, restarts and is rebuilt.

Live, replay, backtest and restart all go through here, so they cannot differ.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Self

from monitor.engine.engine import Engine
from monitor.engine.state import Committed
from monitor.engine.world import World
from monitor.model import (
    ConfigApplied,
    EntryRefused,
    ExchangeView,
    Observation,
    Output,
    Verdict,
)

WORLD = ""
Attempt = Callable[[str, Observation], list[Output]]


class Engines:
    """The world's engine and one per exchange; an exchange's engine begins with its first entry or configuration."""

    def __init__(self, world: World, engines: Iterable[Engine] = ()) -> None:
        self._world = world
        self._engines = {engine.exchange: engine for engine in engines}

    @classmethod
    def fresh(cls) -> Self:
        return cls(World.fresh())

    @classmethod
    def restore(cls, checkpoints: Mapping[str, bytes]) -> Self:
        """Raises msgspec.ValidationError where a checkpoint is not of this version's format."""
        exchanges = sorted(name for name in checkpoints if name != WORLD)
        return cls(World.restore(checkpoints[WORLD]), [Engine.restore(checkpoints[name]) for name in exchanges])

    def names(self) -> list[str]:
        return [WORLD, *self._engines]

    def checkpoint(self, name: str) -> bytes:
        return self._pick(name).checkpoint()

    def view(self, name: str) -> ExchangeView:
        return self._pick(name).view()

    def readers(self, observation: Observation) -> list[str]:
        """Names of the engines that read an entry, in order. Verdicts and refusals in a journal are read by none."""
        if type(observation) is Verdict or type(observation) is EntryRefused:
            return []
        if type(observation) is ConfigApplied:
            for exchange in observation.config.watched:
                self._pick(exchange)
        return [observation.exchange] if observation.exchange else self.names()

    def apply(self, name: str, observation: Observation) -> list[Output]:
        return self._pick(name).apply(observation)

    def replace(self, name: str, checkpoint: bytes) -> None:
        """Put an engine back to a checkpoint."""
        if name == WORLD:
            self._world = World.restore(checkpoint)
        else:
            self._engines[name] = Engine.restore(checkpoint)

    def unlearned(self) -> list[str]:
        """Exchanges whose engines were restored without what they had learned."""
        return [name for name, engine in self._engines.items() if engine.is_unlearned()]

    def learned(self, name: str) -> bytes:
        return self._engines[name].learned()

    def teach(self, name: str, learned: bytes) -> None:
        self._engines[name].teach(learned)

    def adopt(self, committed: Committed) -> None:
        """Take over what is committed: decisions are carried on, never derived again."""
        for name in dict.fromkeys([*self.names(), *committed.exchanges()]):
            self._pick(name).adopt(committed.of(name))

    def _pick(self, name: str) -> Engine | World:
        if name == WORLD:
            return self._world
        engine = self._engines.get(name)
        if engine is None:
            engine = Engine.fresh(name)
            for entry in self._world.briefing():
                engine.apply(entry)
            self._engines = dict(sorted([*self._engines.items(), (name, engine)]))
        return engine


def judge(engines: Engines, observation: Observation, attempt: Attempt) -> list[Output]:
    """Let every engine that reads an entry read it, and the world what they say of their exchanges.

    `attempt(name, observation)` is `engines.apply`, or a guard around it.
    """
    outputs: list[Output] = []
    for name in engines.readers(observation):
        for output in attempt(name, observation):
            outputs.append(output)
            if type(output) is Verdict:
                outputs += attempt(WORLD, output)
    return outputs


def without(engines: Engines, seq: int, refused: Collection[tuple[int, str]]) -> Attempt:
    """An attempt at entry `seq` without what engines refused; a derived verdict has the place after its entry."""
    verdicts = 0

    def attempt(name: str, observation: Observation) -> list[Output]:
        nonlocal verdicts
        verdicts += type(observation) is Verdict
        place = seq + verdicts if type(observation) is Verdict else seq
        return [] if (place, name) in refused else engines.apply(name, observation)

    return attempt


class Tails:
    """Each engine's last checkpoint and what it has read since, to rebuild it without an entry that it cannot take."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._bases = {name: engines.checkpoint(name) for name in engines.names()}
        self._tails: dict[str, list[Observation]] = {}

    def meet(self, name: str) -> None:
        """Know an engine from its beginning on."""
        if name not in self._bases:
            self._bases[name] = self._engines.checkpoint(name)

    def read(self, name: str, observation: Observation) -> None:
        self._tails.setdefault(name, []).append(observation)

    def rebase(self, checkpoints: Mapping[str, bytes]) -> None:
        self._bases = dict(checkpoints)
        self._tails = {}

    def rebuild(self, name: str) -> None:
        """Bring an engine back to before the entry that it raised on; what it concludes on the way is known already."""
        self._engines.replace(name, self._bases[name])
        for observation in self._tails.get(name, []):
            self._engines.apply(name, observation)
