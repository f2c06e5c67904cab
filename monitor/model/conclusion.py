"""What is concluded: evidence, incidents and their transitions, drafts, answers to commands."""

from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from monitor.model.observation import Verdict
from monitor.model.people import Approval, Covered, PreApproval
from monitor.model.words import Change, DraftState, IncidentKind, Notice, Role, Severity, Stage


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    at: datetime
    probe: str
    source: str  # "chain", "queue", or a word of `Source`
    rail: str | None = None
    value: str
    unit: str | None = None


class Transition(Struct, frozen=True, kw_only=True):
    at: datetime
    incident: str
    transition: Change
    kind: IncidentKind
    severity: Severity
    exchange: str
    scope: tuple[str, ...]  # "asset@network" ..., or "*"
    summary: str
    evidence: tuple[Evidence, ...]


class Market(Struct, frozen=True, kw_only=True):
    """How the market stood at a minute: medians of several sources, so nothing where they are too few."""

    asset: str
    at: datetime
    usd: float
    change_24h: float | None = None  # as a share: -0.05 is five per cent down
    volatility_1h: float | None = None  # realised: the root of the summed squared log returns of its minutes


class Span(Struct, frozen=True, kw_only=True):
    """From when to when one source says that an incident lasted."""

    source: str  # "chain", "queue", "flags", "official", ...
    began_at: datetime | None  # its first sign; None: it was so when we first looked
    ended_at: datetime | None = None  # None: it has not said that it is over


class Incident(Struct, frozen=True, kw_only=True):
    """An incident as it stands. Its history is its transitions."""

    id: str
    exchange: str
    kind: IncidentKind
    severity: Severity
    stage: Stage
    scope: tuple[str, ...]  # what it is about now; its transitions tell what it was about
    summary: str
    opened_at: datetime
    since: datetime | None  # first sign of what it is about; None where it was so when we first looked
    evidence: tuple[Evidence, ...] = ()  # in order of arrival
    updated_at: datetime
    acknowledged_by: str | None = None
    recovered_at: datetime | None = None  # last time its signals cleared
    resolved_at: datetime | None = None
    official_at: datetime | None = None  # first official word
    notes: tuple[str, ...] = ()
    holds: IncidentKind | None = None  # what it is now, where that is less than the kind it came to be
    market: tuple[Market, ...] = ()  # BTC and ETH when it opened
    spans: tuple[Span, ...] = ()  # one a source, by first sign
    subject: str = ""  # what it is about, where several of its kind can be open: a network, or "network:exchange"
    retracted_by: str | None = None  # who said that it was a false alarm
    exchanges: tuple[str, ...] = ()  # of a network incident: where the network is closed now
    resolved_by: str | None = None  # the person who resolved it; None: its signals did
    stale_since: datetime | None = None  # nothing that it is judged by was read since then
    kept_open_by: str | None = None  # the person who reopened it: evidence alone does not resolve it again


class Drill(Struct, frozen=True, kw_only=True):
    """A test that a person began: our own people are told of it as of an incident, and nobody else ever is.

    It is in no list of incidents, so that whoever does not ask for drills cannot take one for real.
    """

    incident: Incident  # as a real one would be
    happened: Transition  # the last that happened to it
    until: datetime  # it ends by itself then
    actor: str  # who began it
    acknowledged_at: datetime | None = None


class Problem(Struct, frozen=True, kw_only=True):
    """What the linter has against a text. An error forbids approval."""

    rule: str
    level: Literal["error", "warning"]
    message: str


class Draft(Struct, frozen=True, kw_only=True):
    id: str
    incident: str
    exchange: str
    stage: Stage
    channel: str
    role: Role
    text: str
    text_sha256: str
    state: DraftState
    problems: tuple[Problem, ...]
    created_at: datetime
    expires_at: datetime
    claims: str  # what the text rests on; a change of it supersedes the draft
    notice: Notice = Notice.INVESTIGATING
    language: str = "en"
    english: str | None = None  # the same in English, where the text is in another language
    corrects: str | None = None  # the posted draft whose text turned out untrue
    replaces: str | None = None  # the draft before it that nobody let out
    next_update_at: datetime | None = None  # by when its text promises the next one
    decided_by: str | None = None
    decided_at: datetime | None = None
    remote_id: str | None = None
    reason: str = ""  # why its channel has not posted it, or why nobody knows
    searched: bool = False  # of unknown outcome, and surely not at its channel: a person may ask for another try
    limited_since: datetime | None = None  # its channel lets it wait since then, and
    waits_until: datetime | None = None  # asks not to be asked before
    approvals: tuple[Approval, ...] = ()  # of this text; an edit clears them
    editors: tuple[str, ...] = ()  # who wrote in it, in order
    covered: Covered | None = None  # it is a text that was signed beforehand
    glass: str = ""  # why one person approved alone where two are asked for

    def __post_init__(self) -> None:
        # A draft that was stored without a notice is that of its stage.
        if self.notice is Notice.INVESTIGATING and self.stage is not Stage.INVESTIGATING:
            force_setattr(self, "notice", Notice(self.stage))


class Attempt(Struct, frozen=True, kw_only=True):
    """One try to publish a draft."""

    draft: Draft
    began_at: datetime  # it is nowhere to be found before


class Reply(Struct, frozen=True, kw_only=True):
    """The engine's answer to a person's command."""

    ok: bool
    message: str


Output = Transition | Incident | Drill | Draft | PreApproval | Verdict | Reply
"""What an engine answers to an entry."""
