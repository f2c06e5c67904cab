"""The configuration described from its models: docs/configuration.md for people, a JSON schema for their editors."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, NaiveDatetime
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema

from monitor.config.settings import Config, sections
from monitor.config.values import Listen, duration_text

_INTRODUCTION = """\
# Configuration

<!-- Generated from monitor/config/settings.py; a test compares. -->

One YAML file. The shortest one that works:

```yaml
exchanges:
  kraken:
```

`cexwatch check-config FILE` reports every problem at once, each with its line, and changes nothing. A running daemon
reads the file again on SIGHUP; if anything is wrong with it, the daemon goes on with the last good one and says so.

- **Durations** are a whole number and a unit: `30s`, `5m`, `12h`, `60d`.
- **Unknown keys** are errors, so a misspelled one is never silently without effect. A key written twice is one too.
- **Values are read as what the field needs**: a contract `0x...` needs no quotes, and an asset called `NO` is an asset.
- **Secrets** are never in this file. Name a file (`api_key_file`) or an environment variable (`api_key_env`) instead,
  one of the two. They are `api_key`, `api_secret` and, where keys have one, `api_passphrase` of an exchange; `token` of
  its `queue.prometheus`, `queue.http_json` and `mentions.http_json`; `secret` of its `queue.push`; `rpc_password` and
  `api_key` of a chain; `bearer_token` of `x`; `consumer_key`, `consumer_secret`,
  `access_token` and `access_token_secret` of `channels.x`, `api_key` of `channels.statuspage`, `secret` of
  `channels.webhook`; `urls` of a target of `notify`; `url` of `heartbeat`. A file that everybody on the machine can
  read is a warning.
- **Relative paths** of what the daemon writes (`database`, `socket`, `channels.file.folder`) start in its working
  directory; those of what people write beside this file (`reserves`, `drafts.templates` and every file of a secret)
  start in this file's folder.
- **Addresses in private networks** are refused unless the exchange, chain or control section that names them says
  `allow_private: true`. A `queue` is your own, so there they are not, unless it says `allow_private: false`.

An exchange's own team starts from `config/operator.yaml`, and [operator.md](operator.md) tells how its own queue of
withdrawals gets here.

Editors with a YAML language server complete and check the file by `config/cexwatch.schema.json`, which
`cexwatch config schema` prints.
"""

_KINDS: dict[object, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    timedelta: "duration",
    AwareDatetime: "time",
    NaiveDatetime: "local time",
    Listen: "host:port",
    dict: "mapping",
    tuple: "list",
}


class _Schema(GenerateJsonSchema):
    """Defaults are spelled as in the file, and a field's name is title enough."""

    def encode_default(self, dft: object) -> object:
        match dft:
            case timedelta() | Path() | Listen():
                return _plain(dft)
            case BaseModel():
                return {name: self.encode_default(value) for name, value in dft}
            case _:
                return super().encode_default(dft)

    def field_title_should_be_set(self, schema: CoreSchema) -> bool:  # noqa: ARG002 - pydantic passes it by name
        return False


def schema(model: type[BaseModel] = Config, *, title: str = "cexwatch.yaml") -> dict[str, object]:
    """The JSON schema of the file (draft 2020-12)."""
    body = model.model_json_schema(schema_generator=_Schema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **body, "title": title}


def reference() -> str:
    """docs/configuration.md."""
    return f"{_INTRODUCTION}\n{tables(Config)}"


def tables(model: type[BaseModel]) -> str:
    """Every section of a file with its keys."""
    return "\n".join(line for way, section in sections(model) for line in _table(way, section))


def _table(way: tuple[str, ...], section: type[BaseModel]) -> Iterator[str]:
    yield f"## `{'.'.join(way)}`" if way else "## The file"
    yield ""
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for key, field in _described(section).items():
        yield f"| `{key}` | {_kind(field.annotation)} | {_default(field)} | {field.description} |"
    yield ""


def _described(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields that a person writes; what `load` fills in has no description."""
    return {key: field for key, field in section.model_fields.items() if field.description}


def _kind(annotation: object) -> str:
    origin = get_origin(annotation)
    if origin in (Annotated, Union, UnionType):
        return _kind(get_args(annotation)[0])
    match annotation:
        case type() if issubclass(annotation, StrEnum):
            return " or ".join(f"`{word}`" for word in annotation)
        case type() if issubclass(annotation, BaseModel):
            return "section"
        case _:
            return _KINDS[origin or annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    match field.default:
        case BaseModel():
            return ""
        case default:
            plain = _plain(default)
            return f"`{plain}`" if plain else ""


def _plain(value: object) -> str:
    """A default as a person would write it; "" for what is empty."""
    match value:
        case None | () | Path(name=""):
            return ""
        case bool():
            return str(value).lower()
        case timedelta():
            return duration_text(value)
        case Listen():
            return str(value)
        case tuple():
            return f"[{', '.join(_plain(item) for item in value)}]"
        case dict():
            items = ", ".join(f"{key}: {_plain(item)}" for key, item in value.items())
            return f"{{{items}}}" if items else ""
        case _:
            return str(value)
