"""The pictures of a backtest: when it paged, and how fast."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from monitor.replay.comparing import Outcome
from monitor.replay.scoring import Page
from monitor.report.drawing import COLOURS, DASHES, LIMIT, SEEN, Axis, Picture, canvas, day, legend
from monitor.web.phrases import exact, shortened

NAME = 20  # characters of a configuration's name beside a lane


def timeline(name: str, outcomes: Sequence[Outcome]) -> Picture:
    """What happened, and the pages of each configuration, on one line of time."""
    first = min(outcome.run.first_at for outcome in outcomes if outcome.run.first_at is not None)
    last = max(outcome.run.last_at for outcome in outcomes if outcome.run.last_at is not None)
    events = outcomes[0].truth.events
    with canvas(0.34 * (len(outcomes) + 1) + 0.1, axis=Axis(first, last), left=2.0) as drawn:
        (panel,) = drawn.panels
        for event in events:
            colour = "#b3202a" if event.must_page else "#c9ced3"
            panel.plot([day(event.start), day(event.end)], [0, 0], color=colour, linewidth=7, solid_capstyle="butt")
            panel.plot([day(event.start)], [0], marker="|", color=colour, markersize=11)
        for lane, outcome in enumerate(outcomes, start=1):
            wrong = outcome.score.false + outcome.score.unwanted if outcome.score is not None else ()
            _dots(panel, lane, [page for page in outcome.run.pages if page not in wrong], colour=SEEN, marker="o")
            _dots(panel, lane, wrong, colour=LIMIT, marker="X")
        names = ["what happened", *(f"pages, {shortened(outcome.configuration, NAME)}" for outcome in outcomes)]
        panel.set_yticks(range(len(names)), names)
        panel.set_ylim(len(names) - 0.4, -0.6)
        svg = drawn.svg(name)
    told = "; ".join(f"{len(outcome.run.pages)} pages by {outcome.configuration}" for outcome in outcomes)
    return Picture(
        title="When",
        caption="Red: events that must page; grey: that must not. A dot is a page, a cross one that nobody wanted.",
        alt=f"{len(events)} events from {exact(first)} to {exact(last)}; {told}.",
        svg=svg,
    )


def delays(name: str, told: Sequence[tuple[str, Sequence[float]]]) -> Picture:
    """How long each event took to be paged, in minutes, the shortest first, by configuration."""
    with canvas(2.0, above=0.35) as drawn:
        (panel,) = drawn.panels
        for place, (label, seconds) in enumerate(told):
            minutes = sorted(each / 60 for each in seconds)
            shares = [100 * (n + 1) / len(minutes) for n in range(len(minutes))]
            panel.step(
                minutes,
                shares,
                linestyle=DASHES[place % len(DASHES)],
                where="post",
                marker="o",
                markersize=4,
                color=COLOURS[place % len(COLOURS)],
                label=label,
            )
        panel.set_ylabel("% of the matched events")
        panel.set_xlabel("minutes from the start of the event to the page")
        panel.set_ylim(0, 104)
        panel.set_xlim(min([0.0, *(min(seconds) / 60 for _, seconds in told)]))
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend(panel, above=True)
        svg = drawn.svg(name)
    worst = "; ".join(f"{label}: at most {max(each) / 60:.1f} min" for label, each in told)
    return Picture(
        title="How fast",
        caption="For each delay the share of the matched events that were paged within it.",
        alt=f"Delays of the matched events. {worst}.",
        svg=svg,
    )


def _dots(panel: Axes, lane: int, pages: Sequence[Page], *, colour: str, marker: str) -> None:
    panel.plot([day(page.at) for page in pages], [lane] * len(pages), marker, color=colour, markersize=6)
