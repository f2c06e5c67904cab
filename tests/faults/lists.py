"""Lists of rails in the dialects of five exchanges, whole or with one flag of theirs spoilt."""

import json
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from monitor.model import Rail
from monitor.probes import EXCHANGES
from monitor.probes.exchange import Exchange, Own, probes_of
from monitor.probes.probe import Probe
from tests import dialects
from tests.fault_server import FaultServer, Script, http, says
from tests.faults.watching import INTERVAL, Watch
from tests.hand_clock import NOON
from tests.servers import RAILS

Row = dict[str, object]
MISSING = object()
"""In place of a flag: leave its key out."""


class Dialect(Struct, frozen=True, kw_only=True):
    """How an exchange tells its rails. `row` finds what holds Bitcoin's flag, named `flag`, in what `told` makes."""

    exchange: str
    path: str
    probe: str
    told: Callable[[dict[Rail, bool]], object]
    row: Callable[..., Row]
    flag: str
    wrong: Sequence[object]  # what its flag never is
    rails: Sequence[Rail] = RAILS  # of those it is told, the ones that we call the same

    def spoilt(self, value: object, *, key: str = "", rails: Iterable[Rail] = RAILS) -> bytes:
        """A list with `value` for Bitcoin's flag, or for another `key` beside it; everything is open."""
        whole = json.loads(self.listed(rails=rails))
        row, key = self.row(whole), key or self.flag
        if value is MISSING:
            del row[key]
        else:
            row[key] = value
        return json.dumps(whole).encode()

    def listed(self, *, is_open: bool = True, rails: Iterable[Rail] = RAILS) -> bytes:
        return json.dumps(self.told(dict.fromkeys(rails, is_open))).encode()


_NEVER: tuple[object, ...] = (0, 1, None, MISSING, [], {}, "perhaps")

KUCOIN = Dialect(
    exchange="kucoin",
    path="/api/v3/currencies",
    probe="kucoin-currencies",
    told=dialects.kucoin_currencies,
    row=lambda whole: whole["data"][0]["chains"][0],
    flag="isWithdrawEnabled",
    wrong=(*_NEVER, "false", "true"),
)
GATE = Dialect(
    exchange="gate",
    path="/api/v4/spot/currencies",
    probe="gate-currencies",
    told=dialects.gate_currencies,
    row=lambda whole: whole[0]["chains"][0],
    flag="withdraw_disabled",
    wrong=(*_NEVER, "false", "true"),
)
HTX = Dialect(
    exchange="htx",
    path="/v2/reference/currencies",
    probe="htx-currencies",
    told=dialects.htx_currencies,
    row=lambda whole: whole["data"][0]["chains"][0],
    flag="withdrawStatus",
    wrong=(*_NEVER, True, False),
    rails=[rail for rail in RAILS if rail.network != "bsc"],
)
BITGET = Dialect(
    exchange="bitget",
    path="/api/v2/spot/public/coins",
    probe="bitget-coins",
    told=lambda rails: dialects.bitget_coins(rails, NOON),
    row=lambda whole: whole["data"][0]["chains"][0],
    flag="withdrawable",
    wrong=(*_NEVER, True, False),
)
KRAKEN = Dialect(
    exchange="kraken",
    path="/0/public/Assets",
    probe="kraken-assets",
    told=dialects.kraken_assets,
    row=lambda whole: whole["result"]["XXBT"],
    flag="status",
    wrong=(*_NEVER, True, False),
)
DIALECTS = (KUCOIN, GATE, HTX, BITGET, KRAKEN)


class Site:
    """A fault server with one path to a list, whose script a test changes as it goes."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._scripts = {dialect.path: says(http(dialect.listed()))}
        self.server = FaultServer(self._scripts)

    def does(self, script: Script) -> None:
        self._scripts[self.dialect.path] = script

    def says(self, body: bytes, *, headers: dict[str, str] | None = None) -> None:
        self.does(says(http(body, headers=headers or {})))

    def is_fine(self) -> None:
        self.says(self.dialect.listed())

    def closes_all(self) -> None:
        self.says(self.dialect.listed(is_open=False))

    def probe(self, watch: Watch, *, watched: Sequence[Rail] = RAILS, exchange: Exchange | None = None) -> Probe:
        """The real probe of the list, pointed here."""
        known = EXCHANGES[self.dialect.exchange] if exchange is None else exchange
        own = Own(url=self.server.url(""), status_page="", interval=INTERVAL, allow_private=True, watched=watched)
        probes = probes_of(known, http=watch.http, clock=watch.clock, own=own)
        return next(probe for probe in probes if probe.name == self.dialect.probe)
