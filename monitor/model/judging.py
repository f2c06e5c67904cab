"""What of the configuration the engines judge by. It stands in the journal, so that a replay judges alike."""

from msgspec import Struct

from monitor.model.words import Role, Sentence


class WatchedRail(Struct, frozen=True, kw_only=True):
    asset: str
    network: str
    weight: float = 1.0


class Judging(Struct, frozen=True, kw_only=True):
    """All that the engines judge by, never a secret. Defaults are what a journal without one is judged by."""

    role: Role = Role.OBSERVER
    speaks_for: str = ""  # the exchange that drafts may speak as; "" under role observer
    watched: dict[str, tuple[WatchedRail, ...]] = {}  # exchange -> rails; an exchange not named has the default rails
    intervals: dict[str, float] = {}  # probe -> seconds between readings
    titles: dict[str, str] = {}  # exchange -> name as people write it
    needs_key: dict[str, str] = {}  # exchange -> why its flags cannot be read, in a person's words
    channels: tuple[str, ...] = ("file",)
    fallbacks: dict[str, str] = {}  # channel -> the one that is offered where it cannot post
    fallback_seconds: dict[str, float] = {}  # channel -> how long it may be limited before that
    templates: dict[str, str] = {}  # "<role>/<notice>[.<language>]" -> Jinja text; one not given has the shipped text
    language: str = "en"  # of the texts to be posted
    sentences: tuple[Sentence, ...] = ()
    page: str = ""  # where others reach our page
    pages_per_month: float = 1.0  # over all watched exchanges
    draft_expiry_seconds: float = 1200.0
    next_update_seconds: float = 1800.0
    own_tokens: dict[str, tuple[str, ...]] = {}  # exchange -> the tokens it issued itself
    approvals_required: int = 1  # people who must approve a text
    stuck_usd: float = 100_000.0  # a page when more than this of the user's own cannot leave
