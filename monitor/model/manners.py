"""What a host on the outside told us about asking it."""

from datetime import datetime

from msgspec import Struct

from monitor.model.words import FailureReason


class Closure(Struct, frozen=True, kw_only=True):
    """A host told us to stop: no request to it before `until`."""

    host: str
    port: int
    reason: FailureReason
    until: datetime
    refusals: int  # in a row, this one among them
