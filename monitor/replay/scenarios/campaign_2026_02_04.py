"""4 February 2026: a campaign to withdraw everything from Binance, during which its reserves rise."""

from datetime import UTC, datetime
from decimal import Decimal

from monitor.model import IncidentKind
from monitor.replay.scenarios.binance import BITCOIN, ETHEREUM, RATES_ASSUMED, TRON
from monitor.replay.scenarios.scenario import Chain, Claim, Pace, Rush, Scenario, Talk
from monitor.replay.truth import Event as Happened

RESERVE = Chain(
    network="bitcoin",
    asset="BTC",
    payments=BITCOIN.payments,
    typical=Decimal("0.9"),
    block_seconds=600,
    reserve=Decimal(659_000),
)
BEGINS = datetime(2026, 2, 4, tzinfo=UTC)
CALLED, OVER = datetime(2026, 2, 4, 6, tzinfo=UTC), datetime(2026, 2, 4, 18, tzinfo=UTC)

SCENARIO = Scenario(
    name="2026-02-04-campaign",
    title="A campaign to withdraw everything from Binance, while its reserves rise",
    exchange="binance",
    begins=BEGINS,
    ends=datetime(2026, 2, 5, tzinfo=UTC),
    claims=(
        Claim(
            what="He Yi on 4 February: some have begun a withdrawal campaign; assets in the addresses increased.",
            source="mypinetwork.net",
            url="https://mypinetwork.net/binance-assets-surge-in-suspicious-mass-withdrawal-attempt",
        ),
        Claim(
            what="Deposits seem to have outweighed withdrawals while calls to leave the platform spread.",
            source="American Investment Report",
            url="https://americaninvestmentreport.com/?p=64420",
        ),
        Claim(
            what="The bitcoin reserve stayed at about 659,000 BTC; it moved by 0.6 per cent (one weak source).",
            source="Binance Square, a mirror",
            url="https://binance-proxy.shuxipo.com/en/square/post/290665454124497",
        ),
    ),
    assumed=(
        "the campaign lasts from 06:00 to 18:00 UTC: no source gives hours",
        "60 mentions in five minutes on an ordinary day, 8 times as many in the campaign",
        "1.5 times the usual number of payments on every network in these hours",
        "the 0.6 per cent are a rise, of some 3,900 BTC net: 5,500 BTC come in evenly in 600 deposits",
        "outflow and inflow of some 1 per cent of the bitcoin reserve on an ordinary day",
        RATES_ASSUMED.replace(" and 10 on bsc", ""),
    ),
    chains=(RESERVE, ETHEREUM, TRON),
    mentions=60.0,
    events=(
        Talk(start=CALLED, end=OVER, factor=8.0),
        Pace(start=CALLED, end=OVER, factor=1.5),
        Rush(start=CALLED, end=OVER, network="bitcoin", way="in", coins=Decimal(5_500), transactions=600),
    ),
    truth=(
        Happened(
            kind=IncidentKind.CAMPAIGN,
            exchange="binance",
            start=CALLED,
            end=OVER,
            must_page=False,
            note="reserves rise: information, and nobody is paged",
        ),
    ),
)
