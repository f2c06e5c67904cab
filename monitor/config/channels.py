"""Where approved texts go: what a person can set of each channel."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr
from pydantic.json_schema import SkipJsonSchema

from monitor.config.values import BaseUrl, Duration, EnvironmentVariable, Url
from monitor.model import Stage

X_BASE = "https://api.twitter.com"
STATUSPAGE_BASE = "https://api.statuspage.io"
DEFAULT_BODY = """\
{"id": {{ id | tojson }}, "incident": {{ incident | tojson }}, "exchange": {{ exchange | tojson }}, \
"stage": {{ stage | tojson }}, "text": {{ text | tojson }}, "created_at": {{ created_at | tojson }}}"""

PageId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Thread(StrEnum):
    AUTO = "auto"
    NEVER = "never"


class Impact(StrEnum):
    AUTO = "auto"
    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class ComponentStatus(StrEnum):
    OPERATIONAL = "operational"
    DEGRADED_PERFORMANCE = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"
    UNDER_MAINTENANCE = "under_maintenance"


class FileChannel(BaseModel, frozen=True, extra="forbid"):
    folder: Path = Field(Path("data/posts"), description="where approved posts are written, one file each")


class XChannel(BaseModel, frozen=True, extra="forbid"):
    consumer_key_file: Path | None = Field(None, description="file with the app's consumer key (OAuth 1.0a)")
    consumer_key_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    consumer_key: SkipJsonSchema[SecretStr | None] = None
    consumer_secret_file: Path | None = Field(None, description="file with the app's consumer secret")
    consumer_secret_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    consumer_secret: SkipJsonSchema[SecretStr | None] = None
    access_token_file: Path | None = Field(None, description="file with the access token of the account that posts")
    access_token_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    access_token: SkipJsonSchema[SecretStr | None] = None
    access_token_secret_file: Path | None = Field(None, description="file with the secret of that token")
    access_token_secret_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    access_token_secret: SkipJsonSchema[SecretStr | None] = None
    api_base_url: BaseUrl = Field(X_BASE, description="base of the API; another one is for drills")
    allow_private: bool = Field(False, description="it may be in a private network, as for a drill")
    thread: Thread = Field(Thread.AUTO, description="auto: later posts of an incident reply to its first one")
    fallback: str | None = Field(None, description="the channel that is offered where this one cannot post")
    fallback_after: Duration = Field(
        timedelta(minutes=5), description="a limit that lasts longer than this counts as not being able to post"
    )


class StatuspageChannel(BaseModel, frozen=True, extra="forbid"):
    page: PageId = Field(description="id of the page, as its API page shows it")
    api_key_file: Path | None = Field(None, description="file with the key of the management API")
    api_key_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    api_key: SkipJsonSchema[SecretStr | None] = None
    title: str = Field("Withdrawals", min_length=1, max_length=255, description="name of the incidents made there")
    components: tuple[PageId, ...] = Field((), description="ids of the components that an incident affects")
    statuses: dict[Stage, ComponentStatus] = Field(
        {}, description="status of the components by stage, where `major_outage` until `operational` is not right"
    )
    impact: Impact = Field(Impact.AUTO, description="auto leaves it to Statuspage, which goes by the components")
    deliver_notifications: bool = Field(True, description="subscribers of the page are told")
    api_base_url: BaseUrl = Field(STATUSPAGE_BASE, description="base of the API; another one is for drills")
    allow_private: bool = Field(False, description="it may be in a private network, as for a drill")
    fallback: str | None = Field(None, description="the channel that is offered where this one cannot post")
    fallback_after: Duration = Field(
        timedelta(minutes=5), description="a limit that lasts longer than this counts as not being able to post"
    )


class WebhookChannel(BaseModel, frozen=True, extra="forbid"):
    url: Url = Field(description="where the request goes")
    secret_file: Path | None = Field(None, description="file with the secret that requests are signed with")
    secret_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    secret: SkipJsonSchema[SecretStr | None] = None
    body: str = Field(
        DEFAULT_BODY,
        min_length=1,
        description="Jinja template of the body, with `id`, `incident`, `exchange`, `stage`, `role`, `text`, "
        "`text_sha256`, `created_at` and `first`",
    )
    content_type: str = Field("application/json", pattern=r"^[!-~ ]{3,100}$", description="what the body is")
    allow_private: bool = Field(True, description="it may be in a private network")
    fallback: str | None = Field(None, description="the channel that is offered where this one cannot post")
    fallback_after: Duration = Field(
        timedelta(minutes=5), description="a limit that lasts longer than this counts as not being able to post"
    )


class Channels(BaseModel, frozen=True, extra="forbid"):
    file: FileChannel | None = Field(FileChannel(), description="approved posts as files; `null` writes none")
    x: XChannel | None = Field(None, description="posts at X; each costs money")
    statuspage: StatuspageChannel | None = Field(None, description="incidents at Atlassian Statuspage")
    webhook: WebhookChannel | None = Field(None, description="signed requests to a server of yours")

    def configured(self) -> tuple[str, ...]:
        """Names of the channels that there are."""
        return tuple(name for name, settings in self if settings is not None)

    def fallbacks(self) -> dict[str, str]:
        """Channel -> the one that is offered in its place."""
        having = {"x": self.x, "statuspage": self.statuspage, "webhook": self.webhook}
        return {name: channel.fallback for name, channel in having.items() if channel and channel.fallback}

    def patience(self) -> dict[str, float]:
        """Channel -> seconds of a limit after which its fall-back is offered."""
        having = {"x": self.x, "statuspage": self.statuspage, "webhook": self.webhook}
        return {
            name: channel.fallback_after.total_seconds()
            for name, channel in having.items()
            if channel and channel.fallback
        }

    def usual(self) -> tuple[str, ...]:
        """Where every incident is told: a fall-back speaks only when the other cannot."""
        fallbacks = self.fallbacks().values()
        return tuple(name for name in self.configured() if name not in fallbacks)
