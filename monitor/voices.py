"""From what a person configured of the channels to the channels themselves: a literal list of all there are."""

from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlsplit

from monitor.channels.channel import Channel
from monitor.channels.file import FileChannel
from monitor.channels.statuspage import PER_SECOND, Page, StatuspageChannel
from monitor.channels.webhook import EXAMPLE, Hook, WebhookChannel, rendered
from monitor.channels.x import XChannel
from monitor.channels.x_session import SECONDS, Keys
from monitor.clock import Clock
from monitor.config import Config, Thread, revealed
from monitor.config import StatuspageChannel as StatuspageSettings
from monitor.config import WebhookChannel as WebhookSettings
from monitor.config import XChannel as XSettings
from monitor.http import Http
from monitor.model import Stage

STATUSES = {
    Stage.INVESTIGATING: "major_outage",
    Stage.IDENTIFIED: "major_outage",
    Stage.MONITORING: "degraded_performance",
    Stage.RESOLVED: "operational",
}
"""Of the components of a Statuspage, where the configuration names no other."""


async def channels_of(
    config: Config, *, http: Http, clock: Clock, spent: Callable[[str, Decimal], None]
) -> dict[str, Channel]:
    """The channels by name. `spent` is told a channel and US dollars."""
    channels, made = config.channels, dict[str, Channel]()
    if channels.file is not None:
        made["file"] = FileChannel(channels.file.folder)
    if channels.x is not None:
        made["x"] = await _x(channels.x, http=http, clock=clock, spent=lambda usd: spent("x", usd))
    if channels.statuspage is not None:
        made["statuspage"] = StatuspageChannel(http, clock, page=_page(channels.statuspage))
    if channels.webhook is not None:
        made["webhook"] = WebhookChannel(http, clock, hook=_hook(channels.webhook))
    return made


def check(config: Config) -> None:
    """Try what only the channel itself understands. Raises BodyError."""
    if config.channels.webhook is not None:
        rendered(config.channels.webhook.body, EXAMPLE, first=None)


def paces_of(config: Config) -> dict[str, float]:
    """Requests a second that channels may make, by host."""
    page = config.channels.statuspage
    host = urlsplit(page.api_base_url).hostname if page is not None else None
    return {host: PER_SECOND} if host else {}


async def _x(settings: XSettings, *, http: Http, clock: Clock, spent: Callable[[Decimal], None]) -> XChannel:
    keys = Keys(
        consumer_key=revealed(settings.consumer_key),
        consumer_secret=revealed(settings.consumer_secret),
        access_token=revealed(settings.access_token),
        access_token_secret=revealed(settings.access_token_secret),
    )
    session = await http.session(seconds=SECONDS, allow_private=settings.allow_private)
    replies = settings.thread is Thread.AUTO
    return XChannel(session, clock, keys=keys, base=settings.api_base_url, replies=replies, spent=spent)


def _page(settings: StatuspageSettings) -> Page:
    own = {stage: str(status) for stage, status in settings.statuses.items()}
    return Page(
        base=settings.api_base_url,
        page=settings.page,
        key=revealed(settings.api_key),
        title=settings.title,
        components=settings.components,
        statuses=STATUSES | own,
        impact=None if settings.impact == "auto" else str(settings.impact),
        notifies=settings.deliver_notifications,
        allow_private=settings.allow_private,
    )


def _hook(settings: WebhookSettings) -> Hook:
    return Hook(
        url=settings.url,
        secret=revealed(settings.secret),
        body=settings.body,
        content_type=settings.content_type,
        allow_private=settings.allow_private,
    )
