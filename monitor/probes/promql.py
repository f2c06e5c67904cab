"""What Prometheus, or what speaks its query API, answers: https://prometheus.io/docs/prometheus/latest/querying/api/."""

import math
from typing import Literal
from urllib.parse import urlencode

from msgspec import Raw, Struct

from monitor.model import FailureReason, RemoteError
from monitor.probes.answer import decode, present

_OVERLOADED = ("timeout", "canceled", "internal", "unavailable")


class _Data(Struct, frozen=True, rename="camel"):
    result_type: str
    result: list[Raw] = []


class _Answer(Struct, frozen=True, rename="camel"):
    status: Literal["success", "error"]
    data: _Data | None = None
    error_type: str = ""
    error: str = ""
    warnings: list[str] = []


def address(url: str, path: str, **parameters: str) -> str:
    """`url` is that of the server, `path` as `query_range`."""
    return f"{url.rstrip('/')}/api/v1/{path}?{urlencode(parameters)}"


def result(body: bytes, kind: Literal["vector", "matrix"]) -> list[Raw]:
    """The series of an answer. Raises `RemoteError` for an error, a warning, and another kind of result."""
    answer = decode(body, _Answer)
    if answer.status == "error":
        reason = FailureReason.HTTP_5XX if answer.error_type in _OVERLOADED else FailureReason.HTTP_4XX
        raise RemoteError(reason, f"{answer.error_type}: {answer.error}")
    if answer.warnings:
        # Part of the data was not read, so a count that is missing here would look like a halt.
        raise RemoteError(FailureReason.SHAPE, f"answered with a warning: {answer.warnings[0]}")
    data = present(answer.data, field="data")
    if data.result_type != kind:
        raise RemoteError(FailureReason.SCHEMA, f"the result is a {data.result_type}, not a {kind}")
    return data.result


def number(text: str) -> float:
    """NaN for what is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan
