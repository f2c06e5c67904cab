"""3 February 2026: Binance pays nobody for twenty minutes, and says so after seventeen."""

from datetime import UTC, datetime

from monitor.model import IncidentKind
from monitor.replay.scenarios.binance import CHAINS, RATES_ASSUMED
from monitor.replay.scenarios.scenario import Claim, Pace, Scenario, Words
from monitor.replay.truth import Event as Happened


def _at(hour: int, minute: int) -> datetime:
    return datetime(2026, 2, 3, hour, minute, tzinfo=UTC)


STOPPED, RESUMED = _at(2, 19), _at(2, 39)

SCENARIO = Scenario(
    name="2026-02-03-halt",
    title="Binance pays nobody for 20 minutes",
    exchange="binance",
    begins=_at(2, 0),
    ends=_at(4, 0),
    claims=(
        Claim(
            what="Withdrawals were down for about twenty minutes; the words of both posts.",
            source="CryptoPulpit",
            url="https://cryptopulpit.com/community-sounds-alarm-over-binance-withdrawals-echoing-ftx-sbf-concerns",
        ),
        Claim(
            what="About 20 minutes; deposits and trading were not affected.",
            source="Business Sandesh",
            url="https://businesssandesh.in/?p=107951",
        ),
        Claim(
            what="The first post at 02:36 UTC and the second at 02:39 (one weak source, a rewritten text).",
            source="igcurrencynews.com",
        ),
    ),
    assumed=(
        "payments stop at 02:19 UTC: twenty minutes before the post that says they are back",
        "they stop at once on every network, and nothing at all is sent until 02:39",
        "for five minutes afterwards two and a half times the usual is sent: the backlog",
        "no list of rails is read: nobody published when the flags turned, if they did",
        RATES_ASSUMED,
    ),
    chains=CHAINS,
    events=(
        Pace(start=STOPPED, end=RESUMED, factor=0.0),
        Words(
            at=_at(2, 36),
            text=(
                "We are aware of some technical difficulties affecting withdrawals on the platform. Our team is "
                "already working on a fix, and services will resume as soon as possible."
            ),
            topic="delayed",
        ),
        Words(
            at=RESUMED,
            text="The issue has been identified and fixed. Withdrawals have resumed and are being processed now.",
            topic="resumed",
        ),
        Pace(start=RESUMED, end=_at(2, 44), factor=2.5),
    ),
    truth=(
        Happened(
            kind=IncidentKind.WITHDRAWAL_HALT,
            exchange="binance",
            start=STOPPED,
            end=RESUMED,
            must_page=True,
            note="all networks, to nothing; official words after 17 minutes",
        ),
    ),
)
