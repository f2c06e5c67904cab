"""Prometheus text at little cost: a view is written when it changes, a scrape only joins what is written.

Lines are those that prometheus_client writes, byte for byte: labels by name, values as Go has them.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from prometheus_client.utils import floatToGoString

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
        """The HELP and TYPE lines. OpenMetrics names a counter without its `_total`, and escapes quotes in its help."""
        name = PREFIX + (self.name.removesuffix("_total") if openmetrics else self.name)
        told = _quoted(self.help) if openmetrics else _escaped(self.help)
        return f"# HELP {name} {told}\n# TYPE {name} {self.kind}\n"


class Intervals(Struct, frozen=True, kw_only=True):
    """Seconds between two looks at what carries no probe's name in a view; the slowest source of each counts."""

    rails: float = 60.0
    wallets: float = 60.0
    reserves: float = 600.0


class Sample(Struct, frozen=True, gc=False):
    family: str
    labels: tuple[str, ...]  # in the order of the family's labels
    value: float


class Group(Struct, frozen=True, gc=False):
    """Samples that are shown together or not at all, until the instant at which they are too old (None: for ever)."""

    samples: tuple[Sample, ...]
    until: datetime | None = None
    is_detail: bool = False  # left out first


class Written(Struct, frozen=True, gc=False):
    """A group as text: (family, series, line) of each sample."""

    lines: tuple[tuple[str, str, str], ...]


class Block(Struct, frozen=True, kw_only=True):
    """The lines of one owner (an exchange, the incidents, the drafts), by family."""

    lines: dict[str, bytes] = {}
    written: dict[Group, Written] = {}  # what the next block of this owner need not write again
    series: int = 0
    dropped: int = 0  # series left out: over the budget, or the same as another once the labels were cut
    expires_at: datetime | None = None  # when the first of its groups is too old


def cut(value: str) -> str:
    """A label value that cannot be too long and that UTF-8 can carry."""
    return value[:LABEL_CHARACTERS].encode("utf-8", "replace").decode()


def write(group: Group, families: Mapping[str, Family]) -> Written:
    named = ((sample, _named(families[sample.family], sample.labels)) for sample in group.samples)
    return Written(tuple((sample.family, name, line(name, sample.value)) for sample, name in named))


def compose(
    groups: Iterable[Group], families: Mapping[str, Family], *, former: Block, budget: int, reserve: int
) -> Block:
    """Join the groups, at most `budget` series of them, none twice; write those that `former` has not.

    Details leave `reserve` of the budget alone.
    """
    written = {group: former.written.get(group) or write(group, families) for group in groups}
    lines: dict[str, list[str]] = {}
    taken: set[str] = set()
    dropped = 0
    for group, text in written.items():
        names = {name for _, name, _ in text.lines}
        limit = budget - reserve if group.is_detail else budget
        if len(names) < len(text.lines) or not taken.isdisjoint(names) or len(taken) + len(names) > limit:
            dropped += len(text.lines)
            continue
        taken |= names
        for family, _, written_line in text.lines:
            lines.setdefault(family, []).append(written_line)
    return Block(
        lines={family: "".join(parts).encode() for family, parts in lines.items()},
        written=written,
        series=len(taken),
        dropped=dropped,
        expires_at=min((group.until for group in written if group.until is not None), default=None),
    )


def assemble(families: Iterable[Family], blocks: Iterable[Block], *, openmetrics: bool) -> list[bytes]:
    """All blocks as pieces of one text: each family's lines together under its header."""
    fragments: dict[str, list[bytes]] = {}
    for block in blocks:
        for name, lines in block.lines.items():
            fragments.setdefault(name, []).append(lines)
    parts: list[bytes] = []
    for family in families:
        if family.name in fragments:
            parts.append(family.header(openmetrics=openmetrics).encode())
            parts += fragments[family.name]
    return parts


def table(families: Iterable[Family]) -> str:
    """The families as the Markdown table of docs/metrics.md."""
    rows = [
        f"| `{PREFIX}{family.name}` | {family.kind} | {', '.join(family.labels) or '-'} | {family.help} |\n"
        for family in families
    ]
    return "| metric | type | labels | meaning |\n|---|---|---|---|\n" + "".join(rows)


def series(name: str, labels: Mapping[str, str]) -> str:
    """A series as a line begins with it; `name` is the sample's, prefix and all."""
    pairs = [f'{label}="{_quoted(cut(value))}"' for label, value in sorted(labels.items())]
    return f"{name}{{{','.join(pairs)}}}" if pairs else name


def line(name: str, value: float) -> str:
    """`name` is that of a series, as `series` has it."""
    return f"{name} {floatToGoString(value)}\n"  # type: ignore[no-untyped-call]


def _named(family: Family, labels: tuple[str, ...]) -> str:
    return series(PREFIX + family.name, dict(zip(family.labels, labels, strict=True)))


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
