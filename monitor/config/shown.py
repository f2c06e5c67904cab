"""A configuration to show: every key with its value; of what is secret or private only that it is set."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from msgspec import Struct
from pydantic import BaseModel, SecretStr

from monitor.config.secret import secrets_of
from monitor.config.settings import Config
from monitor.config.values import Listen, duration_text

HIDDEN = "set, not shown"
EMPTY = "not set"
_PRIVATE = ("exposure", "user", "rpc_user", "query", "headers")
_NAMING = ("_file", "_env")
_SHORTEST = 4  # a secret shorter than this would hide half of the page


class Shown(Struct, frozen=True):
    """`text` is to be seen, `value` to be compared and never shown."""

    text: str
    value: object


def shown(config: Config) -> dict[str, Shown]:
    """By key as written in the file: "exchanges.kraken.interval"."""
    secrets = [secret for secret in secrets_of(config) if len(secret) >= _SHORTEST]
    told = {key: Shown(_text(key, value), _raw(value)) for key, value in _leaves(config, ())}
    return {key: each if _is_clean(each.text, secrets) else Shown(HIDDEN, each.value) for key, each in told.items()}


def _leaves(value: object, way: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    match value:
        case BaseModel():
            for name, inner in value:
                yield from _leaves(inner, (*way, name))
        case dict() if value:
            for name, inner in value.items():
                yield from _leaves(inner, (*way, str(name)))
        case _:
            yield ".".join(way), value


def _text(key: str, value: object) -> str:
    if value is None or value in ("", (), {}):
        return EMPTY
    if type(value) is SecretStr or _is_private(key):
        return HIDDEN
    match value:
        case Listen():
            return str(value)
        case tuple() | list():
            return ", ".join(_text(key, each) for each in value)
        case Mapping() | BaseModel():
            return HIDDEN  # a mapping inside a list: no key says what is in it
        case _:
            return _origin(str(value)) if "://" in str(value) else _plain(value)


def _plain(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case timedelta():
            return duration_text(value)
        case _:
            return str(value)


def _raw(value: object) -> object:
    return value.get_secret_value() if type(value) is SecretStr else value


def _is_private(key: str) -> bool:
    steps = key.split(".")
    return any(step in _PRIVATE for step in steps) or steps[-1].endswith(_NAMING)


def _origin(url: str) -> str:
    """Whose an address is: user, path and query may hold a key, and so may the first names of a host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_named = any(letter.isalpha() for letter in host) and ":" not in host
    names = host.split(".")
    shortened = f"….{'.'.join(names[-2:])}" if is_named and len(names) > 2 else host
    return f"{parts.scheme}://{shortened or '…'}"


def _is_clean(text: str, secrets: list[str]) -> bool:
    return not any(secret in text for secret in secrets)
