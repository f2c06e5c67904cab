"""From file and environment to a `Config`, or to every problem at once. Nothing else in the daemon reads either."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.config.rules import config_problems, config_warnings, file_problems
from monitor.config.secret import Secrets
from monitor.config.settings import Config, sections
from monitor.config.yaml_file import (
    ConfigError,
    ConfigFile,
    ConfigProblem,
    Where,
    explain,
    read,
    spelled,
    suggestion,
)


class Loaded(Struct, frozen=True, kw_only=True):
    config: Config
    warnings: tuple[ConfigProblem, ...]
    sha256: str  # of the effective configuration; of a secret it tells only whether it is set


def load(
    path: Path,
    environ: Mapping[str, str],
    *,
    known_exchanges: Collection[str],
    passphrases: Collection[str] = (),
    mute: Collection[str] = (),
) -> Loaded:
    """The configuration at `path`; secrets come from the files and the variables of `environ` that it names.

    `passphrases`: the known exchanges whose keys have one; `mute`: those of which no key tells what is held. Paths of
    data stay relative to the working directory; those of address books, templates and secrets are relative to the
    folder of `path`. Raises ConfigError with every problem found.
    """
    file = read(path)
    secrets = Secrets(file, folder=path.parent, environ=environ)
    document = secrets.document()
    problems = [
        *file.problems,
        *secrets.problems,
        *file_problems(file, folder=path.parent, known=known_exchanges, passphrases=passphrases),
    ]
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        raise ConfigError([*problems, *field_problems(file, error, Config)]) from error
    problems.extend(config_problems(file, config, mute=mute))
    if problems:
        raise ConfigError(problems)
    warnings = (*secrets.warnings, *config_warnings(file, config, known=known_exchanges))
    config = _placed(config, path.parent)
    return Loaded(config=config, warnings=warnings, sha256=_sha256(config))


def field_problems(file: ConfigFile, error: ValidationError, model: type[BaseModel]) -> Iterator[ConfigProblem]:
    """What pydantic refused, each at its line."""
    told = {problem.where for problem in file.problems}
    details = error.errors(include_url=False)
    ways = [tuple(step for step in detail["loc"] if step != "[key]") for detail in details]
    for where, detail in zip(ways, details, strict=True):
        # Items that were refused are not counted, so the length of what is left says nothing.
        if detail["type"] == "too_short" and any(way[:-1] == where for way in ways):
            continue
        if spelled(where) not in told:
            yield file.problem(where, _explained(where, detail, model))


def _explained(where: Where, detail: ErrorDetails, model: type[BaseModel]) -> str:
    if detail["type"] == "extra_forbidden":
        return f"unknown key{suggestion(str(where[-1]), _keys(where[:-1], model))}"
    return explain(detail["type"], got=detail["input"], context=detail.get("ctx", {}))


def _keys(where: Where, model: type[BaseModel]) -> list[str]:
    """The keys of the section at `where`."""
    for way, section in sections(model):
        if len(way) == len(where) and all(step in (name, "<name>") for step, name in zip(way, where, strict=True)):
            return [name for name, field in section.model_fields.items() if field.description]
    return []


def _placed(config: Config, folder: Path) -> Config:
    templates = config.drafts.templates and folder / config.drafts.templates
    drafts = config.drafts.model_copy(update={"templates": templates})
    return config.model_copy(update={"reserves": folder / config.reserves, "drafts": drafts})


def _sha256(config: Config) -> str:
    effective = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(effective.encode()).hexdigest()
