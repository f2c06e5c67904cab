"""13 June 2022: Binance sends no bitcoin for three and a half hours, and pays on every other network."""

from datetime import UTC, date, datetime

from monitor.model import IncidentKind, Rail, RailState
from monitor.replay.scenarios.binance import CHAINS, RATES_ASSUMED
from monitor.replay.scenarios.scenario import Claim, Flags, Pace, Scenario, Words
from monitor.replay.truth import Event as Happened


def _at(hour: int, minute: int) -> datetime:
    return datetime(2022, 6, 13, hour, minute, tzinfo=UTC)


STOPPED, RESUMED = _at(12, 0), _at(15, 30)
BTC = Rail("BTC", "bitcoin")
RAILS = (
    BTC,
    Rail("BTC", "bsc"),
    Rail("ETH", "ethereum"),
    Rail("USDT", "ethereum"),
    Rail("USDT", "tron"),
    Rail("USDC", "ethereum"),
    Rail("SOL", "solana"),
    Rail("XRP", "xrp"),
    Rail("TRX", "tron"),
    Rail("BNB", "bsc"),
)

SCENARIO = Scenario(
    name="2022-06-13-network",
    title="Binance halts the bitcoin network, and only that",
    exchange="binance",
    begins=_at(11, 0),
    ends=_at(17, 0),
    claims=(
        Claim(
            what="Bitcoin withdrawals halted from 16:00 to 19:30 UAE time (12:00 to 15:30 UTC); other networks went "
            "on, BEP-20 for one; the words of the posts.",
            source="The National",
            url="https://www.thenationalnews.com/business/cryptocurrencies/2022/06/13/"
            "binance-pauses-bitcoin-withdrawals-temporarily-due-to-a-stuck-transaction/",
            published=date(2022, 6, 13),
        ),
        Claim(
            what="The first post at 8 a.m. ET; resumed, as a post of 11:32 a.m. New York time said.",
            source="newszoom.click",
            url="https://newszoom.click/?p=1186",
        ),
        Claim(
            what="Some 20 minutes after the first post: it takes a bit longer than 30 minutes.",
            source="gocryptonft.com",
            url="https://gocryptonft.com/news/binance-pauses-bitcoin-withdrawals-due-to/47575",
        ),
        Claim(
            what="Resumed three and a half hours after the first post; pending withdrawals would be rejected.",
            source="Decrypt",
            url="https://decrypt.co/102772/binance-halts-bitcoin-withdrawals-due-to-stuck-on-chain-transaction",
        ),
    ),
    assumed=(
        "nothing leaves on bitcoin from 12:00, though the stuck batch was visible before the post",
        "the flag of BTC on bitcoin turns at 12:05 and back at 15:30: nobody published when it did",
        "no backlog: what was pending had been rejected",
        RATES_ASSUMED,
    ),
    chains=CHAINS,
    rails=RAILS,
    events=(
        Pace(start=STOPPED, end=RESUMED, factor=0.0, networks=("bitcoin",)),
        Words(
            at=STOPPED,
            text=(
                "Temporary pause of $BTC withdrawals on #Binance due to a stuck transaction causing a backlog. Should "
                "be fixed in ~30 minutes. Will update."
            ),
            topic="suspended",
        ),
        Flags(at=_at(12, 5), state=RailState.SUSPENDED, rails=(BTC,)),
        Words(
            at=_at(12, 20),
            text="Likely this is going to take a bit longer to fix than my initial estimate. More updates soon.",
        ),
        Flags(at=RESUMED, state=RailState.OPEN, rails=(BTC,)),
        Words(at=_at(15, 32), text="... bitcoin withdrawals had resumed ...", topic="resumed"),
    ),
    truth=(
        Happened(
            kind=IncidentKind.RAIL_SUSPENDED,
            exchange="binance",
            start=STOPPED,
            end=RESUMED,
            must_page=False,
            note="one network of many: a warning about it, and no halt of the exchange",
        ),
    ),
)
