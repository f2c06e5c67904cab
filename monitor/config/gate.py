"""What a person can set of the freeze gate, a process with a file of its own: from YAML to `GateConfig`, or to every
problem at once.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from msgspec import Struct
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic.json_schema import SkipJsonSchema

from monitor.config.loading import field_problems
from monitor.config.secret import Secrets, revealed, spoken
from monitor.config.settings import Log
from monitor.config.values import (
    BaseUrl,
    DatabaseUrl,
    Duration,
    EnvironmentVariable,
    Link,
    Listen,
    ListenAddress,
    Name,
    OptionalPath,
    database_file,
)
from monitor.config.yaml_file import ConfigError, ConfigFile, ConfigProblem, Where, quoted, read

SHORTEST = timedelta(hours=24)
LONGEST = timedelta(days=7)
KEY_BYTES = 32


def _source(text: str) -> str:
    kind, _, rest = text.partition("://")
    if kind not in ("ntp", "http", "https") or not rest or rest != rest.strip():
        raise ValueError(f"expected ntp://host or the URL of an Ethereum node, got {quoted(text)}")
    return text


def _at_least_one(sources: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(sources)) < len(sources):
        raise ValueError("a source of time is named twice: it would be heard twice")
    return sources


class AccountKey(BaseModel, frozen=True, extra="forbid"):
    secret_file: Path | None = Field(
        None, description="file with 32 bytes in base64, as `cexwatch freeze keygen` makes"
    )
    secret_env: EnvironmentVariable | None = Field(None, description="environment variable with them")
    secret: SkipJsonSchema[SecretStr | None] = None


class App(BaseModel, frozen=True, extra="forbid"):
    secret_file: Path | None = Field(None, description="file with the secret that accounts' signing keys are made of")
    secret_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    secret: SkipJsonSchema[SecretStr | None] = None


class Reader(BaseModel, frozen=True, extra="forbid"):
    token_file: Path | None = Field(None, description="file with a bearer token")
    token_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    token: SkipJsonSchema[SecretStr | None] = None


class Signing(BaseModel, frozen=True, extra="forbid"):
    secret_file: Path | None = Field(None, description="file with the Ed25519 private key: 32 bytes in base64")
    secret_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    secret: SkipJsonSchema[SecretStr | None] = None


class Reports(BaseModel, frozen=True, extra="forbid"):
    url: BaseUrl = Field(description="where a freeze is reported, so that what is pending is cancelled")
    secret_file: Path | None = Field(None, description="file with 32 bytes in base64 that reports are signed with")
    secret_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    secret: SkipJsonSchema[SecretStr | None] = None
    remind: Duration | None = Field(
        None, description="tell guardians who want it so long before a freeze ends, as 2h; left out: never"
    )


class Anchor(BaseModel, frozen=True, extra="forbid"):
    url: BaseUrl = Field(description="where the ledger's head is posted, to be kept out of reach of whoever runs this")
    interval: Duration = Field(timedelta(hours=1), description="how often")
    token_file: Path | None = Field(None, description="file with a bearer token for it")
    token_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    token: SkipJsonSchema[SecretStr | None] = None


class Durations(BaseModel, frozen=True, extra="forbid"):
    usual: Duration = Field(timedelta(hours=48), description="what is chosen where nobody chooses")
    longest: Duration = Field(LONGEST, description="the longest that can be chosen")

    @model_validator(mode="after")
    def _in_bounds(self) -> Self:
        if not SHORTEST <= self.usual <= self.longest <= LONGEST:
            raise ValueError("expected 24h <= usual <= longest <= 7d")
        return self


class GateConfig(BaseModel, frozen=True, extra="forbid"):
    ledger: DatabaseUrl = Field(
        "sqlite:///data/freeze.db", description="the ledger; sqlite:///file or postgresql://user@host/name"
    )
    witness: OptionalPath = Field(
        None, description="its second copy, best on another disk; left out: beside a SQLite file, with .witness"
    )
    listen: ListenAddress = Field(
        Listen("127.0.0.1", 9878), description="API and metrics, for the exchange's own network only"
    )
    public_listen: ListenAddress | None = Field(
        None, description="the pages of links and nothing else, for the internet; left out: with the API"
    )
    public_url: Link = Field("", description="how the pages are reached, as https://freeze.example.org")
    keys: dict[Name, AccountKey] = Field(
        min_length=1, description="keys that accounts are hashed with, by id; the first one hashes what is new"
    )
    signing: Signing = Field(Signing(), description="what the gate signs snapshots with")
    apps: dict[Name, App] = Field({}, description="apps of the exchange that may freeze, by name")
    readers: dict[Name, Reader] = Field({}, description="who may ask who is frozen, by name")
    time: Annotated[tuple[Annotated[str, AfterValidator(_source)], ...], AfterValidator(_at_least_one)] = Field(
        min_length=1, description="independent time: ntp://host or an Ethereum node, three or more of them"
    )
    durations: Durations = Field(Durations(), description="how long a freeze lasts")
    reports: Reports | None = Field(None, description="the webhook of the exchange's withdrawal service")
    anchor: Anchor | None = Field(None, description="an outside place for the ledger's head")
    log: Log = Field(Log(), description="the log")


class LoadedGate(Struct, frozen=True, kw_only=True):
    """Keys are decoded; what is in `config` besides is as it was written."""

    config: GateConfig
    keys: dict[str, bytes]
    signing: bytes
    apps: dict[str, bytes]
    readers: dict[str, str]
    reports: bytes  # what reports are signed with; empty where none are sent
    witness: Path
    warnings: tuple[ConfigProblem, ...]
    secrets: tuple[str, ...]  # what a log line must not hold


def load_gate(path: Path, environ: Mapping[str, str]) -> LoadedGate:
    """The gate's configuration. Paths of secrets start in the folder of `path`, the ledger's in the working directory.

    Raises ConfigError with every problem found.
    """
    file = read(path)
    secrets = Secrets(file, folder=path.parent, environ=environ, model=GateConfig)
    document = secrets.document()
    problems = [*file.problems, *secrets.problems]
    try:
        config = GateConfig.model_validate(document)
    except ValidationError as error:
        raise ConfigError([*problems, *field_problems(file, error, GateConfig)]) from error
    told = [problem.where for problem in problems]
    problems += [
        problem for problem in _problems(file, config) if not any(where.startswith(problem.where) for where in told)
    ]
    if problems:
        raise ConfigError(problems)
    return LoadedGate(
        config=config,
        keys={name: _bytes(key.secret) for name, key in config.keys.items()},
        signing=_bytes(config.signing.secret),
        apps={name: revealed(app.secret).encode() for name, app in config.apps.items()},
        readers={name: revealed(reader.token) for name, reader in config.readers.items()},
        reports=b"" if config.reports is None else _bytes(config.reports.secret),
        witness=_witness(config),
        warnings=(*secrets.warnings, *_warnings(file, config)),
        secrets=tuple(spoken(config)),
    )


def _witness(config: GateConfig) -> Path:
    beside = database_file(config.ledger)
    if config.witness is not None or beside is None:
        return config.witness or Path("data/freeze.witness")
    return beside.with_name(beside.name + ".witness")


def _problems(file: ConfigFile, config: GateConfig) -> Iterator[ConfigProblem]:
    for name, key in config.keys.items():
        yield from _key_problems(file, ("keys", name), key.secret)
    yield from _key_problems(file, ("signing",), config.signing.secret)
    for name, app in config.apps.items():
        yield from _long_enough(file, ("apps", name), app.secret, "secret")
    for name, reader in config.readers.items():
        yield from _long_enough(file, ("readers", name), reader.token, "token")
    if config.reports is not None:
        yield from _key_problems(file, ("reports",), config.reports.secret)
    if database_file(config.ledger) is None and config.witness is None:
        yield file.problem(("witness",), "required with PostgreSQL: a file on this machine")


def _key_problems(file: ConfigFile, where: Where, secret: SecretStr | None) -> Iterator[ConfigProblem]:
    if secret is None:
        yield file.problem(where, "needs secret: name its file in secret_file or its variable in secret_env")
    elif len(_bytes(secret)) != KEY_BYTES:
        yield file.problem(
            (*where, "secret"), f"expected {KEY_BYTES} bytes in base64, as `cexwatch freeze keygen` makes them"
        )


def _long_enough(file: ConfigFile, where: Where, secret: SecretStr | None, key: str) -> Iterator[ConfigProblem]:
    if secret is None:
        yield file.problem(where, f"needs {key}: name its file in {key}_file or its variable in {key}_env")
    elif len(revealed(secret)) < KEY_BYTES:
        yield file.problem((*where, key), f"expected at least {KEY_BYTES} characters")


def _warnings(file: ConfigFile, config: GateConfig) -> Iterator[ConfigProblem]:
    if len(config.time) < 3:
        yield file.problem(
            ("time",), "with fewer than three sources one that is wrong or silent keeps every freeze shut"
        )
    if not config.apps:
        yield file.problem(("apps",), "no app can freeze anything, and no link can be made")
    if config.apps and not config.public_url:
        yield file.problem(("public_url",), "links are told as paths only")
    if config.reports is None:
        yield file.problem(("reports",), "withdrawals that are pending at a freeze are not reported for cancellation")


def _bytes(secret: SecretStr | None) -> bytes:
    """Also as Standard Webhooks writes a secret, behind `whsec_`."""
    try:
        return base64.b64decode(revealed(secret).removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""
