"""1 November 2021: Binance halts all crypto withdrawals, reopens, and closes again within minutes."""

from datetime import UTC, date, datetime

from monitor.model import IncidentKind, Rail, RailState
from monitor.replay.scenarios.binance import CHAINS, RATES_ASSUMED
from monitor.replay.scenarios.scenario import Claim, Flags, Pace, Scenario, Words
from monitor.replay.truth import Event as Happened


def _at(hour: int, minute: int) -> datetime:
    return datetime(2021, 11, 1, hour, minute, tzinfo=UTC)


STOPPED, REOPENED, CLOSED_AGAIN, RESUMED = _at(8, 37), _at(8, 57), _at(9, 2), _at(9, 27)
RAILS = (
    Rail("BTC", "bitcoin"),
    Rail("ETH", "ethereum"),
    Rail("USDT", "ethereum"),
    Rail("USDT", "tron"),
    Rail("USDC", "ethereum"),
    Rail("TRX", "tron"),
    Rail("BNB", "bsc"),
)

SCENARIO = Scenario(
    name="2021-11-01-flapping",
    title="Binance closes, reopens, and closes again within minutes",
    exchange="binance",
    begins=_at(8, 0),
    ends=_at(11, 0),
    claims=(
        Claim(
            what="A post at 8:37 a.m. that all crypto withdrawals are disabled; about 20 minutes later that they are "
            "back, with a delay of about 30 minutes; a few minutes later that they are suspended again.",
            source="playcrazygame.com",
            url="https://playcrazygame.com/2021/11/01/binance-suspends-bitcoin-and-cryptocurrency-withdrawals/",
            published=date(2021, 11, 1),
        ),
        Claim(
            what="Resumed for a small moment, closed again, and resumed within about two hours of the first post.",
            source="bitcoinik.com",
            url="https://bitcoinik.com/binance-suspended-bitcoin-crypto-withdrawal-now-fixed/",
        ),
        Claim(
            what="In 2021 crypto withdrawals were paused for 25 minutes because of a heavy backlog.",
            source="International Business Times",
            url="https://www.ibtimes.com/binance-halts-cryptocurrency-withdrawals-its-platform-3716434",
            published=date(2023, 10, 25),
        ),
    ),
    assumed=(
        "8:37 a.m. is taken for UTC: the source does not say of which zone it is",
        "payments stop and the flags turn with each post, at the very minute",
        "closed again five minutes after the reopening (a few minutes), and for good reopened 25 minutes later",
        "half of the usual is sent in the minutes between, and twice the usual for ten minutes at the end",
        RATES_ASSUMED,
    ),
    chains=CHAINS,
    rails=RAILS,
    events=(
        Pace(start=STOPPED, end=REOPENED, factor=0.0),
        Flags(at=STOPPED, state=RailState.SUSPENDED),
        Words(
            at=STOPPED,
            text=(
                "We have temporarily disabled all crypto withdrawals on Binance.com due to a large backlog. Rest "
                "assured our team is working on it with top priority."
            ),
            topic="suspended",
        ),
        Pace(start=REOPENED, end=CLOSED_AGAIN, factor=0.5),
        Flags(at=REOPENED, state=RailState.OPEN),
        Pace(start=CLOSED_AGAIN, end=RESUMED, factor=0.0),
        Flags(at=CLOSED_AGAIN, state=RailState.SUSPENDED),
        Pace(start=RESUMED, end=_at(9, 37), factor=2.0),
        Flags(at=RESUMED, state=RailState.OPEN),
        Words(at=RESUMED, text="Crypto withdrawals have been resumed.", topic="resumed"),
    ),
    truth=(
        Happened(
            kind=IncidentKind.WITHDRAWAL_HALT,
            exchange="binance",
            start=STOPPED,
            end=RESUMED,
            must_page=True,
            note="one incident: reopened after 20 minutes, closed again after 5",
        ),
    ),
)
