"""`cexwatch scenario`: the bundled reconstructions, listed, told and written."""

from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from monitor.cli import screen
from monitor.cli.outcome import Code, fail
from monitor.replay.journal import write_line
from monitor.replay.scenarios import SCENARIOS
from monitor.replay.scenarios.about import about
from monitor.replay.scenarios.reconstruction import LABEL, entries
from monitor.replay.scenarios.scenario import Scenario
from monitor.replay.truth import beside


class Listed(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    exchange: str
    begins: datetime
    ends: datetime


def ls(*, as_json: bool) -> None:
    if as_json:
        _print_json([_listed(scenario) for scenario in SCENARIOS.values()])
        return
    console = screen.out()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("name", "what happens in it"):
        table.add_column(heading)
    for scenario in SCENARIOS.values():
        table.add_row(Text(scenario.name), Text(scenario.title))
    console.print(table)
    console.print(screen.quiet(f"each a {LABEL}: `cexwatch scenario show NAME` tells which, and what is assumed"))


def show(name: str, *, as_json: bool) -> None:
    """Ends the command where there is no such scenario."""
    scenario = _named(name)
    if as_json:
        _print_json(scenario)
    else:
        print(about(scenario), end="")


def write(name: str, out: Path) -> None:
    """The journal to `out`, the truth and the words beside it. Raises OSError."""
    scenario = _named(name)
    truth, words = beside(out), out.with_suffix(".about")
    with out.open("wb") as journal:
        journal.writelines(map(write_line, entries(scenario)))
    truth.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in scenario.truth))
    words.write_text(about(scenario))
    print(f"{out}: a {LABEL}; beside it {truth.name} and {words.name}")


def _listed(scenario: Scenario) -> Listed:
    return Listed(
        name=scenario.name,
        title=scenario.title,
        exchange=scenario.exchange,
        begins=scenario.begins,
        ends=scenario.ends,
    )


def _print_json(value: Scenario | list[Listed]) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _named(name: str) -> Scenario:
    found = SCENARIOS.get(name)
    if found is None:
        fail(f"there is no scenario {name!r}; `cexwatch scenario ls` lists them", code=Code.USAGE)
    return found
