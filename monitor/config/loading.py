"""From file and environment to a `Config`, or to every problem at once. Nothing else in the daemon reads either."""

import hashlib
import json
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from monitor.config.settings import Config, sections
from monitor.config.values import is_environment_variable
from monitor.config.yaml_file import (
    ConfigError,
    ConfigFile,
    ConfigProblem,
    Document,
    Where,
    explain,
    quoted,
    read,
    spelled,
    suggestion,
)
from monitor.model import RailVerdict, Role

_SECRETS = ("api_key", "api_secret")

# What metrics make of a configuration, on the high side. Either direction of a rail has a series for each verdict and
# one for its last change; an exchange has its states, counts by state, scores and a few series for each of its probes.
_SERIES_A_RAIL = 2 * (len(RailVerdict) + 1)
_SERIES_AN_EXCHANGE = 200
_SERIES_AN_EXCHANGE_ON_A_CHAIN = 12
_SERIES_OF_THE_DAEMON = 500


class Loaded(Struct, frozen=True, kw_only=True):
    config: Config
    warnings: tuple[ConfigProblem, ...]
    sha256: str  # of the effective configuration; of a secret it tells only whether it is set


def load(path: Path, environ: Mapping[str, str], *, known_exchanges: Collection[str]) -> Loaded:
    """The configuration at `path`; secrets come from the files and the variables of `environ` that it names.

    Paths of data stay relative to the working directory; those of address books, templates and secrets are relative to
    the folder of `path`. Raises ConfigError with every problem found.
    """
    file = read(path)
    secrets = _Secrets(file, folder=path.parent, environ=environ)
    document = secrets.document()
    problems = [
        *file.problems,
        *secrets.problems,
        *_exchange_problems(file, known_exchanges),
        *_voice_problems(file),
        *_folder_problems(file, path.parent),
    ]
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        raise ConfigError([*problems, *_field_problems(file, error)]) from error
    problems.extend(_series_problems(file, config))
    if problems:
        raise ConfigError(problems)
    config = _placed(config, path.parent)
    return Loaded(config=config, warnings=tuple(secrets.warnings), sha256=_sha256(config))


class _Secrets:
    """Puts secrets in place of their names. No message repeats a value: it may be a secret in the wrong place."""

    def __init__(self, file: ConfigFile, *, folder: Path, environ: Mapping[str, str]) -> None:
        self.problems: list[ConfigProblem] = []
        self.warnings: list[ConfigProblem] = []
        self._file = file
        self._folder = folder
        self._environ = environ

    def document(self) -> dict[str, object]:
        exchanges = {name: self._exchange(name, body) for name, body in _exchanges(self._file).items()}
        return {**self._file.document, **({"exchanges": exchanges} if exchanges else {})}

    def _exchange(self, name: str, body: Document) -> object:
        match body:
            case dict():
                where = ("exchanges", name)
                found = {secret: self._secret((*where, secret), body) for secret in _SECRETS}
                named = [secret for secret in _SECRETS if any(key.startswith(secret) for key in body)]
                if len(named) == 1:
                    self._wrong(where, f"{' and '.join(_SECRETS)} go together, and only {named[0]} is here")
                return {**body, **{secret: SecretStr(text) if text else None for secret, text in found.items()}}
            case _:
                return body

    def _secret(self, where: Where, body: Mapping[str, Document]) -> str:
        *exchange, name = where
        if name in body:
            self._wrong(
                where, f"a secret is not written here: name its file in {name}_file or its variable in {name}_env"
            )
        match body.get(f"{name}_file"), body.get(f"{name}_env"):
            case str(), str():
                self._wrong((*exchange, f"{name}_env"), f"either {name}_file or {name}_env, not both")
            case str(path), None:
                return self._from_file((*exchange, f"{name}_file"), self._folder / path)
            case None, str(variable) if is_environment_variable(variable):
                return self._from_environment((*exchange, f"{name}_env"), variable)
        return ""

    def _from_file(self, where: Where, path: Path) -> str:
        try:
            text = path.read_text(encoding="utf-8").strip()
            mode = path.stat().st_mode
        except OSError as error:
            self._wrong(where, f"the file cannot be read: {error.strerror}")
            return ""
        except UnicodeDecodeError:
            self._wrong(where, "the file is not UTF-8 text")
            return ""
        if not text:
            self._wrong(where, "the file is empty")
        if mode & stat.S_IROTH:
            self.warnings.append(self._file.problem(where, "everybody on this machine can read the file; chmod 600 it"))
        return text

    def _from_environment(self, where: Where, variable: str) -> str:
        text = self._environ.get(variable, "").strip()
        if not text:
            self._wrong(where, "the environment variable is not set or empty")
        return text

    def _wrong(self, where: Where, message: str) -> None:
        self.problems.append(self._file.problem(where, message))


def _exchanges(file: ConfigFile) -> Mapping[str, Document]:
    match file.document.get("exchanges"):
        case dict() as exchanges:
            return exchanges
        case _:
            return {}


def _exchange_problems(file: ConfigFile, known: Collection[str]) -> Iterator[ConfigProblem]:
    for name, body in _exchanges(file).items():
        match body:
            case {"api": str(api)}:
                if api not in known:
                    yield file.problem(("exchanges", name, "api"), f"unknown exchange{suggestion(api, known)}")
            case _ if name not in known:
                yield file.problem(("exchanges", name), f"unknown exchange{suggestion(name, known)}")
            case _:
                pass


def _voice_problems(file: ConfigFile) -> Iterator[ConfigProblem]:
    exchanges = _exchanges(file)
    match file.document.get("role"), file.document.get("speaks_for"):
        case Role.OPERATOR, None | "":
            yield file.problem(("role",), "an operator needs speaks_for: the exchange that drafts speak as")
        case Role.OPERATOR, str(exchange) if exchange not in exchanges:
            yield file.problem(("speaks_for",), f"not one of the exchanges here{suggestion(exchange, exchanges)}")
        case None | Role.OBSERVER, str(exchange) if exchange:
            yield file.problem(("speaks_for",), "an observer speaks for nobody: remove it, or set role: operator")


def _folder_problems(file: ConfigFile, folder: Path) -> Iterator[ConfigProblem]:
    """Folders that are named must be there; the default one need not."""
    match file.document:
        case {"reserves": str(name)} if not _is_folder(folder / name):
            yield file.problem(("reserves",), f"no folder {quoted(name)}")
    match file.document:
        case {"drafts": {"templates": str(name)}} if name and not _is_folder(folder / name):
            yield file.problem(("drafts", "templates"), f"no folder {quoted(name)}")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name longer than the system allows
        return False


def _field_problems(file: ConfigFile, error: ValidationError) -> Iterator[ConfigProblem]:
    told = {problem.where for problem in file.problems}
    details = error.errors(include_url=False)
    ways = [tuple(step for step in detail["loc"] if step != "[key]") for detail in details]
    for where, detail in zip(ways, details, strict=True):
        # Items that were refused are not counted, so the length of what is left says nothing.
        if detail["type"] == "too_short" and any(way[:-1] == where for way in ways):
            continue
        if spelled(where) not in told:
            yield file.problem(where, _explained(where, detail))


def _explained(where: Where, detail: ErrorDetails) -> str:
    if detail["type"] == "extra_forbidden":
        return f"unknown key{suggestion(str(where[-1]), _keys(where[:-1]))}"
    return explain(detail["type"], got=detail["input"], context=detail.get("ctx", {}))


def _keys(where: Where) -> list[str]:
    """The keys of the section at `where`."""
    for way, section in sections():
        if len(way) == len(where) and all(step in (name, "<name>") for step, name in zip(way, where, strict=True)):
            return [name for name, field in section.model_fields.items() if field.description]
    return []


def _series_problems(file: ConfigFile, config: Config) -> Iterator[ConfigProblem]:
    rails = sum(len(config.rails(exchange)) for exchange in config.exchanges)
    exchanges = len(config.exchanges)
    series = (
        _SERIES_OF_THE_DAEMON
        + rails * _SERIES_A_RAIL
        + exchanges * (_SERIES_AN_EXCHANGE + len(config.chains) * _SERIES_AN_EXCHANGE_ON_A_CHAIN)
    )
    if series > config.limits.max_series:
        yield file.problem(
            ("limits", "max_series"),
            f"{rails} watched rails at {exchanges} exchanges lead to about {series} metric series, more than "
            f"{config.limits.max_series}: watch fewer rails or raise it",
        )


def _placed(config: Config, folder: Path) -> Config:
    templates = config.drafts.templates and folder / config.drafts.templates
    drafts = config.drafts.model_copy(update={"templates": templates})
    return config.model_copy(update={"reserves": folder / config.reserves, "drafts": drafts})


def _sha256(config: Config) -> str:
    effective = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(effective.encode()).hexdigest()
