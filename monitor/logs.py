"""The log: events with keys, JSON unless somebody looks at a terminal.

Secrets are taken out of the finished line, the last step before it is written: whatever held one, it does not come out.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"
USER = re.compile(r"(?<=://)[^/\s\"'<>]*@")
QUERY = re.compile(r"(://[^\s\"'<>?]*)\?[^\s\"'<>]*")


def configure(*, level: str, json: bool, secrets: Collection[str]) -> None:
    """Set the log up for the process; to be called once more when a reload brings other secrets."""
    for library in ("tweepy", "oauthlib"):  # their debug lines hold signatures and what they are made of
        logging.getLogger(library).setLevel(logging.INFO)
    # A traceback shows no local variables: they are cut, and no half of a secret can be taken out of a line.
    plainly = structlog.dev.plain_traceback
    rendered: list[Processor] = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plainly)]
    if json:
        tracebacks = ExceptionDictTransformer(show_locals=False)
        rendered = [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *rendered,
            _redacted(secrets),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_: _Line(sys.stderr),
    )


class _Line:
    """A logger that writes where it can: a log on a full disk must not stop what it tells of."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def msg(self, line: str) -> None:
        with suppress(OSError):
            self._file.write(f"{line}\n")
            self._file.flush()

    log = debug = info = warning = error = critical = exception = fatal = failure = msg


def _redacted(secrets: Collection[str]) -> Callable[[WrappedLogger, str, EventDict | str], str]:
    """Hides known secrets, also as JSON or `repr` write them, and what URLs carry before `@` and after `?`."""
    written = {form for secret in secrets if secret for form in _forms(secret)}
    longest_first = sorted(written, key=len, reverse=True)

    def redact(_: WrappedLogger, __: str, line: EventDict | str) -> str:
        text = str(line)
        for secret in longest_first:
            text = text.replace(secret, HIDDEN)
        return QUERY.sub(rf"\1?{HIDDEN}", USER.sub(f"{HIDDEN}@", text))

    return redact


def _forms(secret: str) -> list[str]:
    plain, ascii_only = json.dumps(secret, ensure_ascii=False)[1:-1], json.dumps(secret)[1:-1]
    return [secret, plain, ascii_only, repr(secret)[1:-1], json.dumps(repr(secret)[1:-1])[1:-1]]
