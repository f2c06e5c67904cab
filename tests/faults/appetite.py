"""A process that watches one exchange and tells what each of its answers cost it in memory.

`python -m tests.faults.appetite EXCHANGE URL FOLDER RAILS ANSWERS`: the first answers, which are fine, count for none.
"""

import asyncio
import resource
import sys
from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from monitor.model import FailureReason, Rail
from monitor.probes import EXCHANGES
from monitor.probes.exchange import Own, probes_of
from tests.faults.watching import INTERVAL, Watch, watching
from tests.servers import RAILS

FINE = 2


class Meal(msgspec.Struct, frozen=True):
    reason: FailureReason | None  # None: it was taken
    rose_mebibytes: float  # the peak of memory since before the first meal
    withdrawals: str


class Eaten(msgspec.Struct, frozen=True):
    meals: list[Meal]
    series: int  # of states, after the last one
    dropped: float


async def eat(exchange: str, url: str, folder: Path, *, rails: int, answers: int) -> Eaten:
    watched = [*RAILS, *(Rail(f"C{number}", "bitcoin") for number in range(rails - len(RAILS)))]
    async with watching(folder, exchange) as watch:
        own = Own(url=url, status_page="", interval=INTERVAL, allow_private=True)
        (probe, *_) = probes_of(EXCHANGES[exchange], http=watch.http, clock=watch.clock, own=own)
        await watch.judge_by(watched, probe)
        await watch.poll(probe, times=FINE)
        before = _peak_mebibytes()
        meals: list[Meal] = []
        for _ in range(answers):
            view, failures = await watch.poll(probe), await watch.failures()
            reason = failures[-1].reason if len(failures) > sum(meal.reason is not None for meal in meals) else None
            meals.append(Meal(reason, _peak_mebibytes() - before, view.withdrawals.value))
        return Eaten(meals, *_series(watch))


def _series(watch: Watch) -> tuple[int, float]:
    samples = [s for family in text_string_to_metric_families(watch.scrape()) for s in family.samples]
    states = ("cexwatch_rail", "cexwatch_withdrawals")
    dropped = sum(sample.value for sample in samples if sample.name == "cexwatch_series_dropped_total")
    return sum(sample.name.startswith(states) for sample in samples), dropped


def _peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    name, address, where, *numbers = sys.argv[1:]
    eaten = asyncio.run(eat(name, address, Path(where), rails=int(numbers[0]), answers=int(numbers[1])))
    sys.stdout.buffer.write(msgspec.json.encode(eaten))
