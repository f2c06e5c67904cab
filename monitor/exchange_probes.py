"""From what a person configured of one exchange to everything that looks at it, the operator's own queue first."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct

from monitor.clock import Clock
from monitor.config import Config, ExchangeSettings, FreezeGate, JsonMentions, Queue, X, revealed
from monitor.http import Http
from monitor.http.limits import Budget
from monitor.ledgers import Wires
from monitor.model import Rail, WatchedRail
from monitor.probes import EXCHANGES
from monitor.probes.account import Credentials
from monitor.probes.answer import Endpoint
from monitor.probes.exchange import Exchange, Own, probes_of
from monitor.probes.exposure import ConfiguredProbe
from monitor.probes.freezes import FreezesProbe
from monitor.probes.http_json import JsonQueueProbe, QueuePaths
from monitor.probes.listing import ListProbe
from monitor.probes.longtail import LONGTAIL_SECONDS, Longtail, rails
from monitor.probes.mentions_json import JsonMentionsProbe
from monitor.probes.probe import Probe
from monitor.probes.prometheus_query import PrometheusQueueProbe, QueueQueries
from monitor.probes.push import Push
from monitor.probes.status_json import StatusJsonProbe
from monitor.probes.x_cost import Cost, cost_per_day, count_cost_per_day


class Ways(Struct, frozen=True):
    """How probes get out. `pushes` by exchange: what is pushed to us is looked at like everything else."""

    http: Http
    clock: Clock
    longtail: Longtail
    pushes: Mapping[str, Push]
    wires: Wires


def exchange_of(name: str, settings: ExchangeSettings) -> Exchange:
    """What we know of a configured exchange: its own entry, that of the API which it speaks, or its name.

    Of one that is read through ccxt it is the name: nothing else that we know is looked at.
    """
    title = settings.title or name.capitalize()
    if settings.api is not None:
        return EXCHANGES[settings.api].spoken_by(name, title=title)
    known = EXCHANGES.get(name)
    if known is None:
        return Exchange(name=name, title=title, url="")
    return known if settings.ccxt is None else Exchange(name=name, title=settings.title or known.title, url="")


def budgets() -> dict[str, Budget]:
    """What the hosts of the exchanges are asked at most, by host."""
    return {
        host: Budget(per_second=exchange.per_second, weight=exchange.weight)
        for exchange in EXCHANGES.values()
        for host in exchange.hosts
    }


def x_cost_of(config: Config) -> Cost | None:
    """What reading X costs; None where nothing is read there."""
    accounts = sum(len(settings.x_accounts) for settings in config.exchanges.values())
    queries = len([s for s in config.exchanges.values() if s.mentions is not None and s.mentions.x is not None])
    if config.x is None or not accounts + queries:
        return None
    counted = count_cost_per_day(queries, interval=config.x.mentions_interval)
    return cost_per_day(accounts, interval=config.x.interval) + counted


def pushes_of(exchanges: Mapping[str, ExchangeSettings], clock: Clock) -> dict[str, Push]:
    return {
        name: Push(clock, exchange=name, secret=revealed(settings.queue.push.secret))
        for name, settings in exchanges.items()
        if settings.queue is not None and settings.queue.push is not None
    }


def probes_at(
    name: str,
    settings: ExchangeSettings,
    *,
    ways: Ways,
    watched: Sequence[WatchedRail],
    x: X | None,
    since: Mapping[str, datetime],
) -> list[Probe]:
    """The probes of one exchange. Nothing is read at X unless `x` is given. `since`: as `polls_of` has it."""
    http, clock = ways.http, ways.clock
    own = Own(
        url=settings.url,
        perpetual_url=settings.perpetual_url,
        status_page=settings.status_page,
        announcements=settings.announcements,
        interval=settings.interval.total_seconds() if settings.interval is not None else None,
        allow_private=settings.allow_private,
        credentials=_credentials(settings),
        history=settings.withdrawal_history,
        funds=settings.exposure_of_key,
        frozen_until=settings.account_frozen_until,
        watched=[Rail(rail.asset, rail.network) for rail in watched],
    )
    probes: list[Probe] = list(_queue_probes(name, settings.queue, ways=ways))
    if settings.exposure:
        probes.append(ConfiguredProbe(clock, exchange=name, name=f"{name}-exposure", held=settings.exposure))
    if settings.ccxt is None:
        probes += probes_of(exchange_of(name, settings), http=http, clock=clock, own=own)
    else:
        probes.append(_longtail_probe(name, settings.ccxt, own, ways=ways))
    if settings.status_json is not None:
        probes.append(_status_probe(name, settings, ways=ways))
    if x is not None:
        probes += [_x_probe(name, account, x, ways=ways) for account in settings.x_accounts]
    if settings.freezes is not None:
        probes.append(_freezes_probe(name, settings.freezes, ways=ways))
    return [*probes, *_mentions_probes(name, settings, x, ways=ways, since=since.get(mentions_name(name)))]


def mentions_name(exchange: str) -> str:
    """The probe of what is counted at X."""
    return f"{exchange}-mentions-x"


def _queue_probes(exchange: str, queue: Queue | None, *, ways: Ways) -> list[Probe]:
    if queue is None:
        return []
    probes: list[Probe] = []
    if (ours := queue.prometheus) is not None:
        queries = QueueQueries(
            requested=ours.requested,
            broadcast=ours.broadcast,
            pending=ours.pending,
            oldest_seconds=ours.oldest_seconds,
        )
        probes.append(
            PrometheusQueueProbe(
                ways.http,
                ways.clock,
                exchange=exchange,
                name=f"{exchange}-queue-prometheus",
                url=ours.url,
                queries=queries,
                asset_label=ours.asset_label,
                network_label=ours.network_label,
                window_seconds=ours.window.total_seconds(),
                interval=ours.interval.total_seconds(),
                allow_private=ours.allow_private,
                token=revealed(ours.token),
            )
        )
    if (document := queue.http_json) is not None:
        paths = QueuePaths(
            asset=document.asset,
            network=document.network,
            requested=document.requested,
            broadcast=document.broadcast,
            pending=document.pending,
            oldest_seconds=document.oldest_seconds,
        )
        probes.append(
            JsonQueueProbe(
                ways.http,
                ways.clock,
                exchange=exchange,
                name=f"{exchange}-queue-json",
                url=document.url,
                rows=document.rows,
                paths=paths,
                window_seconds=document.window.total_seconds(),
                interval=document.interval.total_seconds(),
                allow_private=document.allow_private,
                token=revealed(document.token),
            )
        )
    if exchange in ways.pushes:
        probes.append(ways.pushes[exchange])
    return probes


def _longtail_probe(exchange: str, ccxt: str, own: Own, *, ways: Ways) -> ListProbe:
    interval = LONGTAIL_SECONDS if own.interval is None else own.interval
    ask = partial(ways.longtail.ask, ccxt, url=own.url, credentials=own.credentials)
    return ListProbe(
        Endpoint(ask, partial(ways.longtail.heed, ccxt), interval=interval),
        ways.clock,
        exchange=exchange,
        name=f"{exchange}-ccxt",
        interval=interval,
        decode=rails,
        watched=own.watched,
    )


def _status_probe(exchange: str, settings: ExchangeSettings, *, ways: Ways) -> StatusJsonProbe:
    status = settings.status_json
    assert status is not None  # noqa: S101 - the caller has looked
    interval = status.interval.total_seconds()
    get = partial(ways.http.get, status.url, allow_private=settings.allow_private)
    return StatusJsonProbe(
        Endpoint(get, partial(ways.http.heed, status.url), interval=interval),
        ways.clock,
        exchange=exchange,
        name=f"{exchange}-status-json",
        interval=interval,
        component=status.component.value,
        state=status.state,
        states={word: state.value for word, state in status.states.items()},
    )


def _x_probe(exchange: str, account: str, x: X, *, ways: Ways) -> Probe:
    from monitor.probes.x_posts import XPostsProbe  # noqa: PLC0415 - tweepy takes a second, and few read X

    return XPostsProbe(
        ways.http.get,
        ways.clock,
        exchange=exchange,
        name=f"{exchange}-x-{account.lower()}",
        interval=x.interval.total_seconds(),
        account=account,
        bearer=revealed(x.bearer_token),
    )


def _freezes_probe(exchange: str, gate: FreezeGate, *, ways: Ways) -> Probe:
    return FreezesProbe(
        ways.http,
        ways.clock,
        exchange=exchange,
        name=f"{exchange}-freezes",
        url=f"{gate.url}/api/v1/summary",
        interval=gate.interval.total_seconds(),
        allow_private=gate.allow_private,
        token=revealed(gate.token),
    )


def _mentions_probes(
    exchange: str, settings: ExchangeSettings, x: X | None, *, ways: Ways, since: datetime | None
) -> list[Probe]:
    talk = settings.mentions
    if talk is None:
        return []
    probes: list[Probe] = []
    if talk.http_json is not None:
        probes.append(_json_mentions_probe(exchange, talk.http_json, ways=ways))
    if talk.x is not None and x is not None:
        probes.append(_x_mentions_probe(exchange, talk.x, x, ways=ways, since=since))
    return probes


def _json_mentions_probe(exchange: str, document: JsonMentions, *, ways: Ways) -> Probe:
    return JsonMentionsProbe(
        ways.http,
        ways.clock,
        exchange=exchange,
        name=f"{exchange}-mentions-json",
        url=document.url,
        query=document.query,
        count=document.count,
        window_seconds=document.window.total_seconds(),
        interval=document.interval.total_seconds(),
        allow_private=document.allow_private,
        token=revealed(document.token),
    )


def _x_mentions_probe(exchange: str, query: str, x: X, *, ways: Ways, since: datetime | None) -> Probe:
    from monitor.probes.mentions import XMentionsProbe  # noqa: PLC0415 - tweepy takes a second, and few read X

    return XMentionsProbe(
        ways.http.get,
        ways.clock,
        exchange=exchange,
        name=mentions_name(exchange),
        interval=x.mentions_interval.total_seconds(),
        query=query,
        bearer=revealed(x.bearer_token),
        since=since,
    )


def _credentials(settings: ExchangeSettings) -> Credentials | None:
    if settings.api_key is None or settings.api_secret is None:
        return None
    return Credentials(revealed(settings.api_key), revealed(settings.api_secret), revealed(settings.api_passphrase))
