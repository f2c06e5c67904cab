"""7 and 8 November 2022: the run on FTX, the crumbs at its end, and then silence."""

from datetime import UTC, date, datetime
from decimal import Decimal

from monitor.model import IncidentKind
from monitor.replay.scenarios.scenario import Chain, Claim, Pace, Rush, Scenario, Words
from monitor.replay.truth import Event as Happened


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2022, 11, day, hour, minute, tzinfo=UTC)


RUN, CRUMBS, STOPPED, ENDS = _at(7, 11, 0), _at(8, 10, 59), _at(8, 11, 37), _at(8, 22, 30)
BALANCE = Decimal("19977.78")
LEFT = Decimal("36.14")

SCENARIO = Scenario(
    name="2022-11-08-drip",
    title="FTX: a run, crumbs, and then nothing",
    exchange="ftx",
    begins=_at(7, 6, 0),
    ends=ENDS,
    claims=(
        Claim(
            what="The last outgoing transaction on ethereum at 6:59 p.m. UTC+8 (10:59 UTC), on solana at about that "
            "time. In 24 hours the bitcoin on FTX fell by 19,941.64 BTC to 36.14 BTC (Coinglass).",
            source="Coinlive",
            url="https://coinlive.com/en/news/the-timeline-of-ftx-s-withdrawal-halts-binance-s-potential",
        ),
        Claim(
            what="The last outgoing transaction on ethereum at 6:37 a.m. EST (11:37 UTC); about 6 bn dollars net had "
            "been withdrawn in the days before.",
            source="The Block",
            url="https://www.theblock.co/post/184315/"
            "ftx-effectively-paused-withdrawals-ceo-sam-bankman-fried-tells-employees",
            published=date(2022, 11, 8),
        ),
        Claim(
            what="Stablecoin withdrawals fell to zero at about 6 a.m. ET (11:00 UTC, CryptoQuant); ether was sent in "
            "amounts of up to 0.12.",
            source="TechCrunch, at Yahoo Finance",
            url="https://finance.yahoo.com/news/ftxs-seemingly-sluggish-withdrawals-raise-160543753.html",
            published=date(2022, 11, 8),
        ),
        Claim(
            what="Support on Telegram at about 21:50 UTC: any transfers besides fiat are halted.",
            source="CoinDesk, a mirror",
        ),
    ),
    assumed=(
        "the two last transactions are both right: crumbs of at most 0.12 ether from 10:59, nothing from 11:37 UTC",
        "in the time of the crumbs as many transactions as ever are sent, and on tron and solana as small a share",
        "the run takes the 19,941.64 BTC from 11:00 UTC on 7 November, evenly, in 6,000 payments, on top of the usual",
        "three times the usual number of payments on the other networks during the run",
        "the ordinary day: how many transactions, their rhythm, bursts (k = 8) and heavy-tailed sizes",
        "no list of rails is read; the exchange's word that it is catching up, the night before, has no known minute",
    ),
    chains=(
        Chain(
            network="bitcoin",
            asset="BTC",
            payments=1.0,
            typical=Decimal("0.05"),
            block_seconds=600,
            reserve=BALANCE,
        ),
        Chain(network="ethereum", asset="ETH", payments=15.0, typical=Decimal(2)),
        Chain(network="tron", asset="TRX", payments=6.0, typical=Decimal(3_000)),
        Chain(network="solana", asset="SOL", payments=5.0, typical=Decimal(30)),
    ),
    events=(
        Rush(start=RUN, end=CRUMBS, network="bitcoin", way="out", coins=BALANCE - LEFT, transactions=6_000),
        Pace(start=RUN, end=CRUMBS, factor=3.0, networks=("ethereum", "tron", "solana")),
        Pace(start=CRUMBS, end=STOPPED, factor=1.0, networks=("ethereum",), largest=Decimal("0.12")),
        Pace(start=CRUMBS, end=STOPPED, factor=1.0, networks=("tron",), largest=Decimal(180)),
        Pace(start=CRUMBS, end=STOPPED, factor=1.0, networks=("solana",), largest=Decimal("1.8")),
        Pace(start=CRUMBS, end=STOPPED, factor=0.0, networks=("bitcoin",)),
        Pace(start=STOPPED, end=ENDS, factor=0.0),
        Words(at=_at(8, 21, 50), text="Any transfers besides fiat are halted.", topic="suspended"),
    ),
    truth=(
        Happened(
            kind=IncidentKind.BANK_RUN,
            exchange="ftx",
            start=RUN,
            end=CRUMBS,
            must_page=True,
            note="all but 36 of 19,978 BTC in a day",
        ),
        Happened(
            kind=IncidentKind.DRIP,
            exchange="ftx",
            start=CRUMBS,
            end=STOPPED,
            must_page=False,
            note="as many payments as ever, of crumbs: degraded",
        ),
        Happened(
            kind=IncidentKind.WITHDRAWAL_HALT,
            exchange="ftx",
            start=STOPPED,
            end=ENDS,
            must_page=True,
            note="nothing is sent any more; official words after ten hours",
        ),
    ),
)
