"""25 October 2023: the last payment of Binance leaves at 10:45 UTC, and the post comes eighteen minutes later."""

from datetime import UTC, date, datetime

from monitor.model import IncidentKind
from monitor.replay.scenarios.binance import CHAINS, RATES_ASSUMED
from monitor.replay.scenarios.scenario import Claim, Pace, Scenario, Words
from monitor.replay.truth import Event as Happened


def _at(hour: int, minute: int) -> datetime:
    return datetime(2023, 10, 25, hour, minute, tzinfo=UTC)


STOPPED, RESUMED = _at(10, 45), _at(11, 30)

SCENARIO = Scenario(
    name="2023-10-25-halt",
    title="A middleware of Binance fails: fiat leaves, crypto does not",
    exchange="binance",
    begins=_at(10, 0),
    ends=_at(13, 0),
    claims=(
        Claim(
            what="The last withdrawal of an Ethereum wallet of Binance left at 10:45 UTC (etherscan); an official post "
            "18 minutes later; the words of the posts.",
            source="The Cryptocurrency Post",
            url="https://thecryptocurrencypost.net/binance-temporarily-suspends-withdrawals",
        ),
        Claim(
            what="One of the last withdrawals at 6:45 a.m. ET; fiat withdrawals were not affected.",
            source="International Business Times",
            url="https://www.ibtimes.com/binance-halts-cryptocurrency-withdrawals-its-platform-3716434",
            published=date(2023, 10, 25),
        ),
    ),
    assumed=(
        "payments stop on the other networks when they do on ethereum, and nothing at all is sent",
        "they are back at 11:30 UTC: the sources say no more than the same day",
        "twice the usual is sent for ten minutes afterwards: the backlog",
        "no list of rails is read: nobody published when the flags turned",
        RATES_ASSUMED,
    ),
    chains=CHAINS,
    events=(
        Pace(start=STOPPED, end=RESUMED, factor=0.0),
        Words(
            at=_at(11, 3),
            text=(
                "We are experiencing a technical issue with crypto withdrawals. As a result, they are temporarily "
                "unavailable whilst our team works on the fix. Fiat withdrawals are available and working."
            ),
            topic="suspended",
        ),
        Pace(start=RESUMED, end=_at(11, 40), factor=2.0),
    ),
    truth=(
        Happened(
            kind=IncidentKind.WITHDRAWAL_HALT,
            exchange="binance",
            start=STOPPED,
            end=RESUMED,
            must_page=True,
            note="all networks, to nothing; official words after 18 minutes",
        ),
    ),
)
