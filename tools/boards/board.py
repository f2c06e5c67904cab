"""A board as we speak of it: what is asked, how it is shown, and which series a query is about."""

import re

from msgspec import Struct

from monitor.exposition import GATE, PREFIX
from monitor.metrics import CATALOGUE

_LABELS = {family.name: family.labels for family in (*CATALOGUE, *GATE)}


class Step(Struct, frozen=True):
    """From `value` on, in this colour; a mapping has the value alone and says `text` for it."""

    value: float
    color: str
    text: str = ""


class Query(Struct, frozen=True):
    expr: str
    legend: str = ""
    instant: bool = False


class Column(Struct, frozen=True):
    """A label (or `Value`) of a table under the name it is shown by; `width` in pixels, 0 shares what is left."""

    name: str
    shown: str
    width: int = 0
    colors: tuple[Step, ...] = ()  # of the words in its cells, by `text`


class Panel(Struct, frozen=True, kw_only=True):
    """One picture. `steps` colour values (the first has no lower bound), `words` replace values by texts."""

    kind: str  # stat, timeseries, table, state-timeline, bargauge
    title: str  # the question that it answers
    description: str
    unit: str
    queries: tuple[Query, ...]
    width: int
    height: int = 8
    base: str = "text"
    steps: tuple[Step, ...] = ()
    words: tuple[Step, ...] = ()
    columns: tuple[Column, ...] = ()
    falling: str = ""  # the shown name of the column by which a table is sorted, largest first
    empty: str = "no data"
    dashed: str = ""  # series whose names match this pattern are thresholds: dashed, red
    ticks: bool = False  # steps are drawn as lines into the picture, which is high enough for them
    high: float = 0  # the scale reaches from zero to here at least
    whole: bool = False  # what is counted has no halves
    log: bool = False  # a scale on which the small is seen beside the large
    link: str = ""  # a page of the daemon, below `page`
    runbook: str = ""  # the alert that this panel explains
    name_shown: bool = False
    cells: bool = False  # what is shown is of one exchange each, and leads to its board and its page


class Board(Struct, frozen=True, kw_only=True):
    uid: str
    title: str
    description: str
    panels: tuple[Panel, ...]  # left to right, a new row where one does not fit
    networks: bool = False  # one can choose networks
    single: bool = False  # of one exchange, which one must choose
    exchanges: bool = True
    page: str = "/"
    build: str = "build_info"  # by which its jobs and instances are found


def of(name: str, *matchers: str, shared: bool = False, networks: bool = False) -> str:
    """A selector of the family for what is chosen on the board. With `shared`, also series of no exchange."""
    plain = re.sub(r"_(bucket|sum|count)$", "", name)
    labels = _LABELS[name] if name in _LABELS else _LABELS[plain]
    chosen = ['job=~"$job"', 'instance=~"$instance"']
    if "exchange" in labels:
        chosen.append('exchange=~"$exchange|"' if shared else 'exchange=~"$exchange"')
    if networks and "network" in labels:
        chosen.append('network=~"$network"')
    return f"{PREFIX}{name}{{{', '.join((*chosen, *matchers))}}}"
