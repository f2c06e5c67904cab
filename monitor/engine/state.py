"""What an engine remembers, in two parts, and how it is written down.

*Decided* is what was concluded; it is carried from checkpoint to checkpoint and never derived again. *Learned* has a
version per detector: when the way of learning changes that part is dropped and learned anew from the journal.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from monitor.engine.detectors.blind import BlindMemory
from monitor.engine.detectors.campaign import CampaignMemory
from monitor.engine.detectors.freezes import FreezesMemory
from monitor.engine.detectors.halt import HaltMemory
from monitor.engine.detectors.outflow.detector import OutflowMemory
from monitor.engine.detectors.queue import QueueMemory
from monitor.engine.detectors.silence import SilenceMemory
from monitor.engine.detectors.sources import RailsMemory
from monitor.engine.detectors.terms import TermsMemory
from monitor.engine.incident import CaseMemory
from monitor.engine.instants import Instants
from monitor.engine.learned import Learned, decode_learned, encode_learned
from monitor.engine.money import MoneyMemory
from monitor.engine.samples import Samples
from monitor.engine.sight import Sight
from monitor.engine.spans import Payments
from monitor.model import (
    Draft,
    Drill,
    Incident,
    Judging,
    MaintenanceWindow,
    PreApproval,
    Rail,
    Statement,
    SystemStatus,
    Verdict,
)

FORMAT = 2


class Decided(Struct):
    rails: RailsMemory
    halt: HaltMemory
    silence: SilenceMemory
    queue: QueueMemory
    blind: BlindMemory
    cases: CaseMemory
    drafts: dict[str, Draft] = {}
    held: bool = False
    watched: dict[Rail, float] = {}
    verdict: Verdict | None = None
    verdict_since: float | None = None
    sights: dict[str, Sight] = {}
    trades: dict[str, datetime] = {}  # market -> newest trade
    statements: list[Statement] = []  # of the last hour, oldest first
    system: dict[str, SystemStatus] = {}
    windows: list[MaintenanceWindow] = []  # that are not over, the next one first
    called_off: dict[str, float] = {}  # windows that a person ended, until they would have ended
    samples: dict[tuple[str, str, str], Samples] = {}  # (probe, asset, network)
    money: MoneyMemory = msgspec.field(default_factory=MoneyMemory)
    campaign: CampaignMemory = msgspec.field(default_factory=CampaignMemory)
    payments: Payments = msgspec.field(default_factory=Payments)
    terms: TermsMemory = msgspec.field(default_factory=TermsMemory)
    outflow: OutflowMemory = msgspec.field(default_factory=OutflowMemory)
    signed: dict[str, PreApproval] = {}  # texts signed beforehand, by id
    freezes: FreezesMemory = msgspec.field(default_factory=FreezesMemory)
    drill: Drill | None = None  # the newest, kept apart from what was found


class Committed(Struct, frozen=True, kw_only=True):
    """What was decided and is on disk, oldest first."""

    incidents: Sequence[Incident] = ()
    drafts: Sequence[Draft] = ()
    signed: Sequence[PreApproval] = ()
    drills: Sequence[Drill] = ()
    held: bool = False

    def exchanges(self) -> list[str]:
        """Those that anything is of."""
        incidents = [*self.incidents, *(drill.incident for drill in self.drills)]
        return [
            *(incident.exchange for incident in incidents),
            *(draft.exchange for draft in self.drafts),
            *(each.exchange for each in self.signed),
        ]

    def of(self, exchange: str) -> Self:
        """The part of one exchange."""
        return replace(
            self,
            incidents=[each for each in self.incidents if each.exchange == exchange],
            drafts=[each for each in self.drafts if each.exchange == exchange],
            signed=[each for each in self.signed if each.exchange == exchange],
            drills=[each for each in self.drills if each.incident.exchange == exchange],
        )


class State(Struct):
    exchange: str
    decided: Decided
    learned: Learned
    instants: Instants
    judging: Judging = Judging()
    unlearned: tuple[str, ...] = ()  # detectors that lost what they had learned, and have not learned it anew


def fresh(exchange: str) -> State:
    decided = Decided(RailsMemory(), HaltMemory(), SilenceMemory(), QueueMemory(), BlindMemory(), CaseMemory())
    return State(exchange, decided, Learned(), Instants())


class _Written(Struct, array_like=True):
    """The learned part is kept apart, so that another version of it costs no decision."""

    format: int
    exchange: str
    instants: Instants
    judging: Judging
    decided: Decided
    learned: msgspec.Raw


def encode(state: State) -> bytes:
    learned = msgspec.Raw(encode_learned(state.learned, unlearned=state.unlearned))
    written = _Written(FORMAT, state.exchange, state.instants, state.judging, state.decided, learned)
    return msgspec.msgpack.encode(written)


def decode(body: bytes) -> State:
    """What another version has learned is left out: it is learned anew. Raises msgspec.ValidationError otherwise."""
    written = msgspec.msgpack.decode(body, type=_Written)
    if written.format != FORMAT:
        raise msgspec.ValidationError(f"a checkpoint of format {written.format}, not {FORMAT}")
    learned, unlearned = decode_learned(bytes(written.learned))
    return State(written.exchange, written.decided, learned, written.instants, written.judging, unlearned)
