"""Which of our two formats a scraper is given, by its Accept header (RFC 9110, section 12.5.1)."""

from collections.abc import Sequence
from enum import Enum

import prometheus_client
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics

_OPENMETRICS = "application/openmetrics-text"
_TEXT = "text/plain"
_OFFERED_OPENMETRICS = ("", "1.0.0")


class Format(Enum):
    """The value is the content type."""

    TEXT = CONTENT_TYPE_PLAIN_0_0_4
    OPENMETRICS = openmetrics.CONTENT_TYPE_LATEST


def wanted(accept: str) -> Format:
    """OpenMetrics where it is named and weighs at least as much as the text format; else text, which anybody reads."""
    asked = [_read(part) for part in accept.split(",")]
    rich = max((q for media, version, q in asked if _is_openmetrics(media, version)), default=0.0)
    plain = _weight(asked, [_TEXT, "text/*", "*/*"])
    return Format.OPENMETRICS if rich > 0 and rich >= plain else Format.TEXT


class ProcessMetrics:
    """The library's `process_*`, with the end that OpenMetrics has."""

    def __init__(self) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self._registry)

    def written(self, form: Format) -> bytes:
        encode = openmetrics.generate_latest if form is Format.OPENMETRICS else generate_latest
        return encode(self._registry)


def _is_openmetrics(media: str, version: str) -> bool:
    return media == _OPENMETRICS and version in _OFFERED_OPENMETRICS


def _weight(asked: Sequence[tuple[str, str, float]], ranges: Sequence[str]) -> float:
    """That of the most specific range that is named; the best of its versions."""
    for wide in ranges:
        weights = [q for media, _, q in asked if media == wide]
        if weights:
            return max(weights)
    return 0.0


def _read(part: str) -> tuple[str, str, float]:
    """(media range, version, weight) of a part of the header. A weight that cannot be read is none."""
    media, *told = [word.strip().lower() for word in part.split(";")]
    parameters = {name.strip(): value.strip(' "') for name, _, value in (word.partition("=") for word in told)}
    try:
        weight = float(parameters.get("q", "1"))
    except ValueError:
        weight = 0.0
    return media, parameters.get("version", ""), weight if 0 <= weight <= 1 else 0.0
