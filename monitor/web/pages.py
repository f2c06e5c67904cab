"""What pages say of exchanges: pure functions that templates call with the page's time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from monitor.model import (
    Direction,
    ExchangeState,
    ExchangeView,
    NetworkView,
    ProbeView,
    RailVerdict,
    RailView,
)
from monitor.model.silence import Silence
from monitor.model.view import SampleView, WindowView
from monitor.web.phrases import (
    EXCHANGE_TONES,
    RAIL_TONES,
    Mark,
    Tone,
    ago,
    between,
    blamed,
    clock,
    count,
    its_own,
    several,
    shortened,
    span,
    worded,
)

UNREAD = timedelta(minutes=3)
LEARNED_SECONDS = 6 * 3600.0
SAYS_CHARACTERS = 80
FLAW_CHARACTERS = 160
SOON = timedelta(hours=24)
SCOPE_NAMED = 3
WORST_FIRST = (ExchangeState.HALTED, ExchangeState.DEGRADED, ExchangeState.UNKNOWN, ExchangeState.OPERATIONAL)
SILENT = 8.0  # nats, from which on one stream is a watch: docs/detection.md
OFF = (RailVerdict.SUSPENDED, RailVerdict.MAINTENANCE)


class Cell(Struct, frozen=True):
    """A field of a row: a text in a tone, and a smaller note in its own."""

    text: str
    tone: Tone | None = None
    note: str = ""
    note_tone: Tone = Tone.QUIET


class Banner(Struct, frozen=True):
    tone: Tone
    title: str
    text: str


RailPair = tuple[RailView | None, RailView | None]
"""A rail's withdrawals and deposits."""


def exchanges(views: Iterable[ExchangeView]) -> list[ExchangeView]:
    """The exchanges among the views that are watched, the worst first."""
    shown = [view for view in views if view.exchange and not view.retired]
    return sorted(shown, key=lambda view: (WORST_FIRST.index(view.withdrawals), view.exchange))


def headline(views: Sequence[ExchangeView]) -> str:
    """ "1 halted, 2 unknown, 5 operational"."""
    counts = ((state, sum(view.withdrawals is state for view in views)) for state in WORST_FIRST)
    return ", ".join(f"{number} {state}" for state, number in counts if number) or "no exchange yet"


def banners(world: ExchangeView | None, *, not_ready: str | None, held: bool, now: datetime) -> list[Banner]:
    """What casts doubt on the whole page comes first."""
    shown: list[Banner] = []
    if not_ready is not None:
        shown.append(Banner(Tone.UNKNOWN, "What is below may be old", f"The daemon says: {not_ready}."))
    if world is not None and world.blind:
        since = _blind_since(world, now)
        text = f"Our own control targets do not answer{since}. What is below is what we knew before, not what is."
        shown.append(Banner(Tone.UNKNOWN, "We cannot see", text))
    if held:
        text = "Nothing is posted and no draft can be approved until somebody releases it: cexwatch release"
        shown.append(Banner(Tone.WARNING, "Publishing is held", _held_by(world, now) + text))
    return [*shown, *(_silenced(silence, now) for silence in (world.silences if world is not None else ()))]


def _held_by(world: ExchangeView | None, now: datetime) -> str:
    if world is None or world.hold is None:
        return ""
    reason = f": {shortened(world.hold.reason, SAYS_CHARACTERS)}" if world.hold.reason else ", no reason given"
    return f"By {world.hold.actor} since {clock(world.hold.at, now)}{reason}. "


def _silenced(silence: Silence, now: datetime) -> Banner:
    until = f"{clock(silence.until, now)}, by {silence.actor}: {shortened(silence.comment, SAYS_CHARACTERS)}"
    return Banner(Tone.QUIET, f"No notifications of {matched(silence)}", f"Until {until}. All else goes on.")


def matched(silence: Silence) -> str:
    """ "withdrawal halt at kraken on *@bitcoin", "anything"."""
    kind = worded(silence.kind) if silence.kind is not None else "anything"
    at = f" at {silence.exchange}" if silence.exchange else ""
    return f"{kind}{at}{f' on {several(silence.scope, SCOPE_NAMED)}' if silence.scope else ''}"


def _blind_since(world: ExchangeView, now: datetime) -> str:
    failing = [probe.failing_since for probe in world.probes if probe.failing_since is not None]
    return f" since {clock(min(failing), now)}" if failing else ""


def planned(views: Iterable[ExchangeView]) -> list[tuple[ExchangeView, WindowView]]:
    """All announced maintenance, under way or to come, the first to begin first."""
    told = [(view, window) for view in views if view.exchange and not view.retired for window in view.windows]
    return sorted(told, key=lambda pair: (pair[1].starts_at, pair[0].exchange))


def networks_paid(view: ExchangeView, now: datetime) -> list[tuple[str, Cell]]:
    """When each network last paid out: "4 s ago". A chain that is not read or stands still makes it doubtful."""
    return [(each.network, _paid(view, each, now)) for each in view.networks]


def _paid(view: ExchangeView, network: NetworkView, now: datetime) -> Cell:
    if network.last_outgoing_at is None:
        return Cell("none seen", Tone.UNKNOWN)
    text = ago(network.last_outgoing_at, now)
    if network.network in view.stalled:
        return Cell(text, Tone.UNKNOWN, "no new blocks", Tone.UNKNOWN)
    if now - network.read_at > UNREAD:
        return Cell(text, Tone.UNKNOWN, f"not read since {clock(network.read_at, now)}", Tone.UNKNOWN)
    return Cell(text, Tone.BAD if network.silence_score >= SILENT else None)


def withdrawals(view: ExchangeView) -> Mark:
    return Mark(view.withdrawals.value, EXCHANGE_TONES[view.withdrawals])


def since(view: ExchangeView, now: datetime) -> str:
    """How long an exchange is in another state than operational."""
    if view.since is None or view.withdrawals is ExchangeState.OPERATIONAL:
        return ""
    return f"since {clock(view.since, now)}, {span((now - view.since).total_seconds())}"


def last_paid(view: ExchangeView, now: datetime) -> Cell:
    """ "4 s ago, ethereum", over all networks whose chain is read."""
    if not view.networks:
        return Cell("unknown", Tone.UNKNOWN, "no chain was read")
    newest = max(view.networks, key=_paid_at)
    if newest.last_outgoing_at is None:
        names = ", ".join(network.network for network in view.networks)
        return Cell("none seen", Tone.UNKNOWN, f"on {names}")
    text = f"{ago(newest.last_outgoing_at, now)}, {newest.network}"
    if now - max(network.read_at for network in view.networks) > UNREAD:
        return Cell(text, Tone.UNKNOWN, f"chain not read since {clock(newest.read_at, now)}", Tone.UNKNOWN)
    is_silent = 0 < view.silence_threshold <= view.silence_score
    return Cell(text, Tone.BAD if is_silent else None, view.silence_note)


def _paid_at(network: NetworkView) -> float:
    return network.last_outgoing_at.timestamp() if network.last_outgoing_at is not None else 0.0


def paid_recently(view: ExchangeView) -> Cell:
    return Cell("unknown", Tone.UNKNOWN) if view.paid_5m is None else Cell(count(view.paid_5m))


def rails_off(view: ExchangeView) -> Cell:
    """ "37 of 412": many are off on any day, so only those that went off lately are red."""
    counts = view.counts.get(Direction.WITHDRAWAL, {})
    listed = sum(number for verdict, number in counts.items() if verdict != RailVerdict.UNLISTED)
    if not listed:
        reasons = (rail.reason for rail in view.rails if rail.reason not in ("", view.reason))
        return Cell("unknown", Tone.UNKNOWN, shortened(next(reasons, ""), SAYS_CHARACTERS))
    off = sum(counts.get(verdict, 0) for verdict in OFF)
    text = f"{count(off)} of {count(listed)}"
    if view.newly_off_24h:
        return Cell(text, Tone.QUIET, f"{count(view.newly_off_24h)} new in 24 h", Tone.BAD)
    return Cell(text, Tone.QUIET, "none new")


def trading(view: ExchangeView, now: datetime) -> Cell:
    """The newest public trade, and what the exchange says of trading where it says something else than "fine"."""
    word = view.trading if view.trading not in ("", "operational") else ""
    if view.last_trade_at is None:
        return Cell(word or "unknown", Tone.WARNING if word else Tone.UNKNOWN)
    is_old = now - view.last_trade_at > UNREAD
    return Cell(ago(view.last_trade_at, now), Tone.UNKNOWN if is_old else None, word, Tone.WARNING)


def says(view: ExchangeView, now: datetime) -> Cell:
    """The exchange's own last words."""
    if not view.statement:
        return Cell("nothing we read", Tone.QUIET)
    said = ago(view.statement_at, now) if view.statement_at is not None else ""
    return Cell(shortened(view.statement, SAYS_CHARACTERS), None, said)


def maintenance(window: WindowView, now: datetime) -> str:
    """ "maintenance 02:00-04:00 UTC: BTC@bitcoin, per its status page"."""
    what = "everything" if "*" in window.scope else several(window.scope, SCOPE_NAMED)
    return f"maintenance {between(window.starts_at, window.ends_at, now)}: {what}, per {its_own(window.source)}"


def next_maintenance(view: ExchangeView, now: datetime) -> str:
    """The window that is under way or begins within a day, and how many more there are; "" where there is none."""
    soon = [window for window in view.windows if window.starts_at - now <= SOON and window.ends_at > now]
    if not soon:
        return ""
    more = f" and {len(soon) - 1} more" if len(soon) > 1 else ""
    return maintenance(soon[0], now) + more


def own_withdrawals(sample: SampleView) -> str:
    """ "1 pending for 12 min, last took 3 min; frozen by its owner"."""
    told: list[str] = []
    if sample.oldest_seconds is not None and sample.pending:
        told.append(f"{sample.pending} pending for {span(sample.oldest_seconds)}")
    if sample.took_seconds is not None:
        told.append(f"last took {span(sample.took_seconds)}")
    if sample.failed_24h:
        told.append(f"{sample.failed_24h} failed in 24 h")
    return (", ".join(told) or "none pending") + ("; frozen by its owner" if sample.frozen else "")


def unreadable(probe: ProbeView) -> str:
    """ "1 row unreadable: ..."; "" where all can be read."""
    if not probe.unread:
        return ""
    rows = "1 row" if probe.unread == 1 else f"{count(probe.unread)} rows"
    more = " and others" if probe.unread > 1 else ""
    return f"{rows} unreadable: {shortened(probe.unread_detail, FLAW_CHARACTERS)}{more}"


def age(view: ExchangeView, now: datetime) -> Cell:
    """How old the newest reading of any source is, and which sources cannot see."""
    note = _doubt(view, now)
    read = [probe.last_success_at for probe in view.probes if probe.last_success_at is not None]
    if not read:
        return Cell("never read", Tone.UNKNOWN, note, Tone.UNKNOWN)
    tone = Tone.UNKNOWN if now - max(read) > UNREAD else None
    return Cell(ago(max(read), now), tone, note, Tone.UNKNOWN)


def _doubt(view: ExchangeView, now: datetime) -> str:
    failing = [probe for probe in view.probes if probe.failing_since is not None]
    if len(failing) == 1:
        return failure(failing[0], now)
    if failing:
        return f"{len(failing)} of {len(view.probes)} sources fail"
    unread = sum(probe.unread for probe in view.probes)
    return f"{count(unread)} row{'s' if unread > 1 else ''} unreadable" if unread else ""


def failure(probe: ProbeView, now: datetime) -> str:
    """ "kraken-assets: timeout since 14:02 UTC"; "" for a probe that succeeds."""
    if probe.failing_since is None:
        return ""
    return f"{probe.probe}: {blamed(probe.reason)} since {clock(probe.failing_since, now)}"


def sees(probe: ProbeView) -> Mark:
    if probe.failing_since is not None:
        return Mark("cannot see", Tone.UNKNOWN)
    if probe.unread:
        return Mark("in part", Tone.UNKNOWN)
    return Mark("yes", Tone.FINE) if probe.last_success_at is not None else Mark("not yet", Tone.UNKNOWN)


def rail_pairs(view: ExchangeView) -> list[RailPair]:
    """The watched rails with their two directions, in the order of the view."""
    found: dict[tuple[str, str], dict[Direction, RailView]] = {}
    for rail in view.rails:
        found.setdefault((rail.asset, rail.network), {})[rail.direction] = rail
    return [(both.get(Direction.WITHDRAWAL), both.get(Direction.DEPOSIT)) for both in found.values()]


def rail_mark(rail: RailView) -> Mark:
    """A rail that was off when we first looked is no news, so it is quiet."""
    is_news = rail.since is not None or rail.verdict not in OFF
    return Mark(rail.verdict.value, RAIL_TONES[rail.verdict] if is_news else Tone.QUIET)


def rail_since(rail: RailView, now: datetime, *, told: str) -> str:
    """ "since 14:02 UTC", "since before 13:10 UTC", or why it is unknown where the page has not `told` that already."""
    if rail.verdict is RailVerdict.UNKNOWN:
        return "" if rail.reason == told else shortened(rail.reason, SAYS_CHARACTERS)
    if rail.since is not None:
        since = f"since {clock(rail.since, now)}, {span((now - rail.since).total_seconds())}"
        return f"{since}; {rail.reason}" if rail.reason else since
    if rail.first_read_at is not None and rail.verdict is not RailVerdict.OPEN:
        return f"since before {clock(rail.first_read_at, now)}"
    return ""


def learned(network: NetworkView) -> str:
    """ "25 min of 6 h", or "learned" when that is enough to page on."""
    if network.learned_seconds >= LEARNED_SECONDS:
        return "learned"
    return f"{span(network.learned_seconds)} of {span(LEARNED_SECONDS)}"
