"""How a command ends: its exit code, and what could not be done in one line of words instead of a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import NoReturn


class Code(IntEnum):
    FINE = 0
    FAILED = 1  # it could not be done, or something is halted
    UNKNOWN = 2  # nothing is halted, and something could not be seen
    USAGE = 3  # the command line or the configuration is wrong


class Ending(Exception):  # noqa: N818 - it carries an exit code, and most often no error
    """The command is over; whatever there is to say has been said."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code


def tell(message: str) -> None:
    """A line on standard error, or several, each with our name."""
    for line in message.splitlines():
        print(f"cexwatch: {line}", file=sys.stderr)


def fail(message: str, *, code: Code = Code.FAILED) -> NoReturn:
    tell(message)
    raise Ending(code)


@contextmanager
def expected(*errors: type[Exception], code: Code = Code.FAILED) -> Iterator[None]:
    """What can go wrong here without a fault of ours ends the command with its own words."""
    try:
        yield
    except BrokenPipeError:  # whoever read our output has seen enough
        raise
    except errors as error:
        tell(_words(error))
        raise Ending(code) from error
    except ExceptionGroup as group:  # the same from a task
        matching, other = group.split(errors)
        if matching is None or other is not None:
            raise
        tell("\n".join(_words(error) for error in _leaves(matching)))
        raise Ending(code) from group


def _leaves(group: ExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        match error:
            case ExceptionGroup():
                yield from _leaves(error)
            case _:
                yield error


def _words(error: Exception) -> str:
    match error:
        case OSError(filename=str() | bytes() as name, strerror=str(reason)):
            return f"{name!s}: {reason.lower()}"
        case OSError(strerror=str(reason)):
            return reason
        case _:
            return str(error)
