"""The pictures of an exchange over a period: what each shows, in words for who cannot see it, and as SVG."""

from collections.abc import Sequence
from datetime import datetime

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter

from monitor.model import ExchangeState
from monitor.model.view import StatisticState
from monitor.report.drawing import (
    COLOURS,
    DASHES,
    INK,
    LIMIT,
    QUIET,
    SEEN,
    USUAL,
    Axis,
    Picture,
    broken,
    canvas,
    day,
    legend,
)
from monitor.report.figures import all_networks
from monitor.report.marks import TimeMark
from monitor.report.period import Period
from monitor.report.series import Paid, Point, Statistic, Track
from monitor.web import statistics
from monitor.web.phrases import exact, shortened

STATES = {
    ExchangeState.HALTED: ("#b3202a", ""),
    ExchangeState.DEGRADED: ("#e0a63a", "///"),
    ExchangeState.UNKNOWN: ("#c9c8e4", "..."),
    ExchangeState.OPERATIONAL: ("#cfe6d6", ""),
}
Rates = Sequence[tuple[datetime, float]]
"""What was seen, at each time."""

NETWORKS = 5  # of payments that have a line of their own
FAR = 50  # times the limit: from there on it would lie on the axis
NAME = 16  # characters of a name beside a picture


def statistic(name: str, shown: Statistic, *, period: Period, marks: Sequence[TimeMark], read: Rates = ()) -> Picture:
    """What was seen beside what is usual, and the statistic beside the value from which it fires.

    `read` is what was seen where the statistic itself does not say it.
    """
    told = [(point.at, point.shown.observed) for point in shown.points if point.shown.observed is not None]
    seen = told or ([*read] if any(point.shown.expected is not None for point in shown.points) else [])
    valued = [point for point in shown.points if point.shown.value is not None]
    heights = [1.7] * bool(seen) + [1.7] * bool(valued)
    with canvas(*(heights or [1.0]), axis=_axis(period, marks)) as drawn:
        panels = list(drawn.panels)
        if seen:
            _against(panels[0], seen, shown.points, period)
        if valued:
            _below(panels[-1], valued, period)
        svg = drawn.svg(name)
    title = statistics.name(shown.detector, shown.subject)
    title = title[0].upper() + title[1:]
    return Picture(title=title, caption=_words(shown), alt=_told(title, valued or shown.points), svg=svg)


def rates(paid: dict[int, Paid], period: Period) -> Rates:
    """Transactions a minute, where it was looked."""
    places = sorted(place for place in paid if paid[place].seconds > 0)
    return [(period.moment(place), 60 * paid[place].outgoing / paid[place].seconds) for place in places]


def payments(name: str, track: Track, *, period: Period, marks: Sequence[TimeMark]) -> Picture:
    """Transactions a minute on all networks, and on the busiest of them."""
    together = all_networks(track)
    with canvas(2.0, axis=_axis(period, marks)) as drawn:
        (panel,) = drawn.panels
        busiest = sorted(track.paid, key=lambda network: -sum(p.outgoing for p in track.paid[network].values()))
        lines = [("all networks", together), *((n, track.paid[n]) for n in busiest[:NETWORKS] if len(busiest) > 1)]
        for place, (label, paid) in enumerate(lines):
            known = rates(paid, period)
            times, heights = [day(at) for at, _ in known], [rate for _, rate in known]
            colour, width = (INK, 1.4) if place == 0 else (COLOURS[(place - 1) % len(COLOURS)], 0.9)
            dash = DASHES[place % len(DASHES)]
            panel.plot(
                *broken(times, heights, step=period.step), linestyle=dash, color=colour, linewidth=width, label=label
            )
        panel.set_ylabel("transactions a minute")
        panel.set_ylim(bottom=0)
        legend(panel)
        svg = drawn.svg(name)
    sent = [paid.outgoing for paid in together.values()]
    alt = f"Transactions sent from known wallets of {track.title}: between {min(sent, default=0):.0f} and "
    return Picture(
        title=f"What {track.title} paid out",
        caption="Transactions sent from known wallets, as read from the chains. A gap is a time that was not seen.",
        alt=f"{alt}{max(sent, default=0):.0f} in {period.step.total_seconds() / 60:.0f} min.",
        svg=svg,
    )


def balances(name: str, track: Track, *, period: Period, marks: Sequence[TimeMark]) -> Picture:
    """What the known wallets hold of each asset, as a share of what they held at the beginning of the picture."""
    ends: list[str] = []
    with canvas(2.0, axis=_axis(period, marks)) as drawn:
        (panel,) = drawn.panels
        for place, ((asset, network), stands) in enumerate(sorted(track.held.items())):
            first = stands[0].amount
            if first <= 0:
                continue
            shares = [float(stand.amount / first) * 100 for stand in stands]
            dash = DASHES[place // len(COLOURS) % len(DASHES)]
            times = [day(stand.at) for stand in stands]
            panel.plot(
                times,
                shares,
                linestyle=dash,
                color=COLOURS[place % len(COLOURS)],
                label=shortened(f"{asset}@{network}", NAME),
            )
            ends.append(f"{asset}@{network} {shares[-1]:.1f} %")
        panel.set_ylabel("% of the first reading")
        panel.ticklabel_format(axis="y", useOffset=False)
        legend(panel)
        svg = drawn.svg(name)
    return Picture(
        title=f"What {track.title} holds",
        caption="Balances of the addresses we know, each as a share of its first reading in the picture.",
        alt=f"Balances of the addresses we know of {track.title} at the end: {', '.join(ends)}.",
        svg=svg,
    )


def flows(name: str, track: Track, key: tuple[str, str], *, period: Period, marks: Sequence[TimeMark]) -> Picture:
    """Coins that came, and coins that left, step by step."""
    asset, network = key
    places = sorted(track.moved[key])
    moved = [track.moved[key][place] for place in places]
    times = [day(period.moment(place)) for place in places]
    width = period.step.total_seconds() / 86_400
    with canvas(1.7, axis=_axis(period, marks)) as drawn:
        (panel,) = drawn.panels
        panel.bar(times, [float(each.inflow) for each in moved], width, color="#8fb8d6", label="came", align="edge")
        out = [-float(each.outflow) for each in moved]
        panel.bar(times, out, width, color="#c46210", label="left", align="edge")
        cold = [-float(each.cold) for each in moved]
        if any(cold):
            panel.bar(times, cold, width, color=LIMIT, hatch="///", label="of it from cold", align="edge")
        panel.axhline(0, color=QUIET, linewidth=0.7)
        panel.set_ylabel(f"{asset} in {_step(period)}")
        legend(panel)
        svg = drawn.svg(name)
    left = max((each.outflow for each in moved), default=None)
    most = f", at most {left:,.2f} {asset} in {_step(period)}" if left is not None else ""
    return Picture(
        title=f"{asset} on {network}: what came and left",
        caption="Without what moved between the wallets themselves. Below zero is what left.",
        alt=f"{asset} that came to and left the known wallets of {track.title} on {network}{most}.",
        svg=svg,
    )


def states(name: str, tracks: Sequence[Track], *, period: Period) -> Picture:
    """A lane an exchange: in which state its withdrawals were."""
    with canvas(0.34 * len(tracks) + 0.1, axis=_axis(period, ()), left=1.3, above=0.35) as drawn:
        (panel,) = drawn.panels
        for lane, track in enumerate(tracks):
            for place, turn in enumerate(track.turns):
                end = track.turns[place + 1].at if place + 1 < len(track.turns) else track.sampled[-1]
                colour, hatch = STATES[turn.state]
                panel.barh(
                    lane,
                    day(end) - day(turn.at),
                    left=day(turn.at),
                    height=0.62,
                    color=colour,
                    hatch=hatch,
                    edgecolor="white",
                )
        panel.set_yticks(range(len(tracks)), [shortened(track.title, NAME) for track in tracks])
        panel.invert_yaxis()
        panel.grid(visible=False)
        keys = [
            Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=state)
            for state, (colour, hatch) in STATES.items()
        ]
        panel.legend(handles=keys, ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
        for edge in (period.begin, period.end):
            panel.axvline(day(edge), color=QUIET, linestyle=":", linewidth=1)
        svg = drawn.svg(name)
    worst = [track.title for track in tracks if any(turn.state is ExchangeState.HALTED for turn in track.turns)]
    return Picture(
        title="Withdrawals, exchange by exchange",
        caption="As judged at the time. The dotted lines are the beginning and the end of the period.",
        alt=f"Halted at some time: {', '.join(worst) or 'none'}, of {len(tracks)} exchanges.",
        svg=svg,
    )


def _against(panel: Axes, seen: Rates, points: Sequence[Point], period: Period) -> None:
    _line(panel, seen, period, "-", SEEN, "seen")
    _line(panel, [(p.at, p.shown.expected) for p in points], period, "--", USUAL, "usual")
    panel.set_ylabel(points[-1].shown.unit or "seen")
    panel.set_ylim(bottom=0)
    legend(panel)


def _below(panel: Axes, points: Sequence[Point], period: Period) -> None:
    _line(panel, [(p.at, p.shown.value) for p in points], period, "-", INK, "statistic")
    _line(panel, [(p.at, p.shown.threshold) for p in points], period, "-.", LIMIT, "fires from")
    limit = max((p.shown.threshold or 0.0 for p in points), default=0.0)
    if 0 < limit * FAR < max(p.shown.value or 0.0 for p in points):
        panel.set_yscale("symlog", linthresh=limit)
        panel.yaxis.set_major_formatter(EngFormatter(sep=""))
    for begin, end in _firing(points, period):
        panel.axvspan(day(begin), day(end), color="#fbe3e3", zorder=0)
    panel.set_ylabel("statistic")
    legend(panel)


def _line(
    panel: Axes,
    values: Sequence[tuple[datetime, float | None]],
    period: Period,
    dash: str,
    colour: str,
    label: str,
) -> None:
    known = [(at, value) for at, value in values if value is not None]
    if known:
        xs, ys = broken([day(at) for at, _ in known], [value for _, value in known], step=period.step)
        panel.plot(xs, ys, linestyle=dash, color=colour, linewidth=1.2, label=label)


def _firing(points: Sequence[Point], period: Period) -> list[tuple[datetime, datetime]]:
    spans: list[tuple[datetime, datetime]] = []
    for point in points:
        if point.shown.state is not StatisticState.FIRING:
            continue
        if spans and point.at - spans[-1][1] <= 3 * period.step:
            spans[-1] = (spans[-1][0], point.at)
        else:
            spans.append((point.at, point.at + period.step))
    return spans


def _words(shown: Statistic) -> str:
    """Its own words where it stood highest."""
    worst = min(shown.points, key=lambda point: statistics.WORST_FIRST.index(point.shown.state))
    return f"At {exact(worst.at)}: {worst.shown.words}" if worst.shown.words else ""


def _told(title: str, points: Sequence[Point]) -> str:
    values = [(point.shown.value if point.shown.value is not None else point.shown.observed or 0.0) for point in points]
    if not values:
        return f"{title}: nothing known."
    highest = max(range(len(values)), key=lambda place: values[place])
    limit = points[highest].shown.threshold
    fires = f"; it fires from {statistics.figure(limit)}" if limit is not None else ""
    return f"{title}: highest at {statistics.figure(values[highest])}, {exact(points[highest].at)}{fires}."


def _axis(period: Period, marks: Sequence[TimeMark]) -> Axis:
    return Axis(period.shown_from, period.shown_to, marks)


def _step(period: Period) -> str:
    minutes = period.step.total_seconds() / 60
    return "a minute" if minutes == 1 else f"{minutes:.0f} min"
