"""What a person can set, each with its default and its meaning.

docs/configuration.md and the JSON schema are made of it.
"""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from monitor.config.values import (
    Asset,
    BaseUrl,
    Contract,
    DatabaseUrl,
    Duration,
    Endpoints,
    EnvironmentVariable,
    Host,
    Link,
    Listen,
    ListenAddress,
    Network,
    OptionalPath,
    Targets,
    Watch,
    database_file,
)
from monitor.model import Role, WatchedRail

_WATCH = {
    "BTC": ("bitcoin",),
    "ETH": ("ethereum",),
    "USDT": ("ethereum", "tron"),
    "USDC": ("ethereum",),
    "SOL": ("solana",),
    "XRP": ("xrp",),
    "TRX": ("tron",),
    "BNB": ("bsc",),
}
_MAX_SOCKET_PATH = 107  # what the kernel takes
_CONTROL_TARGETS = (
    "https://www.google.com/generate_204",
    "https://cloudflare.com/cdn-cgi/trace",
    "https://www.apple.com/library/test/success.html",
)


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class Log(BaseModel, frozen=True, extra="forbid"):
    level: LogLevel = Field(LogLevel.INFO, description="what is worth a line")
    format: LogFormat = Field(LogFormat.AUTO, description="auto is console on a terminal and JSON otherwise")


class ExchangeSettings(BaseModel, frozen=True, extra="forbid", json_schema_extra={"type": ["object", "null"]}):
    api: str | None = Field(None, description="the exchange whose API it speaks, where that is not its own name's")
    title: str | None = Field(None, description="its name as people write it, where `api` is given")
    watch: Watch | None = Field(None, description="assets and networks watched here, in place of the `watch` above")
    url: BaseUrl | None = Field(None, description="base of the API, in place of the exchange's own")
    status_page: Link | None = Field(
        None, description="base of the status page, in place of the exchange's own; `''` reads none"
    )
    interval: Duration | None = Field(None, description="how often its coin list is read; the default suits its size")
    allow_private: bool = Field(False, description="its addresses may be in private networks (a proxy of yours)")
    api_key_file: Path | None = Field(None, description="file with the API key, which needs no right but reading")
    api_key_env: EnvironmentVariable | None = Field(None, description="environment variable with the API key")
    api_secret_file: Path | None = Field(None, description="file with the API secret")
    api_secret_env: EnvironmentVariable | None = Field(None, description="environment variable with the API secret")
    api_key: SkipJsonSchema[SecretStr | None] = None  # what `load` read from the file or variable
    api_secret: SkipJsonSchema[SecretStr | None] = None

    @model_validator(mode="before")
    @classmethod
    def _all_defaults(cls, value: object) -> object:
        # `kraken:` with nothing behind it is how people write "kraken, as it comes".
        return {} if value is None else value


class Token(BaseModel, frozen=True, extra="forbid"):
    contract: Contract = Field(description="address of the ERC-20 contract")
    decimals: int = Field(ge=0, le=36, description="digits after the point in one coin")


class Chain(BaseModel, frozen=True, extra="forbid"):
    chain_id: int = Field(ge=1, description="EIP-155 id that every endpoint must answer with")
    endpoints: Endpoints = Field(
        description="JSON-RPC nodes in order of preference; a second one answers when the first does not"
    )
    interval: Duration = Field(timedelta(seconds=60), description="how often nonces and balances are read")
    allow_private: bool = Field(False, description="its endpoints may be in private networks (a node of yours)")
    tokens: dict[Asset, Token] = Field({}, description="tokens whose balances are reserves")


class Control(BaseModel, frozen=True, extra="forbid"):
    interval: Duration = Field(timedelta(seconds=15), description="how often the targets are asked")
    targets: Targets = Field(
        _CONTROL_TARGETS,
        description="pages of others that answer always: if they fail too, it is our own connection",
    )
    allow_private: bool = Field(False, description="targets may be in private networks")


class Drafts(BaseModel, frozen=True, extra="forbid"):
    expiry: Duration = Field(timedelta(minutes=20), description="how long a draft can be approved")
    next_update: Duration = Field(timedelta(minutes=30), description="when a text promises the next update")
    templates: OptionalPath = Field(
        None, description="folder of `<role>/<stage>.j2` that replace the shipped texts, relative to this file"
    )


class FileChannel(BaseModel, frozen=True, extra="forbid"):
    folder: Path = Field(Path("data/posts"), description="where approved posts are written, one file each")


class Channels(BaseModel, frozen=True, extra="forbid"):
    file: FileChannel = Field(FileChannel(), description="approved posts as files")


class Retention(BaseModel, frozen=True, extra="forbid"):
    observations: Duration = Field(
        timedelta(days=60), description="how long readings are kept; incidents, drafts and approvals stay for ever"
    )


class Budget(BaseModel, frozen=True, extra="forbid"):
    pages_per_month: float = Field(
        1.0, gt=0, le=1000, allow_inf_nan=False, description="false pages a month over all exchanges together"
    )


class Limits(BaseModel, frozen=True, extra="forbid"):
    max_series: int = Field(10_000, ge=1, description="metric series this configuration may lead to")
    requests_per_second: dict[Host, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        {}, description="requests a second to a host, where 5 is not right"
    )


class Config(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    role: Role = Field(Role.OBSERVER, description="operator speaks as the exchange, observer about it")
    speaks_for: str = Field("", description="with role operator: the exchange that drafts speak as")
    listen: ListenAddress = Field(Listen("127.0.0.1", 9877), description="page, API and metrics")
    database: DatabaseUrl = Field(
        "sqlite:///data/cexwatch.db",
        validate_default=True,
        description="`sqlite:///file`, relative to the working directory, or `postgresql://user@host/name`; "
        "a PostgreSQL password comes from PGPASSWORD or `?passfile=`",
    )
    socket: Path = Field(
        Path(),
        validate_default=True,
        description="where the command line reaches the daemon; empty is cexwatch.sock beside the database file",
    )
    external_url: Link = Field("", description="how others reach the page; links in notifications use it")
    log: Log = Field(Log(), description="the log")
    watch: Watch = Field(_WATCH, description="assets and networks watched at every exchange, at most 40 rails each")
    exchanges: dict[str, ExchangeSettings] = Field(min_length=1, description="the exchanges to watch")
    chains: dict[Network, Chain] = Field(
        {}, description="EVM chains; without any, payments and reserves are not seen there"
    )
    reserves: Path = Field(Path("reserves"), description="folder of address books, relative to this file")
    control: Control = Field(Control(), description="can we see at all?")
    drafts: Drafts = Field(Drafts(), description="texts for people to approve")
    channels: Channels = Field(Channels(), description="where approved texts go")
    retention: Retention = Field(Retention(), description="what is kept")
    budget: Budget = Field(Budget(), description="how often you accept to be woken for nothing")
    limits: Limits = Field(Limits(), description="bounds")

    def rails(self, exchange: str) -> tuple[WatchedRail, ...]:
        """The rails watched at an exchange of this configuration, in the order they are written."""
        own = self.exchanges[exchange].watch
        watch = self.watch if own is None else own
        return tuple(WatchedRail(asset=asset, network=network) for asset in watch for network in watch[asset])

    @field_validator("socket")
    @classmethod
    def _beside_the_database(cls, socket: Path, validated: ValidationInfo) -> Path:
        if socket == Path():
            beside = database_file(validated.data.get("database", "")) or Path("data/cexwatch.db")
            return beside.with_name("cexwatch.sock")
        if len(str(socket)) > _MAX_SOCKET_PATH:
            raise ValueError(f"expected at most {_MAX_SOCKET_PATH} characters, got {len(str(socket))}")
        return socket


def sections(
    model: type[BaseModel] = Config, way: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Every mapping of the file with the way to it; `<name>` stands for a key of the person's choice."""
    yield way, model
    for key, field in model.model_fields.items():
        is_named = get_origin(field.annotation) is dict
        inner = get_args(field.annotation)[1] if is_named else field.annotation
        match inner:
            case type() if issubclass(inner, BaseModel):
                yield from sections(inner, (*way, key, "<name>") if is_named else (*way, key))
