"""What a person can set, each with its default and its meaning.

docs/configuration.md and the JSON schema are made of it.
"""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from monitor.config.chains import Chain, Exits, Prices
from monitor.config.channels import Channels
from monitor.config.drafts import Drafts
from monitor.config.maintenance import Maintenance
from monitor.config.notifying import Alertmanager, Heartbeat, Notify, Paging
from monitor.config.people import ApprovalRules, Auth, People
from monitor.config.values import (
    Asset,
    BaseUrl,
    Coins,
    DatabaseUrl,
    Duration,
    EnvironmentVariable,
    Host,
    JsonQuery,
    Link,
    Listen,
    ListenAddress,
    Network,
    Targets,
    Url,
    Watch,
    XAccount,
    XQuery,
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


class SystemComponent(StrEnum):
    ALL = "all"
    WITHDRAWALS = "withdrawals"
    DEPOSITS = "deposits"
    TRADING = "trading"


class SystemState(StrEnum):
    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    MAINTENANCE = "maintenance"
    OUTAGE = "outage"


class Log(BaseModel, frozen=True, extra="forbid"):
    level: LogLevel = Field(LogLevel.INFO, description="what is worth a line")
    format: LogFormat = Field(LogFormat.AUTO, description="auto is console on a terminal and JSON otherwise")


class PrometheusQueue(BaseModel, frozen=True, extra="forbid"):
    url: BaseUrl = Field(description="base of a Prometheus, or of what speaks its query API")
    requested: str = Field(min_length=1, description="PromQL: withdrawals requested within `window`, by asset, network")
    broadcast: str = Field(min_length=1, description="PromQL: withdrawals broadcast within `window`")
    pending: str = Field(min_length=1, description="PromQL: withdrawals that wait now")
    oldest_seconds: str = Field("", description="PromQL: age of the oldest one that waits")
    window: Duration = Field(
        timedelta(minutes=2), description="the span that `requested` and `broadcast` count, as in their `[2m]`"
    )
    asset_label: str = Field("asset", min_length=1, description="label with the asset")
    network_label: str = Field("network", min_length=1, description="label with the network")
    interval: Duration = Field(timedelta(seconds=15), description="how often it is asked")
    allow_private: bool = Field(True, description="it may be in a private network")
    token_file: Path | None = Field(None, description="file with a bearer token for it")
    token_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    token: SkipJsonSchema[SecretStr | None] = None


class JsonQueue(BaseModel, frozen=True, extra="forbid"):
    url: Url = Field(description="a JSON document of yours about the withdrawals that wait")
    rows: JsonQuery = Field("@", description="JMESPath of its list, an item for each asset and network")
    asset: JsonQuery = Field("asset", description="JMESPath in an item, as are those that follow")
    network: JsonQuery = Field("network", description="the network, in our word or yours")
    requested: JsonQuery = Field("requested", description="withdrawals requested within `window`")
    broadcast: JsonQuery = Field("broadcast", description="withdrawals broadcast within `window`")
    pending: JsonQuery = Field("pending", description="withdrawals that wait now")
    oldest_seconds: JsonQuery = Field("oldest_seconds", description="age of the oldest one that waits, may be null")
    window: Duration = Field(timedelta(minutes=2), description="the span that `requested` and `broadcast` count")
    interval: Duration = Field(timedelta(seconds=15), description="how often it is asked")
    allow_private: bool = Field(True, description="it may be in a private network")
    token_file: Path | None = Field(None, description="file with a bearer token for it")
    token_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    token: SkipJsonSchema[SecretStr | None] = None


class PushedQueue(BaseModel, frozen=True, extra="forbid"):
    secret_file: Path | None = Field(None, description="file with the secret that pushes are signed with")
    secret_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    secret: SkipJsonSchema[SecretStr | None] = None


class Queue(BaseModel, frozen=True, extra="forbid"):
    prometheus: PrometheusQueue | None = Field(None, description="read from Prometheus")
    http_json: JsonQueue | None = Field(None, description="read from a JSON document")
    push: PushedQueue | None = Field(None, description="pushed to `/api/v1/push/<exchange>` by your own software")


class JsonStatus(BaseModel, frozen=True, extra="forbid"):
    url: Url = Field(description="a JSON document in which the exchange says how it is")
    state: JsonQuery = Field(description="JMESPath of the word for its state")
    states: dict[str, SystemState] = Field(
        min_length=1, description="what each of its words means: operational, degraded, maintenance or outage"
    )
    component: SystemComponent = Field(SystemComponent.ALL, description="what it speaks of")
    interval: Duration = Field(timedelta(seconds=60), description="how often it is read")


class JsonMentions(BaseModel, frozen=True, extra="forbid"):
    url: Url = Field(description="a JSON document that tells how often the exchange is spoken of")
    query: str = Field(min_length=1, max_length=200, description="what is counted, in your words")
    count: JsonQuery = Field("count", description="JMESPath of the mentions within the last `window`")
    window: Duration = Field(timedelta(minutes=5), description="the span that it counts")
    interval: Duration = Field(timedelta(minutes=5), description="how often it is read; not more often than `window`")
    allow_private: bool = Field(False, description="it may be in a private network")
    token_file: Path | None = Field(None, description="file with a bearer token for it")
    token_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    token: SkipJsonSchema[SecretStr | None] = None


class Talk(BaseModel, frozen=True, extra="forbid"):
    x: XQuery | None = Field(None, description="a query of X whose posts are counted, if `x` is set; it costs money")
    http_json: JsonMentions | None = Field(None, description="counted by somebody else, read from a JSON document")


class FreezeGate(BaseModel, frozen=True, extra="forbid"):
    url: BaseUrl = Field(description="base of its freeze gate (`cexwatch freeze serve`), as http://127.0.0.1:9878")
    interval: Duration = Field(timedelta(seconds=30), description="how often it is asked")
    allow_private: bool = Field(True, description="it may be in a private network")
    token_file: Path | None = Field(None, description="file with a bearer token of its `readers`")
    token_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    token: SkipJsonSchema[SecretStr | None] = None


class ExchangeSettings(BaseModel, frozen=True, extra="forbid", json_schema_extra={"type": ["object", "null"]}):
    api: str | None = Field(None, description="the exchange whose API it speaks, where that is not its own name's")
    title: str | None = Field(None, description="its name as people write it, where `api` is given")
    watch: Watch | None = Field(None, description="assets and networks watched here, in place of the `watch` above")
    url: BaseUrl | None = Field(None, description="base of the API, in place of the exchange's own")
    status_page: Link | None = Field(
        None, description="base of the status page, in place of the exchange's own; `''` reads none"
    )
    perpetual_url: BaseUrl | None = Field(
        None, description="base of the API of perpetuals; with `url` alone what is on other hosts is not read"
    )
    status_json: JsonStatus | None = Field(None, description="a status page that is no Statuspage")
    announcements: Link | None = Field(
        None, description="RSS or Atom feed, in place of the exchange's own list; `''` reads none"
    )
    x_accounts: tuple[XAccount, ...] = Field((), description="accounts at X it speaks through, read if `x` is set")
    freezes: FreezeGate | None = Field(None, description="how many users froze their own withdrawals, without names")
    mentions: Talk | None = Field(None, description="how often it is spoken of: a campaign is told, and never pages")
    ccxt: str | None = Field(None, description="read by this exchange of ccxt, where we have nothing of our own")
    queue: Queue | None = Field(None, description="your own queue of withdrawals: the best evidence there is")
    exposure: dict[Asset, Coins] = Field(
        {}, description="coins of yours that are there, as `{USDT: 31200000}`: what could leave is then watched"
    )
    exposure_of_key: bool = Field(False, description="read what is there from the key's own account instead")
    withdrawal_history: bool = Field(False, description="read the withdrawals of the key's own account")
    account_frozen_until: AwareDatetime | None = Field(
        None, description="until when you froze withdrawals of that account: what waits is then no sign of a halt"
    )
    interval: Duration | None = Field(None, description="how often its coin list is read; the default suits its size")
    allow_private: bool = Field(False, description="its addresses may be in private networks (a proxy of yours)")
    api_key_file: Path | None = Field(None, description="file with the API key, which needs no right but reading")
    api_key_env: EnvironmentVariable | None = Field(None, description="environment variable with the API key")
    api_secret_file: Path | None = Field(None, description="file with the API secret")
    api_secret_env: EnvironmentVariable | None = Field(None, description="environment variable with the API secret")
    api_passphrase_file: Path | None = Field(None, description="file with the passphrase, where keys have one")
    api_passphrase_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    api_key: SkipJsonSchema[SecretStr | None] = None  # what `load` read from the file or variable
    api_secret: SkipJsonSchema[SecretStr | None] = None
    api_passphrase: SkipJsonSchema[SecretStr | None] = None

    @model_validator(mode="before")
    @classmethod
    def _all_defaults(cls, value: object) -> object:
        # `kraken:` with nothing behind it is how people write "kraken, as it comes".
        return {} if value is None else value


class Control(BaseModel, frozen=True, extra="forbid"):
    interval: Duration = Field(timedelta(seconds=15), description="how often the targets are asked")
    targets: Targets = Field(
        _CONTROL_TARGETS,
        description="pages of others that answer always: if they fail too, it is our own connection",
    )
    allow_private: bool = Field(False, description="targets may be in private networks")


class X(BaseModel, frozen=True, extra="forbid"):
    bearer_token_file: Path | None = Field(None, description="file with the app-only bearer token")
    bearer_token_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    bearer_token: SkipJsonSchema[SecretStr | None] = None
    interval: Duration = Field(timedelta(minutes=5), description="how often each account is read; every post costs")
    mentions_interval: Duration = Field(
        timedelta(minutes=5), description="how often mentions are counted; every request costs"
    )


class Retention(BaseModel, frozen=True, extra="forbid"):
    observations: Duration = Field(
        timedelta(days=60), description="how long readings are kept; incidents, drafts and approvals stay for ever"
    )
    backups: int = Field(
        1, ge=0, le=60, description="nightly copies of a SQLite database that are kept beside it; 0 makes none"
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
    exchanges: dict[str, ExchangeSettings] = Field(
        min_length=1, description="the exchanges to watch: those we know, and any that has an address book"
    )
    chains: dict[Network, Chain] = Field(
        {}, description="chains to read: an EVM chain by its chain_id, bitcoin, litecoin, dogecoin, tron, solana, xrp"
    )
    prices: Prices = Field(Prices(), description="what coins are worth")
    exits: Exits = Field(Exits(), description="whether you can still get out")
    reserves: Path = Field(Path("reserves"), description="folder of address books, relative to this file")
    control: Control = Field(Control(), description="can we see at all?")
    x: X | None = Field(None, description="reading X; it costs money, so nothing is read without this")
    drafts: Drafts = Field(Drafts(), description="texts for people to approve")
    approval: ApprovalRules = Field(ApprovalRules(), description="who must say yes before a text goes out")
    people: People = Field(People(), description="accounts of those who decide")
    auth: Auth = Field(Auth(), description="signing in by a proxy in front, in place of passwords")
    maintenance: tuple[Maintenance, ...] = Field(
        (), description="maintenance you know of beforehand: what is closed within it wakes nobody"
    )
    channels: Channels = Field(Channels(), description="where approved texts go")
    paging: Paging = Field(
        Paging.PROMETHEUS,
        description="who wakes people: the rules of your `prometheus`, we ourselves (`direct`), or `none`",
    )
    notify: Notify = Field(Notify(), description="telling your own people")
    alertmanager: Alertmanager | None = Field(
        None, description="pushing incidents to Alertmanager, for those without Prometheus; with `paging: direct`"
    )
    heartbeat: Heartbeat | None = Field(
        None, description="telling somebody outside that we are alive and can see, so that silence is noticed"
    )
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
        inner = section_in(field.annotation)
        if inner is not None:
            yield from sections(inner, (*way, key, "<name>") if is_by_name(field.annotation) else (*way, key))


def section_in(annotation: object) -> type[BaseModel] | None:
    """The section that is the value of a key of this type, or each of its values where they go by name."""
    match annotation:
        case type() if issubclass(annotation, BaseModel):
            return annotation
        case _:
            found = (section_in(part) for part in get_args(annotation))
            return next((section for section in found if section is not None), None)


def is_by_name(annotation: object) -> bool:
    return get_origin(annotation) is dict
