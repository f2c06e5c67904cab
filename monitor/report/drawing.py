"""matplotlib as we use it: calm, legible in print, as SVG that stands in a page with others. Words are never markup."""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from msgspec import Struct

from monitor.report.marks import MarkKind, TimeMark

mpl.use("svg")

INK, QUIET, GRID = "#1b2228", "#5d6873", "#e6e9ec"
SEEN, USUAL, LIMIT = "#1f5f8f", "#7a848d", "#b3202a"
COLOURS = ("#1f5f8f", "#c46210", "#3d7d4a", "#7b5ea7", "#a33b54", "#5d6873", "#b59410", "#2f8f9d")
DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
MARKS = {
    MarkKind.OPENED: (LIMIT, "-"),
    MarkKind.RECOVERED: ("#8f5b00", "--"),
    MarkKind.RESOLVED: ("#1b7a48", "-"),
    MarkKind.WORDS: ("#5b5796", ":"),
}
WIDTH = 9.2  # inches, as all that follow
LEFT, RIGHT, ABOVE, BELOW = 0.75, 1.35, 0.12, 0.45  # beside the panels, for what is written there
ROW = 0.15  # of labels above the first panel
LETTER = 0.068  # the width of one of a label, on average
ROWS = 4

_STYLE = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "cexwatch",
    "timezone": "UTC",
}


class Picture(Struct, frozen=True, kw_only=True):
    title: str
    caption: str
    alt: str
    svg: str


class Label(Struct, frozen=True):
    """What is written above a mark, in a row where it meets no other; None where there is no room."""

    mark: TimeMark
    text: str
    row: int | None


class Axis(Struct, frozen=True):
    """A line of time with what is marked on it."""

    begin: datetime
    end: datetime
    marks: Sequence[TimeMark] = ()

    def labels(self, width: float) -> list[Label]:
        """Placed from left to right on a line that is so many inches wide."""
        ends = [0.0] * ROWS
        placed: list[Label] = []
        for mark in self.marks:
            text = f"{mark.kind} {mark.at.astimezone(UTC):%H:%M}"
            place = (mark.at - self.begin) / (self.end - self.begin) * width
            row = next((each for each in range(ROWS) if place >= ends[each]), None)
            if row is not None:
                ends[row] = place + LETTER * (len(text) + 1)
            placed.append(Label(mark, text, row))
        return placed


class Canvas:
    """A figure with panels one above the other, on one line of time."""

    def __init__(self, figure: Figure, panels: Sequence[Axes]) -> None:
        self.panels = panels
        self._figure = figure

    def span(self, axis: Axis, labels: Sequence[Label]) -> None:
        """The line of time, in UTC, and lines at what happened."""
        locator = AutoDateLocator(tz=UTC, minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
        formatter = ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]
        for panel in self.panels:
            panel.set_xlim(day(axis.begin), day(axis.end))
        self.panels[-1].xaxis.set_major_locator(locator)
        self.panels[-1].xaxis.set_major_formatter(formatter)
        for panel in self.panels[:-1]:
            panel.tick_params(labelbottom=False)
        for label in labels:
            self._mark(label, (label.mark.at - axis.begin) / (axis.end - axis.begin))

    def _mark(self, label: Label, place: float) -> None:
        colour, dash = MARKS[label.mark.kind]
        for panel in self.panels:
            panel.axvline(day(label.mark.at), color=colour, linestyle=dash, linewidth=1.1, zorder=4)
        if label.row is not None:
            self.panels[0].annotate(
                label.text,
                (place, 1),
                xycoords="axes fraction",
                xytext=(2, 3 + 72 * ROW * label.row),
                textcoords="offset points",
                color=colour,
                fontsize=8,
                annotation_clip=False,
            )

    def svg(self, prefix: str) -> str:
        """The figure as an element of a page; `prefix` keeps its ids apart from those of other figures there."""
        written = io.StringIO()
        with warnings.catch_warnings():
            # Letters are drawn by the fonts of who reads it, so those that ours lack are no matter.
            warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
            self._save(written)
        return _element(written.getvalue(), prefix)

    def _save(self, written: io.StringIO) -> None:
        self._figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})


@contextmanager
def canvas(*heights: float, axis: Axis | None = None, left: float = LEFT, above: float = ABOVE) -> Iterator[Canvas]:
    """Panels of these heights, in inches, on a line of time if it is one; `above` is what else is written there.

    What is drawn has to be written before the context ends.
    """
    labels = axis.labels(WIDTH - left - RIGHT) if axis is not None else []
    above += ROW * max((label.row + 1 for label in labels if label.row is not None), default=0)
    high = sum(heights) + above + BELOW
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type] # its keys are a literal of three hundred names
        figure = Figure(figsize=(WIDTH, high))
        grid = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
        figure.subplots_adjust(
            left=left / WIDTH, right=1 - RIGHT / WIDTH, top=1 - above / high, bottom=BELOW / high, hspace=0.14
        )
        panels: list[Axes] = [row[0] for row in grid]
        for panel in panels:
            panel.margins(y=0.12)
        drawn = Canvas(figure, panels)
        if axis is not None:
            drawn.span(axis, labels)
        yield drawn


def day(at: datetime) -> float:
    """A time as matplotlib counts it: days since 1970."""
    return at.timestamp() / 86_400


def broken(times: Sequence[float], values: Sequence[float], *, step: timedelta) -> tuple[list[float], list[float]]:
    """The line with gaps where nothing was read for more than three steps. Times are days."""
    one = step.total_seconds() / 86_400
    xs: list[float] = []
    ys: list[float] = []
    for at, value in zip(times, values, strict=True):
        if xs and at - xs[-1] > 3.5 * one:
            xs.append(xs[-1] + one)
            ys.append(float("nan"))
        xs.append(at)
        ys.append(value)
    return xs, ys


def legend(panel: Axes, *, above: bool = False) -> None:
    """Right of the panel, or above it where the names are long."""
    if not panel.get_legend_handles_labels()[0]:
        return
    if above:
        panel.legend(loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2, ncols=2)
    else:
        panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, handlelength=2.4)


def _element(svg: str, prefix: str) -> str:
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r'(\bid=")', rf"\1{prefix}-", element)
    element = re.sub(r'(href="#|url\(#)', rf"\1{prefix}-", element)
    return element.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
