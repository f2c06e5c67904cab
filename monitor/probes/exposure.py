"""What the user holds at an exchange: as configured, or as a read-only key tells."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import Exposure, FailureReason, Reading, RemoteError
from monitor.probes.account import Method
from monitor.probes.answer import Endpoint
from monitor.probes.figures import MOST_COINS

FUNDS_SECONDS = 300.0
RETOLD_SECONDS = 3600.0  # of what is configured: so that a journal of the last hours knows it
OF_NOTHING = "USDT"


class Funds(Struct, frozen=True, kw_only=True):
    """The balances of the key's own account, signed. `decode` gives whole coins by asset: free and locked together."""

    path: str
    probe: str
    decode: Callable[[bytes], Mapping[str, Decimal]]
    method: Method = "GET"


class FundsProbe:
    """One `Exposure` an asset that is held, and a zero for one that no longer is.

    Of an account that is empty at the first look one zero is told: it takes back what was told before a restart.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        interval: float,
        decode: Callable[[bytes], Mapping[str, Decimal]],
    ) -> None:
        self.exchange = exchange
        self.name = name
        self.interval = interval
        self._endpoint = endpoint
        self._clock = clock
        self._decode = decode
        self._held: dict[str, Decimal] | None = None

    async def observe(self) -> Reading:
        """Raises `RemoteError`; schema for an amount that no account has."""
        answer = await self._endpoint.fetch()
        at = self._clock.now()
        told = await self._endpoint.read(answer, self._decode)
        for asset, amount in told.items():
            if not amount.is_finite() or not 0 <= amount < MOST_COINS:
                raise RemoteError(FailureReason.SCHEMA, f"it holds an amount of {asset[:32]} that is none")
        held = {asset: amount for asset, amount in sorted(told.items()) if amount > 0}
        before = {OF_NOTHING: Decimal(0)} if self._held is None and not held else self._held or {}
        gone = dict.fromkeys(before.keys() - held.keys(), Decimal(0))
        self._held = held
        return tuple(
            Exposure(at=at, exchange=self.exchange, probe=self.name, asset=asset, amount=amount)
            for asset, amount in [*held.items(), *sorted(gone.items())]
        )


class ConfiguredProbe:
    """What a person wrote down, told at once and every hour."""

    interval = RETOLD_SECONDS

    def __init__(self, clock: Clock, *, exchange: str, name: str, held: Mapping[str, Decimal]) -> None:
        self.exchange = exchange
        self.name = name
        self._clock = clock
        self._held = dict(held)

    async def observe(self) -> Reading:
        at = self._clock.now()
        return tuple(
            Exposure(at=at, exchange=self.exchange, probe=self.name, asset=asset, amount=amount)
            for asset, amount in self._held.items()
        )
