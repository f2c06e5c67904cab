"""The detectors explained: what each looks at, what makes it tell, and what it cannot see. More: docs/detection.md."""

from collections.abc import Iterable

from msgspec import Struct

from monitor.model import ExchangeView
from monitor.model.view import StatisticState
from monitor.web.statistics import Row, headline, rows

LOUD = (StatisticState.FIRING, StatisticState.SUSPICIOUS)


class Explained(Struct, frozen=True):
    name: str
    question: str
    looks: str
    tells: str
    blind: str  # where it is


DETECTORS = (
    Explained(
        "silence",
        "Does it still pay?",
        "Outgoing transactions of the hot wallets we know, minute by minute, against what is usual at "
        "this hour of the week.",
        "Several wallets that stop together page; one that is silent alone is only watched. "
        "The threshold comes from the exchange's own history and the pages a month that you allow.",
        "Wallets on no list; the first six hours; a chain whose nodes do not answer. Nothing read is "
        "never taken for silence.",
    ),
    Explained(
        "flags",
        "What does it say is open?",
        "The exchange's own list of coins and networks, weighted by what matters, and only what changed.",
        "Half of the watched weight newly off within ten minutes is a halt, a fifth is degraded, one "
        "watched rail is told after ten minutes.",
        'A list that goes on saying "open" while nobody is paid, and lists that need a key.',
    ),
    Explained(
        "queue",
        "Are requests being sent?",
        "The operator's own queue: withdrawals requested and broadcast.",
        "Requests and not one broadcast for two minutes are a halt.",
        "Everybody but the exchange itself: the queue is the operator's to give.",
    ),
    Explained(
        "drip",
        "Is it real money that leaves?",
        "Coins a payment, over a quarter of an hour, against what is usual.",
        "As many payments as ever with less than a twentieth of the money in them is a warning.",
        "Chains on which only the number of payments is read.",
    ),
    Explained(
        "outflow",
        "Are the reserves leaving?",
        "What leaves the known wallets to others, in coins and as a share of the reserves, over five "
        "minutes to seven days.",
        "A run by the number of payments or by a tenth gone in a day, an exploit by few large moves, a "
        "bleed over days. "
        "Moves between own wallets and prices that fall are no outflow.",
        "Addresses on no list: a large move to one is asked about before anything else is said of it.",
    ),
    Explained(
        "campaign",
        "Is there a call to withdraw?",
        "How often a query is mentioned, against its own extremes.",
        "It tells, and never pages alone. With coins leaving on balance it is a warning.",
        "Off until mentions are configured; reading them costs money.",
    ),
    Explained(
        "freezes",
        "Do its users lock themselves?",
        "How many users freeze their own withdrawals, as the exchange's freeze gate counts them; nobody is named.",
        "Far more than usual within ten minutes or an hour is a warning, and never a halt.",
        "Exchanges without a gate of ours; a number that grew while the gate could not be read for an hour.",
    ),
    Explained(
        "terms",
        "Is it closing softly?",
        "Fees, minimums and maximums of the watched rails.",
        "A maximum cut, or a minimum raised, fivefold on three rails within an hour is a warning.",
        "Exchanges that do not publish their terms.",
    ),
    Explained(
        "network",
        "Is it the exchange, or the chain?",
        "Which networks are off at several exchanges at once.",
        "The same network off at three exchanges, or at two fifths of the weight, is one incident and not many.",
        "A single watched exchange has nobody to be compared with.",
    ),
    Explained(
        "blind",
        "Is it us?",
        "Control targets that have nothing to do with any exchange.",
        "When they fail too, we say once that we cannot see, and call nothing halted.",
        "A failure on the way to one exchange only: that is shown as unknown.",
    ),
)


class Standing(Struct, frozen=True):
    """What one detector says of one exchange now; `rows` are those that are not quiet."""

    exchange: str
    headline: str
    rows: tuple[Row, ...]


def standing(views: Iterable[ExchangeView], detector: str) -> list[Standing]:
    """Exchanges of which it keeps a statistic, by name; the world is ""."""
    kept = ((view, [each for each in view.statistics if each.detector == detector]) for view in views)
    found = [
        Standing(view.exchange, headline(its), tuple(rows(each for each in its if each.state in LOUD)))
        for view, its in kept
        if its and not view.retired
    ]
    return sorted(found, key=lambda each: each.exchange)
