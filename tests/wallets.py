"""Known wallets for tests, as an address book would list them."""

from collections.abc import Sequence
from datetime import date

from monitor.reserves.book import Address, WalletRole
from monitor.reserves.roles import Wallets


def listed(addresses: Sequence[str], *, exchange: str, network: str, role: WalletRole | None = None) -> list[Address]:
    return [
        Address(
            exchange=exchange,
            network=network,
            address=address,
            role=role,
            source="a test",
            as_of=date(2026, 2, 3),
        )
        for address in addresses
    ]


def known(addresses: Sequence[str], *, hot: Sequence[str] = (), cold: Sequence[str] = ()) -> Wallets:
    """Wallets of kraken, of which a person has said that some are hot or cold."""
    others = [address for address in addresses if address not in (*hot, *cold)]
    said: list[tuple[Sequence[str], WalletRole | None]] = [(others, None), (hot, "hot"), (cold, "cold")]
    return Wallets(
        [each for part, role in said for each in listed(part, exchange="kraken", network="ethereum", role=role)]
    )
