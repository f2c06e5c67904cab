"""The kinds of values a field can have. Every message says what was expected; none repeats what may be a secret."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import SplitResult, urlsplit

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from monitor.config.yaml_file import quoted

_MAX_RAILS = 40
_MAX_DURATION = timedelta(days=3650)
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_DURATION = r"([1-9][0-9]{0,8})([smhd])"
_LISTEN = r"(?:\[([0-9a-fA-F:]+)\]|([^:\s\[\]/]+)):([0-9]{1,5})"
_CORE = "core+"
_ELECTRUM = ("electrum", "electrums")
_WEB = ("http", "https", "core+http", "core+https")
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


class Listen(NamedTuple):
    """Where the page is served. Port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def duration_text(duration: timedelta) -> str:
    """The shortest spelling: 90 s is "90s", 120 s is "2m". Durations here are whole seconds."""
    unit = next(unit for unit, length in _UNITS.items() if not duration % length)
    return f"{duration // _UNITS[unit]}{unit}"


def database_file(url: str) -> Path | None:
    """The file behind a SQLite URL; None for a server."""
    return Path(url.partition(":///")[2].partition("?")[0]) if url.startswith("sqlite") else None


def is_environment_variable(text: str) -> bool:
    """A key pasted in place of a name has small letters, is none, and so is not printed."""
    return re.fullmatch(r"[A-Z_][A-Z0-9_]*", text) is not None


def duration(value: object) -> timedelta:
    """ "90s", "5m", "2h", "7d". Raises ValueError."""
    match value:
        case timedelta():
            return value
        case str() if found := re.fullmatch(_DURATION, value):
            length = int(found[1]) * _UNITS[found[2]]
        case _:
            raise ValueError(f"expected a duration like 30s, got {quoted(value)}")
    if length > _MAX_DURATION:
        raise ValueError(f"expected at most {duration_text(_MAX_DURATION)}, got {quoted(value)}")
    return length


def _listen(value: object) -> Listen:
    match value:
        case Listen():
            return value
        case str() if (found := re.fullmatch(_LISTEN, value)) and int(found[3]) < 65536:
            return Listen(found[1] or found[2], int(found[3]))
        case _:
            raise ValueError(f"expected host:port like 127.0.0.1:9877, got {quoted(value)}")


def _split(url: str) -> SplitResult:
    """The parts of `url`, which is not repeated in the message: a password may stand in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError("expected a URL like https://example.org") from error
    if parts.password or re.search(r"[?&]pass(word|wd)?=", parts.query and f"?{parts.query}"):
        raise ValueError("expected a URL without a password; secrets stay out of this file")
    return parts


def _url(text: str) -> str:
    if not _is_url(text):
        raise ValueError(f"expected a URL like https://example.org, got {quoted(text)}")
    return text


def _is_url(text: str) -> bool:
    """Raises ValueError where a secret stands in it."""
    parts = _split(text)
    if "@" in parts.netloc:
        raise ValueError("expected a URL without a user name; secrets stay out of this file")
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s#]", text)


def _endpoint(text: str) -> str:
    """A node of a chain: its HTTP API, or `core+http` and `electrum` of the bitcoin family.

    No message repeats it: the key of a provider may stand in it.
    """
    kind = text.partition("://")[0]
    if kind in _ELECTRUM:
        parts = _split(text)
        if not parts.hostname or parts.port is None or parts.path.strip("/") or "@" in parts.netloc:
            raise ValueError(f"expected {kind}://host:port")
        return text.rstrip("/")
    if kind not in _WEB or not _is_url(text.removeprefix(_CORE)):
        raise ValueError(
            "expected a URL like https://example.org; bitcoin, litecoin and dogecoin also have electrums://host:50002 "
            "and core+http://host:8332"
        )
    return text


def _endpoints(value: object) -> object:
    match value:
        case str():
            raise ValueError("expected a list like [a, b], got text")
        case _:
            return value


def _distinct_endpoints(endpoints: tuple[str, ...]) -> tuple[str, ...]:
    repeated = [url for index, url in enumerate(endpoints) if url in endpoints[:index]]
    if repeated:
        raise ValueError(f"an endpoint at {urlsplit(repeated[0]).hostname} is named twice")
    return endpoints


def _base_url(text: str) -> str:
    return _url(text).rstrip("/")


def _link(text: str) -> str:
    return text and _base_url(text)


def _database(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme not in _DRIVERS or not rest:
        raise ValueError("expected sqlite:///folder/file.db or postgresql://user@host/name")
    _split(text)
    url = f"{_DRIVERS[scheme]}://{rest}"
    if database_file(url) in (Path(), Path(":memory:")):
        raise ValueError("expected a file like sqlite:///data/cexwatch.db: what is only in memory is lost at the end")
    return url


def _asset(text: str) -> str:
    if not re.fullmatch(r"[^\s@*]{1,32}", text) or text.islower():
        raise ValueError(f"expected an asset in capitals like BTC, got {quoted(text)}")
    return text


def _path_or_none(value: object) -> object:
    return None if value == "" else value


def _named(pattern: str, expected: str) -> AfterValidator:
    def check(text: str) -> str:
        if re.fullmatch(pattern, text):
            return text
        raise ValueError(f"expected {expected}, got {quoted(text)}")

    return AfterValidator(check)


def _environment_variable(text: str) -> str:
    if is_environment_variable(text):
        return text
    raise ValueError("expected the name of an environment variable, in capitals")


def _distinct(items: tuple[str, ...]) -> tuple[str, ...]:
    repeated = [item for index, item in enumerate(items) if item in items[:index]]
    if repeated:
        raise ValueError(f"{quoted(repeated[0])} is named twice")
    return items


def _few_rails(watch: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    rails = sum(len(networks) for networks in watch.values())
    if rails > _MAX_RAILS:
        raise ValueError(f"expected at most {_MAX_RAILS} rails (assets x networks) an exchange, got {rails}")
    return watch


def _query(text: str) -> str:
    try:
        jmespath.compile(text)
    except (JMESPathError, RecursionError) as error:
        raise ValueError(f"expected a JMESPath expression like data.items, got {quoted(text)}") from error
    return text


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION}$"}),
]
ListenAddress = Annotated[
    Listen,
    BeforeValidator(_listen),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_LISTEN}$"}),
]
OptionalPath = Annotated[Path | None, BeforeValidator(_path_or_none)]
Url = Annotated[str, AfterValidator(_url)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Link = Annotated[str, AfterValidator(_link)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
EnvironmentVariable = Annotated[str, AfterValidator(_environment_variable)]
JsonQuery = Annotated[str, AfterValidator(_query)]
Asset = Annotated[str, AfterValidator(_asset)]
Network = Annotated[str, _named(r"[a-z0-9][a-z0-9_-]{0,31}", "a network like ethereum")]
Name = Annotated[str, _named(r"[a-z0-9][a-z0-9_-]{0,31}", "a short name in small letters like oncall")]
Host = Annotated[str, _named(r"[a-z0-9.-]+", "a host like api.kraken.com")]
XQuery = Annotated[str, _named(r"\S(?s:.{0,510}\S)?", "a query of X like binance withdrawal, at most 512 characters")]
XAccount = Annotated[str, _named(r"[A-Za-z0-9_]{1,15}", "an account at X like krakensupport, without the @")]
Contract = Annotated[
    str,
    _named(
        r"0x[0-9a-fA-F]{40}|[1-9A-HJ-NP-Za-km-z]{32,44}",
        "a contract: 0x and 40 hex digits, a Tron address, or a mint of Solana",
    ),
]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Endpoints = Annotated[
    tuple[Endpoint, ...], Field(min_length=1), BeforeValidator(_endpoints), AfterValidator(_distinct_endpoints)
]
Coins = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
Targets = Annotated[tuple[Url, ...], Field(min_length=2), AfterValidator(_distinct)]
Networks = Annotated[tuple[Network, ...], Field(min_length=1), AfterValidator(_distinct)]
Watch = Annotated[dict[Asset, Networks], AfterValidator(_few_rails)]
language_code = _named(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?", "a language like en, zh or pt-BR")
