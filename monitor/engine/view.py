"""What an engine shows: the verdict on its exchange with the reason, and the projection that pages and metrics read."""

from datetime import datetime

from monitor.engine import money_view
from monitor.engine.detectors.halt import DEGRADED_SHARE, HALT_SHARE
from monitor.engine.detectors.sources import Held
from monitor.engine.finding import moment
from monitor.engine.incident import Cases
from monitor.engine.samples import Samples
from monitor.engine.senses import Senses
from monitor.engine.sight import probe_views
from monitor.model import (
    Direction,
    ExchangeState,
    ExchangeView,
    IncidentKind,
    NetworkView,
    Rail,
    RailVerdict,
    RailView,
    Source,
    Stage,
)
from monitor.model.maintenance import window_id
from monitor.model.view import SampleView, WindowView

PAID_RECENTLY_SECONDS = 900.0
DAY = 86_400.0


def standing(senses: Senses, cases: Cases, *, now: float) -> tuple[ExchangeState, str]:
    """Withdrawals of the exchange and why we say so."""
    state, reason = judged(senses, cases, now=now)
    return state, reason or _why_unseen(senses, now) + _stalls(senses)


def judged(senses: Senses, cases: Cases, *, now: float) -> tuple[ExchangeState, str]:
    """Operational needs fresh evidence. Without any it is unknown, and why, which is long to find, is left out."""
    incident = cases.current("withdrawals")
    if incident is not None and incident.stage is not Stage.MONITORING:
        stale = "" if senses.is_fresh(now) else " (stale: no source answers now)"
        kind = incident.holds or incident.kind
        if kind is IncidentKind.WITHDRAWAL_HALT:
            return ExchangeState.HALTED, incident.summary + stale
        if kind is not IncidentKind.RAIL_SUSPENDED:
            return ExchangeState.DEGRADED, incident.summary + stale
    if senses.blind.is_blind():
        return ExchangeState.UNKNOWN, "we cannot see: our own control targets do not answer"
    halt = senses.decided.halt
    if senses.knows_most(now):
        if halt.share_excused >= DEGRADED_SHARE:
            return _maintained(halt.share_excused)
        if halt.share_newly_off >= DEGRADED_SHARE:
            return ExchangeState.DEGRADED, f"{halt.share_newly_off:.0%} of the watched weight is off"
        return ExchangeState.OPERATIONAL, "most rails are open" if halt.share_off else "rails are open"
    paid = senses.silence.last_paid()
    if paid is not None and now - paid <= PAID_RECENTLY_SECONDS:
        return ExchangeState.OPERATIONAL, "it pays on chain"
    return ExchangeState.UNKNOWN, ""


def _maintained(share: float) -> tuple[ExchangeState, str]:
    """Nobody is paid in maintenance either, announced or not; it is no incident, and no reason to send money there."""
    state = ExchangeState.HALTED if share >= HALT_SHARE else ExchangeState.DEGRADED
    return state, f"announced maintenance: {share:.0%} of the watched weight is off"


def show(senses: Senses, cases: Cases, *, now: float) -> ExchangeView:
    withdrawals, reason = standing(senses, cases, now=now)
    decided, silence, tally = senses.decided, senses.silence, senses.rails.tally()
    words = decided.statements[-1] if decided.statements else None
    worth, until = money_view.balances(senses.money, now), senses.valid_until()
    trading = decided.system.get("trading") or decided.system.get("all")
    return ExchangeView(
        exchange=senses.exchange,
        at=moment(now),
        withdrawals=withdrawals,
        since=_moment(decided.verdict_since),
        reason=reason,
        rails=tuple(_rail(senses, rail, d, now) for rail in senses.watched for d in Direction),
        counts={direction.value: counts for direction, counts in tally.counts.items()},
        newly_off_24h=sum(now - since <= DAY for since in tally.went_off),
        weight_off=senses.decided.halt.share_off,
        networks=_networks(senses),
        paid_5m=silence.paid_recently(now) if decided.silence.streams else None,
        last_trade_at=max(decided.trades.values(), default=None),
        trading=trading.state if trading is not None else "",
        statement=words.text if words is not None else "",
        statement_at=words.published_at if words is not None else None,
        probes=probe_views(decided.sights, _flaws(senses)),
        silence_score=round(decided.silence.score, 6),
        silence_threshold=round(silence.threshold(), 6),
        silence_note=_silence_note(senses),
        balances=tuple(each.view for each in worth),
        blind=senses.blind.is_blind(),
        held=decided.held,
        title=senses.judging.titles.get(senses.exchange, senses.exchange),
        retired=senses.is_retired(),
        windows=tuple(
            WindowView(
                starts_at=w.starts_at,
                ends_at=w.ends_at,
                scope=w.scope,
                source=w.actor or w.source,
                id=window_id(w),
                name=w.name,
                actor=w.actor,
            )
            for w in decided.windows
            if w.ends_at.timestamp() > now
        ),
        called_off=tuple(name for name, until in decided.called_off.items() if until > now),
        samples=tuple(
            _sample(senses, key, samples, now) for key, samples in sorted(decided.samples.items(), key=lambda i: i[0])
        ),
        reserves=money_view.reserves(senses.money, worth, senses.judging.own_tokens.get(senses.exchange, ())),
        exposures=tuple(senses.exits.exposures(now, senses.judging.intervals)),
        valid_until=moment(until) if until > 0 else None,
        stalled=senses.money.stalled(),
        usd=money_view.prices(senses.money, worth, now),
        flows=tuple(senses.outflow.totals()),
        statistics=tuple(senses.statistics(now)),
        freezes=senses.freezes.view(),
    )


def _why_unknown(senses: Senses) -> str:
    """Why its flags are not known: no key for them, or its list does not answer."""
    needs = senses.judging.needs_key.get(senses.exchange)
    if needs is not None:
        return needs
    failing = [(p, s) for p, s in sorted(senses.decided.sights.items()) if s.failing_since is not None]
    order = list(senses.judging.intervals)  # as configured: an exchange's own list first
    failing.sort(key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    if failing:
        probe, sight = failing[0]
        since = moment(sight.failing_since or 0.0)
        return f"cannot see: {probe} {sight.reason} since {since:%H:%M} UTC ({sight.detail})"
    return "no reading yet"


def _rail(senses: Senses, rail: Rail, direction: Direction, now: float) -> RailView:
    held = senses.held(rail, direction=direction, now=now)
    if held is None:
        return RailView(
            asset=rail.asset,
            network=rail.network,
            direction=direction,
            verdict=RailVerdict.UNKNOWN,
            since=None,
            first_read_at=None,
            source=Source.API,
            raw="",
            read_at=None,
            weight=senses.watched[rail],
            reason=_why_unnamed(senses, rail, now),
        )
    return RailView(
        asset=rail.asset,
        network=rail.network,
        direction=direction,
        verdict=held.verdict,
        since=_moment(held.since),
        first_read_at=moment(held.first_at),
        source=held.source,
        raw=held.raw,
        read_at=moment(held.read_at),
        weight=senses.watched[rail],
        reason=_why_unheld(senses, rail, direction, held),
        probe=held.probe,
    )


def _why_unnamed(senses: Senses, rail: Rail, now: float) -> str:
    flaw = senses.rails.flaws(rail.asset)
    if flaw:
        return f"a row of it cannot be read: {flaw}"
    is_read = now <= senses.rails.fresh_until(senses.judging.intervals)
    return "its list does not name it" if is_read else _why_unknown(senses)


def _why_unseen(senses: Senses, now: float) -> str:
    """Why we do not know of withdrawals as a whole."""
    if now > senses.rails.fresh_until(senses.judging.intervals):
        return _why_unknown(senses)
    flaws = [flaw for told in _flaws(senses).values() for flaw in told]
    if flaws:
        more = f" and {len(flaws) - 1} more" if len(flaws) > 1 else ""
        return f"what decides cannot be read: {flaws[0]}{more}"
    return _why_unknown(senses) if senses.halt.weights else "its list does not name it"


def _stalls(senses: Senses) -> str:
    """Where nobody is paid, whatever the exchange does."""
    stalled = senses.money.stalled()
    return f"; no new blocks on {', '.join(stalled)}: nobody is paid there" if stalled else ""


def _why_unheld(senses: Senses, rail: Rail, direction: Direction, held: Held) -> str:
    match held.verdict:
        case RailVerdict.UNKNOWN if held.unread:
            return f"its row cannot be read: {held.unread}"
        case RailVerdict.UNKNOWN:
            return _why_unknown(senses)
        case RailVerdict.DISPUTED:
            return "two sources of the exchange disagree"
        case _ if direction is Direction.WITHDRAWAL and senses.halt.is_flapping(rail):
            return "flapping: it closed three times within an hour"
        case _:
            return ""


def _flaws(senses: Senses) -> dict[str, list[str]]:
    """Probe -> the rows of its list that cannot be read."""
    flaws: dict[str, list[str]] = {}
    for memory in senses.decided.rails.lists.values():
        flaws.setdefault(memory.probe, []).extend(memory.flaws())
    return flaws


def _sample(senses: Senses, key: tuple[str, str, str], samples: Samples, now: float) -> SampleView:
    probe, asset, network = key
    is_old = now - samples.waiting_at > max(180.0, 3 * senses.judging.intervals.get(probe, 60.0))
    return SampleView(
        probe=probe,
        asset=asset,
        network=network,
        read_at=moment(samples.read_at),
        pending=0 if is_old else samples.waiting,
        oldest_seconds=None if is_old else samples.oldest_seconds,
        frozen=samples.is_frozen and not is_old,
        took_seconds=samples.took_seconds,
        took_at=_moment(samples.took_at),
        failed_24h=samples.failed_lately(now),
    )


def _networks(senses: Senses) -> tuple[NetworkView, ...]:
    shown: dict[str, NetworkView] = {}
    for key, stream in sorted(senses.decided.silence.streams.items()):
        other = shown.get(stream.network)
        times = (_moment(stream.last_at), other.last_outgoing_at if other is not None else None)
        shown[stream.network] = NetworkView(
            network=stream.network,
            last_outgoing_at=max((time for time in times if time is not None), default=None),
            outgoing_total=stream.total + (other.outgoing_total if other is not None else 0),
            head_age_seconds=stream.head_age,
            read_at=moment(stream.read_at),
            learned_seconds=senses.silence.learned_seconds(key),
            silence_score=round(stream.score, 6),
        )
    return tuple(shown.values())


def _silence_note(senses: Senses) -> str:
    silence = senses.silence
    keys = list(senses.decided.silence.streams)
    if not keys:
        return "no chain is read"
    if not silence.learned.baselines:
        return "uncalibrated: learning again from the journal"
    watching = ", ".join(silence.watching())
    if watching:
        return f"{watching} silent" if senses.decided.silence.halted else f"watch: {watching} silent"
    learned = max(silence.learned_seconds(key) for key in keys)
    if learned < 6 * 3600:
        return f"learning, {learned / 60:.0f} min of 6 h"
    return ""


def _moment(seconds: float | None) -> datetime | None:
    return moment(seconds) if seconds is not None else None
