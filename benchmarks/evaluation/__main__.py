"""`make eval`: one table of what the detectors are asked for and what they do.

It needs the simulators and the converter (CEXWATCH_TOOLS) and the recorded data (CEXWATCH_EVAL_DATA). `--quick` takes
one seed of a few weeks for each and leaves settings out. Simulated months are judged ones, of 30 days; a page up to 30
minutes after an event belongs to it, and those of one incident within an hour are one.
"""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.evaluation import cost, flows, halts
from benchmarks.evaluation.recorded import Recorded
from benchmarks.evaluation.rows import Row, summary, table
from benchmarks.evaluation.simulated import Progress, simulate


def evaluate(*, tools: Path, data: Path, quick: bool, processes: int, progress: Progress) -> list[Row]:
    """Every row of the table. Raises CalledProcessError where a simulator or the converter fails."""
    of_halts, of_flows = halts.Plan(quick=quick), flows.Plan(quick=quick)
    found = simulate([*of_halts.settings, *of_flows.settings], tools=tools, processes=processes, progress=progress)
    progress("recorded data")
    recorded = Recorded(data=data, tools=tools).rows()
    progress("cost")
    return [*of_halts.rows(found), *of_flows.rows(found), *recorded, *cost.rows()]


def main() -> None:
    wanted = argparse.ArgumentParser(prog="make eval")
    wanted.add_argument("--quick", action="store_true", help="one seed of a few weeks each, and fewer settings")
    wanted.add_argument("--processes", type=int, choices=(1, 2), default=2)
    options = wanted.parse_args()
    tools, data = _folder("CEXWATCH_TOOLS"), _folder("CEXWATCH_EVAL_DATA")
    rows = evaluate(tools=tools, data=data, quick=options.quick, processes=options.processes, progress=_say)
    print(table(rows))
    print(summary(rows))


def _folder(name: str) -> Path:
    path = os.environ.get(name)
    if path is None:
        sys.exit(f"{name} is not set: it names the folder of the simulators, or that of the recorded data")
    return Path(path)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
