"""Prometheus text at little cost: a view is written when it changes, a scrape only joins what is written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

PREFIX = "cexwatch_"
LABEL_CHARACTERS = 64
STALE_INTERVALS = 3


class Kind(StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class Family(Struct, frozen=True):
    """A metric as documented. `name` is without the prefix; a counter's ends with `_total`."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    def header(self, *, openmetrics: bool) -> str:
        """The HELP and TYPE lines. OpenMetrics names a counter without its `_total`."""
        name = PREFIX + (self.name.removesuffix("_total") if openmetrics else self.name)
        return f"# HELP {name} {_escaped(self.help)}\n# TYPE {name} {self.kind}\n"


class Intervals(Struct, frozen=True, kw_only=True):
    """Seconds between two looks at what carries no probe's name in a view; the slowest source of each counts."""

    rails: float = 60.0
    wallets: float = 60.0
    reserves: float = 600.0


class Sample(Struct, frozen=True):
    family: str
    labels: tuple[str, ...]  # in the order of the family's labels
    value: float


class Group(Struct, frozen=True):
    """Samples that are shown together or not at all, until the instant at which they are too old (None: for ever)."""

    samples: tuple[Sample, ...]
    until: datetime | None = None
    is_detail: bool = False  # left out first


class Written(Struct, frozen=True):
    """A group as text: (family, series, line) of each sample."""

    lines: tuple[tuple[str, str, str], ...]


class Block(Struct, frozen=True, kw_only=True):
    """The lines of one owner (an exchange, the incidents, the drafts), by family."""

    lines: dict[str, str] = {}
    written: dict[Group, Written] = {}  # what the next block of this owner need not write again
    series: int = 0
    dropped: int = 0  # series left out: over the budget, or the same as another once the labels were cut
    expires_at: datetime | None = None  # when the first of its groups is too old


def cut(value: str) -> str:
    """A label value that cannot be too long and that UTF-8 can carry."""
    return value[:LABEL_CHARACTERS].encode("utf-8", "replace").decode()


def write(group: Group, families: Mapping[str, Family]) -> Written:
    series = ((sample, _series(families[sample.family], sample.labels)) for sample in group.samples)
    return Written(tuple((sample.family, name, f"{name} {sample.value!r}\n") for sample, name in series))


def compose(
    groups: Iterable[Group], families: Mapping[str, Family], *, former: Block, budget: int, reserve: int
) -> Block:
    """Join the groups, at most `budget` series of them, none twice; write those that `former` has not.

    Details leave `reserve` of the budget alone.
    """
    written = {group: former.written.get(group) or write(group, families) for group in groups}
    lines: dict[str, list[str]] = {}
    series: set[str] = set()
    dropped = 0
    for group, text in written.items():
        names = {name for _, name, _ in text.lines}
        limit = budget - reserve if group.is_detail else budget
        if len(names) < len(text.lines) or not series.isdisjoint(names) or len(series) + len(names) > limit:
            dropped += len(text.lines)
            continue
        series |= names
        for family, _, line in text.lines:
            lines.setdefault(family, []).append(line)
    return Block(
        lines={family: "".join(parts) for family, parts in lines.items()},
        written=written,
        series=len(series),
        dropped=dropped,
        expires_at=min((group.until for group in written if group.until is not None), default=None),
    )


def assemble(families: Iterable[Family], blocks: Sequence[Block], *, openmetrics: bool) -> str:
    """All blocks as one text: each family's lines in one piece under its header."""
    parts: list[str] = []
    for family in families:
        fragments = [block.lines[family.name] for block in blocks if family.name in block.lines]
        if fragments:
            parts.append(family.header(openmetrics=openmetrics))
            parts.extend(fragments)
    return "".join(parts)


def table(families: Iterable[Family]) -> str:
    """The families as the Markdown table of docs/metrics.md."""
    rows = [
        f"| `{PREFIX}{family.name}` | {family.kind} | {', '.join(family.labels) or '-'} | {family.help} |\n"
        for family in families
    ]
    return "| metric | type | labels | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _series(family: Family, labels: tuple[str, ...]) -> str:
    pairs = ",".join(f'{name}="{_quoted(value)}"' for name, value in zip(family.labels, labels, strict=True))
    return f"{PREFIX}{family.name}{{{pairs}}}" if pairs else PREFIX + family.name


def _quoted(value: str) -> str:
    return _escaped(cut(value)).replace('"', '\\"')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
