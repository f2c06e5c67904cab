"""What is told, once an hour, of the single wallets: enough to know their roles again after a restart."""

from datetime import datetime

from monitor.chains.ledger import Ledger
from monitor.model import WalletUsage
from monitor.reserves.roles import Wallets


def usages(wallets: Wallets, *, at: datetime, exchange: str, probe: str, ledger: Ledger) -> list[WalletUsage]:
    return [
        WalletUsage(
            at=at,
            exchange=exchange,
            probe=probe,
            network=ledger.network,
            address=used.address,
            day=used.day,
            outgoing=used.outgoing,
            last_at=used.last_at,
        )
        for used in wallets.told(at)
    ]
