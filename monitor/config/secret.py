"""Secrets: named in the file, kept in files and variables of their own. No message repeats a value."""

import re
import stat
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from monitor.config.notifying import urls_of
from monitor.config.settings import Config, is_by_name, section_in
from monitor.config.values import is_environment_variable
from monitor.config.yaml_file import ConfigFile, ConfigProblem, Document, Where

_PEM = "-----BEGIN "
_MANY = ("urls_file", "urls_env")  # secrets that are several, one a line
_KEY_IN_URL = re.compile(r"[\w~.-]{16,}", re.ASCII)  # an endpoint's key is longer than any word beside it


def secrets_of(config: Config) -> list[str]:
    """Every secret that was read, and every form in which it goes out: what a log line must not hold."""
    found = [*spoken(config), *_spoken_to_nodes(config), *_spoken_to_people(config)]
    return list(dict.fromkeys(found))


class Secrets:
    """Puts secrets in place of their names, wherever a section has a key `x` with `x_file` and `x_env` beside it.

    A message never repeats what stands there: it may be a secret in the wrong place.
    """

    def __init__(
        self, file: ConfigFile, *, folder: Path, environ: Mapping[str, str], model: type[BaseModel] = Config
    ) -> None:
        self.problems: list[ConfigProblem] = []
        self.warnings: list[ConfigProblem] = []
        self._file = file
        self._folder = folder
        self._environ = environ
        self._model = model

    def document(self) -> object:
        """What the file holds, with the secrets in it."""
        return self._filled(self._model, self._file.document, ())

    def _filled(self, model: type[BaseModel], body: Document, where: Where) -> object:
        match body:
            case dict():
                filled: dict[str, object] = dict(body)
            case _:
                return body
        for key, field in model.model_fields.items():
            section = section_in(field.annotation)
            if SecretStr in get_args(field.annotation):
                text = self._secret((*where, key), body)
                filled[key] = SecretStr(text) if text else None
            elif section is not None and key in body:
                filled[key] = self._inner(section, body[key], (*where, key), by_name=is_by_name(field.annotation))
        return filled

    def _inner(self, section: type[BaseModel], body: Document, where: Where, *, by_name: bool) -> object:
        match body:
            case dict() if by_name:
                return {name: self._filled(section, value, (*where, name)) for name, value in body.items()}
            case _:
                return self._filled(section, body, where)

    def _secret(self, where: Where, body: Mapping[str, Document]) -> str:
        *section, name = where
        if name in body:
            self._wrong(
                where, f"a secret is not written here: name its file in {name}_file or its variable in {name}_env"
            )
        match body.get(f"{name}_file"), body.get(f"{name}_env"):
            case str(), str():
                self._wrong((*section, f"{name}_env"), f"either {name}_file or {name}_env, not both")
            case str(path), None:
                return self._from_file((*section, f"{name}_file"), self._folder / path)
            case None, str(variable) if is_environment_variable(variable):
                return self._from_environment((*section, f"{name}_env"), variable)
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
        return self._checked(where, text)

    def _from_environment(self, where: Where, variable: str) -> str:
        text = self._environ.get(variable, "").strip()
        if not text:
            self._wrong(where, "the environment variable is not set or empty")
        return self._checked(where, text)

    def _checked(self, where: Where, text: str) -> str:
        if len(text.splitlines()) > 1 and not text.startswith(_PEM) and where[-1] not in _MANY:
            self._wrong(where, "it holds more than one line: a secret is one, or a PEM block")
        return text

    def _wrong(self, where: Where, message: str) -> None:
        self.problems.append(self._file.problem(where, message))


def spoken(value: object) -> Iterator[str]:
    """Every secret that was read into a section and those in it."""
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for _, inner in value:
                yield from spoken(inner)
        case dict():
            for inner in value.values():
                yield from spoken(inner)
        case _:
            pass


def _spoken_to_nodes(config: Config) -> Iterator[str]:
    """Keys that providers of nodes put into a URL, and a password as HTTP sends it: a node may repeat what it got."""
    for chain in config.chains.values():
        for url in chain.endpoints:
            parts = urlsplit(url)
            yield from _KEY_IN_URL.findall(f"{parts.path}?{parts.query}")
        if chain.rpc_password is not None:
            yield b64encode(f"{chain.rpc_user}:{revealed(chain.rpc_password)}".encode()).decode()


def _spoken_to_people(config: Config) -> Iterator[str]:
    """Each URL by which people are told, and each key in it: a service may repeat what it got."""
    urls = [url for target in config.notify.targets.values() for url in urls_of(target)]
    if config.heartbeat is not None:
        urls.append(revealed(config.heartbeat.url))
    for url in urls:
        yield url
        yield from _KEY_IN_URL.findall(url.partition("://")[2])


def revealed(secret: SecretStr | None) -> str:
    """What is sent to whom it is for; "" where there is none."""
    return secret.get_secret_value() if secret is not None else ""
