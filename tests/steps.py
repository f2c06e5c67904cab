"""The steps of a request that changes something, as a server goes through them: where a test can end the other side."""

from enum import Enum, auto


class Step(Enum):
    RECEIVED = auto()
    TAKEN = auto()  # it is done
    ANSWERED = auto()


def go_on(step: Step) -> None:
    del step
