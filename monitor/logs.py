"""The log: events with keys, JSON unless somebody looks at a terminal, secrets taken out on the way."""

import logging
import re
import sys
from collections.abc import Collection

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"
URL_PARTS = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+@|(?<=\?)[^\s'\"]+")


def configure(*, level: str, json: bool, secrets: Collection[str]) -> None:
    """Set the log up for the process; to be called once more when a reload brings other secrets."""
    renderer: list[Processor] = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    if json:
        renderer = [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if not json else _keep,
            _redactor(secrets),
            *renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def _keep(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return event


def _redactor(secrets: Collection[str]) -> Processor:
    """Takes known secrets, and whatever a URL carries after `?` or before `@`, out of every value."""
    known = sorted((s for s in secrets if s), key=len, reverse=True)

    def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {key: _clean(value, known) for key, value in event.items()}

    return redact


def _clean(value: object, known: Collection[str]) -> object:
    match value:
        case str():
            for secret in known:
                value = value.replace(secret, HIDDEN)
            return URL_PARTS.sub(HIDDEN, value)
        case dict():
            return {key: _clean(inner, known) for key, inner in value.items()}
        case list() | tuple():
            return [_clean(inner, known) for inner in value]
        case _:
            return value
