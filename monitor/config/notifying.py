"""Who of one's own people is told what, and how: nothing of it is judged by, and no public word goes this way."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr
from pydantic.json_schema import SkipJsonSchema

from monitor.config.values import BaseUrl, Duration, EnvironmentVariable, Name
from monitor.model import Topic


class Paging(StrEnum):
    PROMETHEUS = "prometheus"
    DIRECT = "direct"
    NONE = "none"


def _distinct(topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
    return tuple(dict.fromkeys(topics))


class NotifyTarget(BaseModel, frozen=True, extra="forbid"):
    urls_file: Path | None = Field(None, description="file with the URLs of apprise it is told by, one a line")
    urls_env: EnvironmentVariable | None = Field(None, description="environment variable with them")
    urls: SkipJsonSchema[SecretStr | None] = None
    about: Annotated[tuple[Topic, ...], Field(min_length=1), AfterValidator(_distinct)] = Field(
        description="what it is told: `pages` (critical incidents), `warnings`, `drafts` (texts that wait for a "
        "person), `outcomes` (what became of drafts)"
    )
    fallback: str = Field("", description="the target that is told too when this one cannot be reached")
    fallback_after: Duration = Field(timedelta(minutes=5), description="after how long of failing")


class Notify(BaseModel, frozen=True, extra="forbid"):
    targets: dict[Name, NotifyTarget] = Field({}, description="who is told, by a name of your choice")


class Alertmanager(BaseModel, frozen=True, extra="forbid"):
    urls: Annotated[tuple[BaseUrl, ...], Field(min_length=1)] = Field(
        description="every member of the cluster, as http://127.0.0.1:9093; never a load balancer"
    )
    interval: Duration = Field(timedelta(minutes=1), description="how often a firing alert is sent again")
    warnings: bool = Field(False, description="push incidents of severity warning too")
    allow_private: bool = Field(True, description="they may be in a private network")


class Heartbeat(BaseModel, frozen=True, extra="forbid"):
    url_file: Path | None = Field(None, description="file with the URL that is asked, as of healthchecks.io")
    url_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    url: SkipJsonSchema[SecretStr | None] = None
    interval: Duration = Field(timedelta(minutes=1), description="how often, while all is well with the daemon itself")
    allow_private: bool = Field(False, description="it may be in a private network")


def urls_of(target: NotifyTarget) -> tuple[str, ...]:
    """One a line; empty lines and those that begin with # are left out."""
    text = target.urls.get_secret_value() if target.urls is not None else ""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
